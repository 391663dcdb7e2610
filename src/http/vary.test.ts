import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseVary, preferredLanguage, SELECTING_NAMES_MAX, selectingValue, soleLanguage } from './vary.ts'

describe('Vary', () => {
  const rows: readonly [what: string, lines: readonly string[], names: readonly string[] | null][] = [
    ['nothing', [], []],
    ['an empty line', [''], []],
    ['one name', ['Accept'], ['accept']],
    ['names in any order and case, twice', ['foo, BAR', 'Bar,\tfoo '], ['bar', 'foo']],
    ['empty members', [', ,foo,,'], ['foo']],
    ['a star', ['*'], null],
    ['a star among names', ['foo, *'], null],
    ['a star on a later line', ['', 'foo', '*'], null],
    ['two stars', ['*, *'], null],
    ['what is no name', ['foo bar'], null],
    ['a quoted name', ['"foo"'], null],
    ['a name with parameters', ['foo;q=1'], null],
    ['a name with a star in it', ['foo*'], ['foo*']],
    ['the name of a property of every object', ['__proto__, constructor'], ['__proto__', 'constructor']],
    ['too many names', [Array.from({ length: SELECTING_NAMES_MAX + 1 }, (_, at) => `x-${at}`).join()], null],
    ['names that are too long', ['x'.repeat(1_025)], null],
  ]
  for (const [what, lines, names] of rows) it(`with ${what}`, () => assert.deepEqual(parseVary(lines), names))

  it('never throws, and its names are a set in order', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (lines) => {
        const names = parseVary(lines)
        if (names === null) return
        assert.deepEqual(names, [...new Set(names)].sort())
        assert.deepEqual(parseVary([names.join(', ')]), names)
      }),
    )
  })
})

describe('two requests have the same value of', () => {
  const same: readonly [name: string, a: readonly string[], b: readonly string[]][] = [
    ['foo', ['1,2'], [' 1, 2 ']],
    ['foo', ['1, 2'], ['1', '2']],
    ['foo', ['"a,b" , c'], ['"a,b",c']],
    ['accept-language', ['en, de'], ['de, en']],
    ['accept-language', ['en, de'], ['eN, De']],
    ['accept-language', ['en, de'], ['en ,   de']],
    ['accept-language', ['de;q=1.0, en;q=0.50'], ['en; q=0.5, de']],
    ['accept-language', ['de, de'], ['de']],
    ['accept-encoding', ['gzip, br'], ['br,x-gzip']],
    ['accept-charset', ['UTF-8'], ['utf-8']],
    ['accept', ['text/html, application/xml;q=0.9'], ['Application/XML;q=0.9,text/HTML']],
    ['accept', ['text/html;level=1;charset="utf-8"'], ['text/html; charset=utf-8; LEVEL=1']],
    ['cookie', ['a=1; b=2'], ['a=1', 'b=2']],
    ['__proto__', ['1, 2'], ['1', '2']],
    ['constructor', ['1, 2'], ['1', '2']],
    ['accept-encoding', ['constructor, __proto__'], ['__PROTO__', 'constructor']],
  ]
  for (const [name, a, b] of same) {
    it(`${name}: ${a.join(' | ')} and ${b.join(' | ')}`, () => {
      assert.equal(selectingValue(name, a), selectingValue(name, b))
    })
  }
})

describe('two requests differ in', () => {
  const other: readonly [name: string, a: readonly string[], b: readonly string[]][] = [
    ['foo', [], ['']],
    ['foo', ['1'], ['2']],
    ['foo', ['a'], ['A']],
    ['foo', ['1,2'], ['2,1']],
    ['foo', ['1,,2'], ['1,2']],
    ['foo', ['a\u00a0'], ['a']],
    ['foo', ['"a, b"'], ['"a,b"']],
    ['foo', ['"a, b'], ['"a,b']],
    ['user-agent', ['a, b'], ['a,b']],
    ['accept-language', ['en, de;q=0.5'], ['de, en;q=0.5']],
    ['accept-language', ['en;q=0'], ['en']],
    // Not the field's grammar: nobody knows what it means.
    ['accept-language', ['en;q=2, de'], ['de, en;q=2']],
    ['accept-language', ['e_n, de'], ['de, e_n']],
    ['accept-language', ['en;q=0.1, en;q=0.2'], ['en;q=0.2, en;q=0.1']],
    ['accept-encoding', [''], []],
    ['accept-encoding', ['gzip'], ['gzip;q=0']],
    ['accept', ['text/html;a=B'], ['text/html;a=b']],
    ['accept', ['text/html;q=0.5;a=b'], ['text/html;a=b;q=0.5']],
  ]
  for (const [name, a, b] of other) {
    it(`${name}: ${a.join(' | ')} and ${b.join(' | ')}`, () => {
      assert.notEqual(selectingValue(name, a), selectingValue(name, b))
    })
  }
})

describe('the form of a value', () => {
  const names = fc.constantFrom('foo', 'accept', 'accept-language', 'accept-encoding', 'accept-charset', 'user-agent')
  const value = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'aZ1*/-;=q0.,"\\ \t') }))

  it('is its own form', () => {
    fc.assert(
      fc.property(names, fc.array(value, { minLength: 1, maxLength: 3 }), (name, lines) => {
        const made = selectingValue(name, lines) as string
        assert.equal(selectingValue(name, [made]), made)
      }),
      { numRuns: 2_000 },
    )
  })

  const tag = fc.constantFrom('en', 'de', 'fr', 'en-GB', 'zh-Hant', '*')
  const weighted = fc.uniqueArray(fc.tuple(tag, fc.integer({ min: 0, max: 1000 })), {
    selector: ([name]) => name,
    minLength: 1,
  })
  it('depends neither on order, case nor spaces of languages, but on every weight', () => {
    fc.assert(
      fc.property(weighted, fc.array(fc.nat(), { minLength: 6, maxLength: 6 }), (ranges, random) => {
        const write = ([name, weight]: readonly [string, number], spaces: string) =>
          `${name}${spaces};${spaces}q=${(weight / 1000).toFixed(3)}`
        const plain = ranges.map((range) => write(range, '')).join(',')
        const shuffled = ranges
          .map((range, at) => ({ text: write(range, ' ').toUpperCase(), rank: random[at] ?? 0 }))
          .sort((x, y) => x.rank - y.rank)
          .map(({ text }) => text)
          .join(' , ')
        assert.equal(selectingValue('accept-language', [plain]), selectingValue('accept-language', [shuffled]))
        const heavier = ranges.map(([name, weight]) => write([name, (weight + 1) % 1001], '')).join(',')
        assert.notEqual(selectingValue('accept-language', [plain]), selectingValue('accept-language', [heavier]))
      }),
    )
  })

  it('of a long value is found in linear time', () => {
    const long = `${'a,'.repeat(16_000)}${' '.repeat(32_000)}x"`
    const started = process.cpuUsage()
    for (const name of ['foo', 'accept', 'accept-language']) selectingValue(name, [long, long])
    // Quadratic work over 96 KB would take seconds.
    assert.ok(process.cpuUsage(started).user < 2_000_000)
  })
})

describe('the language of choice', () => {
  const rows: readonly [lines: readonly string[], language: string | null][] = [
    [['fr;q=0.5, de;q=1.0'], 'de'],
    [['DE-at'], 'de-at'],
    [['en;q=0.3', 'de;q=0.4'], 'de'],
    [['en, de'], null],
    [['en;q=0'], null],
    [['*, en;q=0.9'], null],
    [['en;q=x'], null],
    [[''], null],
    [[], null],
  ]
  for (const [lines, language] of rows) {
    it(`of ${lines.join(' | ')}`, () => assert.equal(preferredLanguage(lines), language))
  }

  it('is compared with one Content-Language', () => {
    assert.equal(soleLanguage(['De']), 'de')
    for (const lines of [['de, en'], ['de', 'en'], [], [''], ['*']]) assert.equal(soleLanguage(lines), null)
  })
})
