import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Conditions,
  evaluateConditions,
  ifRangeHolds,
  mergeNotModified,
  notModifiedHeaders,
  revalidationHeaders,
} from './conditional.ts'
import { allValues } from './headers.ts'
import { formatHttpDate } from './http-date.ts'

const NOW = Date.UTC(2026, 10, 21)
const opaque = fc.constantFrom('a', 'b', 'a,b', '', 'W/', '*', '\xe9', '\\')
const etag = fc.tuple(fc.boolean(), opaque).map(([weak, text]) => `${weak ? 'W/' : ''}"${text}"`)
const list = fc.oneof(
  fc.array(etag, { minLength: 1, maxLength: 4 }).map((tags) => tags.join(', ')),
  fc.constantFrom('*', ' * ', 'a', '"', '"a', 'a"', '*, "a"', '', ',', 'W/a', "'a'"),
  fc.string({ maxLength: 20 }),
)
const date = fc.oneof(
  fc.integer({ min: -5, max: 5 }).map((offset) => formatHttpDate(NOW + offset * 1000)),
  fc.constantFrom('0', 'x'),
  fc.string({ maxLength: 30 }),
)
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
const orNone = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const conditions: fc.Arbitrary<Conditions> = fc.record({
  ifMatch: orNull(list),
  ifUnmodifiedSince: orNull(date),
  ifNoneMatch: orNull(list),
  ifModifiedSince: orNull(date),
})
const stored = fc.record({
  etag: orNone(fc.oneof(etag, fc.string({ maxLength: 5 }))),
  lastModified: orNone(date),
  date: orNone(date),
})

test('any conditions on any object have an outcome; what takes precedence decides alone', () => {
  fc.assert(
    fc.property(conditions, stored, (asked, object) => {
      const outcome = evaluateConditions(asked, object, NOW)
      assert.ok(['proceed', 'not-modified', 'precondition-failed'].includes(outcome))
      // With If-None-Match the date of If-Modified-Since does not count, with If-Match that of If-Unmodified-Since.
      if (asked.ifNoneMatch !== null) {
        assert.equal(evaluateConditions({ ...asked, ifModifiedSince: null }, object, NOW), outcome)
      }
      if (asked.ifMatch !== null) {
        assert.equal(evaluateConditions({ ...asked, ifUnmodifiedSince: null }, object, NOW), outcome)
      }
      if (asked.ifMatch === null && asked.ifUnmodifiedSince === null) assert.notEqual(outcome, 'precondition-failed')
      if (asked.ifNoneMatch === null && asked.ifModifiedSince === null) assert.notEqual(outcome, 'not-modified')
    }),
    { numRuns: 2_000 },
  )
})

test('an object matches its own tag: weakly in If-None-Match always, in If-Match when the tag is strong', () => {
  const none: Conditions = { ifMatch: null, ifUnmodifiedSince: null, ifNoneMatch: null, ifModifiedSince: null }
  fc.assert(
    fc.property(etag, fc.array(etag, { maxLength: 3 }), fc.boolean(), (own, others, weakened) => {
      const object = { etag: own, lastModified: undefined }
      const sent = weakened && !own.startsWith('W/') ? `W/${own}` : own
      const tags = [...others, sent].join(',')
      assert.equal(evaluateConditions({ ...none, ifNoneMatch: tags }, object, NOW), 'not-modified')
      const strong = [...others, sent].some((tag) => tag === own && !own.startsWith('W/'))
      assert.equal(
        evaluateConditions({ ...none, ifMatch: tags }, object, NOW),
        strong ? 'proceed' : 'precondition-failed',
      )
      const strange = { etag: '"other"', lastModified: undefined }
      assert.equal(evaluateConditions({ ...none, ifNoneMatch: tags }, strange, NOW), 'proceed')
    }),
  )
})

test('If-Range: a part is given for the very tag or date, never for a weak or another one', () => {
  fc.assert(
    fc.property(fc.oneof(list, date), stored, orNone(date), (ifRange, object, made) => {
      if (!ifRangeHolds(ifRange, object, made, NOW)) return
      const value = ifRange.trim()
      if (value.startsWith('"')) assert.equal(value, object.etag)
      else assert.ok(!value.startsWith('W/') && object.lastModified !== undefined && made !== undefined)
    }),
    { numRuns: 2_000 },
  )
})

test('revalidation asks with what the object has, and nothing else', () => {
  fc.assert(
    fc.property(stored, (object) => {
      const headers = revalidationHeaders(object)
      assert.deepEqual(allValues(headers, 'if-none-match'), object.etag === undefined ? [] : [object.etag])
      assert.ok(headers.length <= 4)
    }),
  )
})

const NAMES = ['ETag', 'Content-Type', 'Content-Length', 'Content-Encoding', 'Cache-Control', 'X-A', 'x-a', 'Set-Cookie', 'Date', 'Vary'] // biome-ignore format: a list
const fields = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom('1', '2', '3')), { maxLength: 8 })
  .map((pairs) => pairs.flat())

test('merging a 304: its fields win, the others stay, what describes the stored bytes is never taken from it; twice is once', () => {
  fc.assert(
    fc.property(fields, fields, (before, fresh) => {
      const merged = mergeNotModified(before, fresh)
      assert.deepEqual(mergeNotModified(merged, fresh), merged)
      for (const name of ['content-length', 'content-encoding']) {
        assert.deepEqual(allValues(merged, name), allValues(before, name))
      }
      for (const name of ['cache-control', 'x-a', 'vary']) {
        const wanted = allValues(fresh, name)
        assert.deepEqual(allValues(merged, name), wanted.length > 0 ? wanted : allValues(before, name))
      }
      assert.ok(notModifiedHeaders(merged).length <= merged.length)
    }),
  )
})
