import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyCharacter } from '../../test/support/any-character.ts'
import { contentRange, parseContentRange, parseRange, RANGES_MAX, resolveRange } from './range.ts'

const number = fc.oneof(fc.nat(40), fc.constantFrom(2 ** 31, 2 ** 53, '9'.repeat(40), '007'))
const spec = fc.oneof(
  fc.tuple(number, number).map(([first, last]) => `${first}-${last}`),
  number.map((first) => `${first}-`),
  number.map((suffix) => `-${suffix}`),
)
const blank = fc.constantFrom('', '', ' ', '\t ')
const header = fc
  .array(
    fc.tuple(blank, spec, blank).map((parts) => parts.join('')),
    { minLength: 1, maxLength: 5 },
  )
  .map((specs) => `bytes=${specs.join(',')}`)
const hostile = fc.oneof(
  fc.string(),
  fc.string({ unit: anyCharacter }).map((text) => `bytes=${text}`),
  fc.array(fc.constantFrom('0', '1', '9', '-', ',', ' ', '\t', '=', 'bytes=', 'x', '\0'), { maxLength: 40 }).map((parts) => `bytes=${parts.join('')}`),
) // biome-ignore format: one line a kind

test('reading a Range never throws, and what it reads is in order and bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(header, hostile), { maxLength: 3 }), (values) => {
      const specs = parseRange(values)
      if (specs === null) return
      assert.equal(values.length, 1)
      assert.ok(specs.length >= 1 && specs.length <= RANGES_MAX)
      for (const one of specs) {
        if ('suffix' in one) assert.ok(one.suffix >= 0)
        else assert.ok(one.first >= 0 && one.last >= one.first && Number.isSafeInteger(one.first))
      }
    }),
  )
})

test('whatever is asked of whatever length, the parts are within it, ascending and apart', () => {
  fc.assert(
    fc.property(header, fc.nat(30), (value, length) => {
      const specs = parseRange([value])
      if (specs === null) return
      const resolved = resolveRange(specs, length)
      if (resolved.kind !== 'parts') return
      let end = -1
      for (const range of resolved.ranges) {
        assert.ok(range.first > end && range.last >= range.first && range.last < length)
        end = range.last
        assert.deepEqual(parseContentRange(contentRange(range, length)), { ...range, length })
      }
    }),
  )
})

/** Numbers beyond 2^53 - 1 mean that. */
const position = (digits: string): number => Math.min(Number(digits), Number.MAX_SAFE_INTEGER)

/** What RFC 9110 14.1.2 says a range is, written another way: the indexes that satisfy it. */
function indexes(text: string, length: number): number[] {
  const [first = '', last = ''] = text.trim().split('-')
  const all = [...Array(length).keys()]
  if (first === '') return all.slice(Math.max(0, length - Number(last)))
  return all.filter((at) => at >= Number(first) && (last === '' || at <= Number(last)))
}

test('one range is the bytes that slicing gives, or 416 when there are none', () => {
  fc.assert(
    fc.property(spec, fc.nat(50), (text, length) => {
      const specs = parseRange([`bytes=${text}`])
      const [first = '', last = ''] = text.split('-')
      if (first !== '' && last !== '' && position(last) < position(first)) return assert.equal(specs, null)
      const resolved = resolveRange(specs ?? [], length)
      const wanted = indexes(text, length)
      if (wanted.length > 0) {
        assert.deepEqual(resolved, { kind: 'parts', ranges: [{ first: wanted[0], last: wanted.at(-1) }] })
      } else {
        assert.equal(resolved.kind, length === 0 && first === '' && Number(last) > 0 ? 'whole' : 'unsatisfiable')
      }
    }),
  )
})

test('Content-Range: any text is read or refused, never thrown at', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `bytes ${text}`),
      ),
      (text) => {
        const range = parseContentRange(text)
        if (range !== null) assert.ok(range.last >= range.first && (range.length === null || range.last < range.length))
      },
    ),
  )
})
