import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type BareItem, parseDictionary } from './rfc-dictionary.ts'

const ON: BareItem = { type: 'boolean', value: true }
const OTHER: BareItem = { type: 'other' }

const ROWS: readonly (readonly [lines: readonly string[], members: Record<string, BareItem> | null])[] = [
  [[''], {}],
  [['a'], { a: ON }],
  [['a, b=?0,c'], { a: ON, b: { type: 'boolean', value: false }, c: ON }],
  [['  a \t,\t b  '], { a: ON, b: ON }],
  [['a', 'b=1'], { a: ON, b: { type: 'integer', value: 1 } }],
  [['a=1, a=2'], { a: { type: 'integer', value: 2 } }],
  [['max-age=-5'], { 'max-age': { type: 'integer', value: -5 } }],
  [['a=999999999999999'], { a: { type: 'integer', value: 999_999_999_999_999 } }],
  [['a="x\\"y, z"'], { a: { type: 'string', value: 'x"y, z' } }],
  [['a=tok/en:*'], { a: { type: 'token', value: 'tok/en:*' } }],
  [['a=1;q=0.5;z, b'], { a: { type: 'integer', value: 1 }, b: ON }],
  [['a;x="1", b'], { a: ON, b: ON }],
  [['a=1.5, b=:aGk=:, c=@1, d=(1 "x";y=1 tok), e=%"a", f=()'], { a: OTHER, b: OTHER, c: OTHER, d: OTHER, e: OTHER, f: OTHER }],
  [['A'], null],
  [['max-age =5'], null],
  [['max-age= 5'], null],
  [['a=1000000000000000'], null],
  [['a=1.2345'], null],
  [['a=1.'], null],
  [['a="open'], null],
  [['a="b\\c"'], null],
  [['a=?2'], null],
  [['a='], null],
  [['a,'], null],
  [['a,,b'], null],
  [['a b'], null],
  [['a=1, &&&&'], null],
  [['a=(1'], null],
  [['a=é'], null],
] // biome-ignore format: a table

for (const [lines, members] of ROWS) {
  test(`dictionary ${lines.join(' | ')}`, () => {
    const found = parseDictionary(lines)
    assert.deepEqual(found === null ? null : Object.fromEntries(found), members)
  })
}

test('whatever comes is parsed or refused, soon', () => {
  fc.assert(fc.property(fc.array(fc.string(), { maxLength: 3 }), (lines) => void parseDictionary(lines)))
  const before = process.cpuUsage()
  for (const piece of ['a=(', 'a;a;', 'a="\\"', '((((', 'a=1;', 'a=(a ']) parseDictionary([piece.repeat(20_000)])
  assert.ok(process.cpuUsage(before).user < 2_000_000)
})
