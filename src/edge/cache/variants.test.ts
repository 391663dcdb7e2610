import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  LISTS_MAX,
  languageText,
  listsIn,
  namesIn,
  packIndex,
  selects,
  unpackIndex,
  VARIANTS_MAX,
  type VariantIndex,
  variantKey,
  variantText,
  wantedLanguageText,
  withoutVariant,
  withVariant,
} from './variants.ts'

const from = (fields: Readonly<Record<string, readonly string[]>>) => (name: string) =>
  (Object.hasOwn(fields, name) ? fields[name] : undefined) ?? []

test('a variant is readable, and knows by which fields it was selected', () => {
  const text = variantText(['accept-language', 'bar', 'foo'], from({ 'accept-language': ['EN, de'], foo: [''] }))
  assert.equal(text, 'accept-language: de,en\nbar\nfoo: ')
  assert.deepEqual(namesIn(text), ['accept-language', 'bar', 'foo'])
  assert.equal(variantKey('E1 /a', text), 'E1 /a\n\naccept-language: de,en\nbar\nfoo: ')
  assert.deepEqual(namesIn(variantText([], from({}))), [])
  assert.equal(withoutVariant('E1 /a\nx-b: 1'), 'E1 /a\nx-b: 1')
  assert.equal(withoutVariant('E1 /a\nx-b: 1\n\nbar\nfoo: '), 'E1 /a\nx-b: 1')
  assert.equal(withoutVariant('E1 /a\n\nfoo: 1\n#slice 3 x'), 'E1 /a\n#slice 3 x')
})

test('what a request says of languages is never taken for the language of an answer', () => {
  const list = ['accept-language']
  for (const said of ['= de', '=de', 'de']) {
    const own = variantText(list, from({ 'accept-language': [said] }))
    assert.notEqual(languageText(list, from({}), 'de'), own, said)
  }
})

test('long values are told by a hash', () => {
  const long = (value: string) => variantText(['bar', 'foo'], from({ foo: [value.repeat(300)] }))
  assert.match(long('x'), /^sha256 [0-9a-f]{64} bar,foo$/)
  assert.notEqual(long('x'), long('y'))
  assert.deepEqual(namesIn(long('x')), ['bar', 'foo'])
  assert.ok(selects(long('x'), from({ foo: ['x'.repeat(300)] })))
  assert.ok(!selects(long('x'), from({ foo: [long('x')] })))
})

const name = fc.constantFrom('foo', 'bar', 'accept-language', 'sha256', '__proto__', 'x'.repeat(200))
const names = fc.uniqueArray(name, { minLength: 1 }).map((list) => list.sort())
const value = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ab:,= \t"\xe9'), maxLength: 6 }),
  fc.constantFrom('sha256 00 foo', 'foo: 1', '= de', 'x'.repeat(300)),
)
const fields = fc.dictionary(name, fc.array(value, { minLength: 1, maxLength: 2 }), { noNullPrototype: true })

test('two requests have one text only when each selects the variant of the other', () => {
  fc.assert(
    fc.property(names, names, fields, fields, (list, otherList, mine, yours) => {
      const a = variantText(list, from(mine))
      const b = variantText(otherList, from(yours))
      assert.deepEqual(namesIn(a), list)
      assert.ok(selects(a, from(mine)))
      if (a === b) {
        assert.deepEqual(list, otherList)
        assert.ok(selects(a, from(yours)) && selects(b, from(mine)))
      }
      // A language never stands where a request's own text could.
      assert.notEqual(languageText(list, from(mine), 'de'), b)
    }),
    { numRuns: 1_000 },
  )
})

test('the language of choice is as good as the languages that were asked for', () => {
  const list = ['accept-language', 'foo']
  const stored = languageText(list, from({ 'accept-language': ['en, de'], foo: ['1'] }), 'de')
  const wanted = (languages: string, foo: string) =>
    wantedLanguageText(list, from({ 'accept-language': [languages], foo: [foo] }))
  assert.equal(wanted('fr;q=0.5, de;q=1.0', '1'), stored)
  assert.notEqual(wanted('fr, de;q=0.9', '1'), stored)
  assert.notEqual(wanted('de', '2'), stored, 'another field selects too')
  assert.equal(wanted('de, fr', '1'), '', 'no choice')
  assert.equal(languageText(['foo'], from({ foo: ['1'] }), 'de'), '')
})

const variantOf = (list: string, at: number) => ({ variant: `${list}: ${at}`, language: '' })

test('an index keeps its limits, names what leaves, and survives packing', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(LISTS_MAX * 2), fc.nat(99)), { maxLength: 300 }), (stored) => {
      let index: VariantIndex | null = null
      const there = new Set<string>()
      for (const [list, at] of stored) {
        const added = variantOf(`x-${list}`, at)
        const change = withVariant(index, added)
        if (change !== null) {
          index = change.index
          there.add(added.variant)
          for (const left of change.left) assert.ok(there.delete(left), `${left} was there`)
        }
        assert.equal(index?.lists[0]?.join(), `x-${list}`)
        assert.ok(index.lists.length <= LISTS_MAX && index.variants.length <= VARIANTS_MAX)
        assert.deepEqual(new Set(index.variants.map(({ variant }) => variant)), there)
        assert.ok(there.has(added.variant))
      }
      if (index === null) return
      const packed = packIndex(index)
      assert.deepEqual(unpackIndex(packed), index)
      assert.deepEqual(listsIn(packed), index.lists)
    }),
    { numRuns: 50 },
  )
})

test('a variant that is stored again stays while others come and go', () => {
  let index: VariantIndex | null = null
  for (let at = 0; at < 500; at++) {
    index = withVariant(index, variantOf('foo', at))?.index ?? index
    index = withVariant(index, variantOf('foo', -1))?.index ?? index
  }
  assert.ok(index?.variants.some(({ variant }) => variant === 'foo: -1'))
})
