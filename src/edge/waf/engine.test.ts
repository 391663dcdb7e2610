//! The engine finds what rules name in texts of any length and encoding, and says so when it cannot.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DDWAF } from '@datadog/native-appsec'
import { detector, type EngineRule } from './engine.ts'
import { pieces, TEXT_MAX } from './engine-texts.ts'

const rule = (kind: string, operator: string, parameters: EngineRule['parameters'] = {}): EngineRule => ({
  ...{ kind, id: kind, operator, parameters, transformers: [] },
})
const SQLI = rule('sqli', 'is_sqli')
const XSS = rule('xss', 'is_xss')
const EVIL = rule('evil', 'match_regex', { regex: 'evil|böse', options: { case_sensitive: false } })
const all = detector([SQLI, XSS, EVIL])

test('each kind is found in any of the texts, and only where it is', () => {
  const rows: [texts: string[], kinds: string[]][] = [
    [["1' OR '1'='1"], ['sqli']],
    [['hello', '<script>alert(1)</script>'], ['xss']],
    [
      ["' union select 1,2,3--", 'x', '<img src=x onerror=alert(1)>', 'Evil'],
      ['evil', 'sqli', 'xss'],
    ],
    [['ab\0evil'], ['evil']],
    [[Buffer.from('sehr böse').toString('latin1')], ['evil']],
    [['\xff\xfe evil \xc3'], ['evil']],
    [["1'\xa0or\xa0'1'='1"], ['sqli']],
    [["it's a lovely day", 'union station', 'a<b', '1', ''], []],
    [[], []],
  ]
  for (const [texts, kinds] of rows) assert.deepEqual([...all.find(texts)].sort(), kinds, JSON.stringify(texts))
})

test('nothing hides behind the lengths that the engine itself looks at', () => {
  for (const fill of ['a', '\xc3\xa9', '\xff', ' ', 'lorem ipsum ']) {
    for (const bytes of [4000, 4090, 4094, 4096, 4097, 8192, 65_530]) {
      const text = `${fill.repeat(Math.ceil(bytes / fill.length))}evil`
      assert.deepEqual(all.find([text]), ['evil'], `${JSON.stringify(fill)} ${bytes}`)
      assert.deepEqual(all.find([`${text}${fill.repeat(3000)}`]), ['evil'], `${JSON.stringify(fill)} ${bytes}`)
    }
  }
  const many = Array.from({ length: 1000 }, (_, at) => `value ${at}`)
  for (const at of [0, 254, 255, 256, 257, 511, 512, 999]) {
    assert.deepEqual(all.find(many.with(at, 'evil')), ['evil'], `text ${at}`)
  }
  assert.deepEqual(all.find(many), [])
  // Pulled apart by what says nothing.
  for (const between of [`/*${'x y '.repeat(3000)}*/`, ' '.repeat(9000)]) {
    assert.deepEqual(all.find([`1' union${between}select${between}password from users-- `]), ['sqli'])
  }
})

test('pieces: no longer than the engine looks at, whole characters, one behind the other', () => {
  const text = Buffer.from('€äx'.repeat(3000)).toString('latin1')
  const made = pieces([text, 'short', 'short', ''])
  assert.ok(made.every((piece) => Buffer.byteLength(piece) <= TEXT_MAX && !piece.includes('\ufffd')))
  assert.equal(made.filter((piece) => piece === 'short').length, 1)
  assert.ok(made.some((piece) => piece.startsWith('€äx')) && made.some((piece) => piece.endsWith('€äx')))
  // Comments that never end: linear.
  assert.equal(pieces(['/*'.repeat(32_768)])[0], '/*'.repeat(TEXT_MAX / 2))
})

test('what cannot be told is thrown: not loaded, rules refused, no time left, a part left out', () => {
  const one = [rule('evil', 'match_regex', { regex: 'evil' })]
  const notThere = detector(one, () => {
    throw new Error('no such module')
  })
  assert.throws(() => notThere.find(['x']), /no such module/)
  assert.throws(() => detector([EVIL, rule('bad', 'no_such_operator')]).find(['x']), /not all of the rules/)
  assert.throws(() => detector([EVIL, rule('bad', 'match_regex', { regex: '(' })]).find(['x']), /not all of the rules/)
  const answering = (answer: object): typeof DDWAF =>
    class {
      diagnostics = { rules: { loaded: ['evil'], failed: [], errors: {} } }
      createContext = () => ({ run: () => answer, dispose: () => {} })
    } as unknown as typeof DDWAF
  const rows: [answer: object, problem: RegExp][] = [
    [{ timeout: true }, /in its time/],
    [{ timeout: false, errorCode: -3 }, /error -3/],
    [{ timeout: false, metrics: { maxTruncatedString: 5000 } }, /left out/],
    [{ timeout: false, metrics: { maxTruncatedContainerSize: 300 } }, /left out/],
  ]
  for (const [answer, problem] of rows) {
    assert.throws(() => detector(one, () => answering(answer)).find(['x']), problem)
  }
})
