import assert from 'node:assert/strict'
import { test } from 'node:test'
import { base64Value, type FormField, planForm } from './form.ts'

/** Fields that the test encrypts: `card`, and all that begin with `x`. */
const entityOf = (name: string): 'card' | 'x' | null => (name === 'card' ? 'card' : name.startsWith('x') ? 'x' : null)

/** The body with `<name:value>` in place of what is to be encrypted. */
function shown(body: string): string {
  const plan = planForm(body, entityOf)
  if (typeof plan === 'string') return plan
  assert.deepEqual(
    plan.fields,
    plan.pieces.filter((piece): piece is FormField<'card' | 'x'> => typeof piece !== 'string'),
  )
  return plan.pieces
    .map((piece) => (typeof piece === 'string' ? piece : `<${piece.name}:${piece.value.toString('latin1')}>`))
    .join('')
}

const ROWS: readonly (readonly [what: string, body: string, expected: string])[] = [
  ['nothing', '', ''],
  ['no field of ours', 'a=1&b=%20+%7e&c', 'a=1&b=%20+%7e&c'],
  ['one alone', 'card=4111', 'card=<card:4111>'],
  ['first, middle, last', 'card=1&a=2&x1=3&b=4&xy=5', 'card=<card:1>&a=2&x1=<x1:3>&b=4&xy=<xy:5>'],
  ['repeated', 'card=1&card=2&card=', 'card=<card:1>&card=<card:2>&card=<card:>'],
  ['without =', 'a&card&b', 'a&card=<card:>&b'],
  ['several =', 'card=a=b=c&a=d=e', 'card=<card:a=b=c>&a=d=e'],
  ['encoded name', 'c%61rd=1&%78=2&%58=3', 'c%61rd=<card:1>&%78=<x:2>&%58=3'],
  ['case counts', 'Card=1&CARD=2&X=3', 'Card=1&CARD=2&X=3'],
  ['longer and shorter names', 'card1=1&car=2&+card=3', 'card1=1&car=2&+card=3'],
  ['decoded value', 'card=a+b%2Bc%26d%3D%C3%A9%00', 'card=<card:a b+c&d=\xc3\xa9\x00>'],
  ['bytes as they are', 'card=\xc3\xa9 "\'&a=\xff\x80', 'card=<card:\xc3\xa9 "\'>&a=\xff\x80'],
  ['empty parts', '&&card=1&&', '&&card=<card:1>&&'],
  ['empty names', '=card&=&card=1', '=card&=&card=<card:1>'],
  ['a semicolon is no delimiter', 'a=1;card=2', 'a=1;card=2'],
  ['a percent sign alone', 'a=100%', 'MalformedInputClientError'],
  ['a percent sign with one digit', 'card=%4&a=1', 'MalformedInputClientError'],
  ['a percent sign in a name', 'a%zz=1', 'MalformedInputClientError'],
  ['a line end', 'a=1\r\nb=2', 'MalformedInputClientError'],
  ['NUL', 'a=\x00', 'MalformedInputClientError'],
  ['JSON that says it is a form', '{"card":\n"4111"}', 'MalformedInputClientError'],
  ['16 KB', `card=${'v'.repeat(16_384)}`, `card=<card:${'v'.repeat(16_384)}>`],
  ['16 KB, encoded', `card=${'%41'.repeat(16_384)}`, `card=<card:${'A'.repeat(16_384)}>`],
  ['over 16 KB', `card=${'v'.repeat(16_385)}`, 'FieldLengthLimitClientError'],
  ['over 16 KB in another field', `a=${'v'.repeat(16_385)}`, `a=${'v'.repeat(16_385)}`],
  ['ten', 'x=&'.repeat(10), 'x=<x:>&'.repeat(10)],
  ['eleven', `${'x=&'.repeat(10)}a=1&card=1`, 'FieldNumberLimitClientError'],
]

for (const [what, body, expected] of ROWS) {
  test(`fields of a form: ${what}`, () => assert.equal(shown(body), expected))
}

test('time grows with the body, not with its square', () => {
  const seconds = (body: string) => {
    const before = process.cpuUsage()
    planForm(body, entityOf)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1e6
  }
  // Two seconds is 20 times what they take on a slow machine; each took more than four.
  for (const body of ['&'.repeat(1_048_576), 'a&'.repeat(524_288)]) assert.ok(seconds(body) < 2)
})

test('base64 is a value of a form', () => {
  assert.equal(base64Value(Buffer.from('fbefbeff', 'hex')), '%2B%2B%2B%2B%2Fw%3D%3D')
  assert.equal(base64Value(Buffer.from('xfbefbeffx').subarray(1, 4)), 'ZmJl')
})
