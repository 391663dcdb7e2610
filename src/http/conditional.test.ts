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

const NOW = Date.UTC(2026, 10, 21)
const OLD = 'Sun, 06 Nov 1994 08:49:37 GMT'
const NEW = 'Mon, 07 Nov 1994 08:49:37 GMT'

const NONE: Conditions = { ifMatch: null, ifUnmodifiedSince: null, ifNoneMatch: null, ifModifiedSince: null }

const ROWS: readonly (readonly [noneMatch: readonly string[], since: string | undefined, etag: string | undefined, modified: string | undefined, expected: boolean])[] = [
  [[], undefined, '"a"', OLD, false],
  [['"a"'], undefined, '"a"', undefined, true],
  [['W/"a"'], undefined, '"a"', undefined, true],
  [['"a"'], undefined, 'W/"a"', undefined, true],
  [['"b", "a"'], undefined, '"a"', undefined, true],
  [['"b"', '"a"'], undefined, '"a"', undefined, true],
  [['"x,"a"y"'], undefined, '"b"', undefined, false],
  [['"a,b"'], undefined, '"a,b"', undefined, true],
  [['"b"'], undefined, '"a"', undefined, false],
  [['a'], undefined, 'a', undefined, false],
  [['*'], undefined, undefined, undefined, true],
  [['"a"'], undefined, undefined, OLD, false],
  // If-None-Match counts alone (RFC 9110 13.1.3).
  [['"b"'], NEW, '"a"', OLD, false],
  [[], OLD, undefined, OLD, true],
  [[], NEW, undefined, OLD, true],
  [[], OLD, undefined, NEW, false],
  [[], 'yesterday', undefined, OLD, false],
  [[], OLD, '"a"', undefined, false],
] // biome-ignore format: a table

for (const [noneMatch, since, etag, lastModified, expected] of ROWS) {
  test(`If-None-Match ${noneMatch.join(' | ')} If-Modified-Since ${since} for ${etag} ${lastModified}`, () => {
    const asked = {
      ...NONE,
      ifNoneMatch: noneMatch.length === 0 ? null : noneMatch.join(', '),
      ifModifiedSince: since ?? null,
    }
    assert.equal(evaluateConditions(asked, { etag, lastModified }, NOW) === 'not-modified', expected)
  })
}

const PRECONDITIONS: readonly (readonly [asked: Partial<Conditions>, etag: string | undefined, modified: string | undefined, expected: string])[] = [
  [{ ifMatch: '"a"' }, '"a"', undefined, 'proceed'],
  [{ ifMatch: '"b", "a"' }, '"a"', undefined, 'proceed'],
  [{ ifMatch: '*' }, undefined, undefined, 'proceed'],
  [{ ifMatch: '"b"' }, '"a"', undefined, 'precondition-failed'],
  [{ ifMatch: '"a"' }, undefined, OLD, 'precondition-failed'],
  [{ ifMatch: '' }, '"a"', undefined, 'precondition-failed'],
  // Strong comparison: a weak tag on either side never matches.
  [{ ifMatch: 'W/"a"' }, '"a"', undefined, 'precondition-failed'],
  [{ ifMatch: '"a"' }, 'W/"a"', undefined, 'precondition-failed'],
  [{ ifMatch: 'W/"a"' }, 'W/"a"', undefined, 'precondition-failed'],
  [{ ifUnmodifiedSince: OLD }, undefined, OLD, 'proceed'],
  [{ ifUnmodifiedSince: OLD }, undefined, NEW, 'precondition-failed'],
  [{ ifUnmodifiedSince: 'once' }, undefined, NEW, 'proceed'],
  [{ ifUnmodifiedSince: OLD }, '"a"', undefined, 'proceed'],
  // If-Match alone decides where both came.
  [{ ifMatch: '"a"', ifUnmodifiedSince: OLD }, '"a"', NEW, 'proceed'],
  [{ ifMatch: '"b"', ifUnmodifiedSince: NEW }, '"a"', OLD, 'precondition-failed'],
  // The first two come before the others.
  [{ ifMatch: '"b"', ifNoneMatch: '"a"' }, '"a"', undefined, 'precondition-failed'],
  [{ ifMatch: '"a"', ifNoneMatch: '"a"' }, '"a"', undefined, 'not-modified'],
  [{ ifUnmodifiedSince: NEW, ifModifiedSince: NEW }, undefined, OLD, 'not-modified'],
  [{}, '"a"', OLD, 'proceed'],
] // biome-ignore format: a table

for (const [asked, etag, lastModified, expected] of PRECONDITIONS) {
  test(`${JSON.stringify(asked)} for ${etag} ${lastModified}: ${expected}`, () => {
    assert.equal(evaluateConditions({ ...NONE, ...asked }, { etag, lastModified }, NOW), expected)
  })
}

const IF_RANGE: readonly (readonly [value: string, etag: string | undefined, modified: string | undefined, date: string | undefined, holds: boolean])[] = [
  ['"a"', '"a"', undefined, undefined, true],
  ['"a" ', '"a"', undefined, undefined, true],
  ['"b"', '"a"', undefined, undefined, false],
  ['W/"a"', 'W/"a"', undefined, undefined, false],
  ['"a"', 'W/"a"', undefined, undefined, false],
  ['"a"', undefined, OLD, NEW, false],
  ['"a", "b"', '"a"', undefined, undefined, false],
  ['*', '"a"', undefined, undefined, false],
  [OLD, undefined, OLD, NEW, true],
  // Not older or newer, but the same; and old enough to be strong.
  [NEW, undefined, OLD, NEW, false],
  [OLD, undefined, NEW, NEW, false],
  [OLD, undefined, OLD, OLD, false],
  [OLD, undefined, OLD, undefined, false],
  ['yesterday', undefined, 'yesterday', NEW, false],
] // biome-ignore format: a table

for (const [value, etag, lastModified, date, holds] of IF_RANGE) {
  test(`If-Range: ${value} for ${etag} ${lastModified} of ${date}: ${holds}`, () => {
    assert.equal(ifRangeHolds(value, { etag, lastModified }, date, NOW), holds)
  })
}

test('no value of a condition throws', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (value, etag, lastModified) => {
      const asked = { ifMatch: value, ifUnmodifiedSince: value, ifNoneMatch: value, ifModifiedSince: value }
      evaluateConditions(asked, { etag, lastModified }, NOW)
      ifRangeHolds(value, { etag, lastModified }, value, NOW)
    }),
  )
})

test('without Last-Modified the date of the stored answer counts', () => {
  const stored = { etag: undefined, lastModified: undefined, date: OLD }
  assert.equal(evaluateConditions({ ...NONE, ifModifiedSince: NEW }, stored, NOW), 'not-modified')
  assert.equal(evaluateConditions({ ...NONE, ifModifiedSince: OLD }, { ...stored, date: NEW }, NOW), 'proceed')
  assert.equal(evaluateConditions({ ...NONE, ifModifiedSince: OLD }, { ...stored, lastModified: NEW }, NOW), 'proceed')
  // It says that a copy is not newer; that the object has not changed since, it does not say.
  assert.equal(evaluateConditions({ ...NONE, ifUnmodifiedSince: OLD }, { ...stored, date: NEW }, NOW), 'proceed')
})

test('revalidation asks with what is stored', () => {
  assert.deepEqual(revalidationHeaders({ etag: '"a"', lastModified: OLD }), [
    'If-None-Match',
    '"a"',
    'If-Modified-Since',
    OLD,
  ])
  assert.deepEqual(revalidationHeaders({ etag: undefined, lastModified: undefined }), [])
})

test('a 304 replaces fields of its names but none that describe the stored body', () => {
  const stored = ['ETag', '"a"', 'X', '1', 'x', '2', 'Content-MD5', 'a==', 'Cache-Control', 'max-age=1']
  const fresh = ['cache-control', 'max-age=9', 'X', '3', 'Content-MD5', 'b==', 'Content-Length', '0', 'New', 'n']
  assert.deepEqual(mergeNotModified(stored, [...fresh, 'Content-Type', 'text/css', 'Etag', '"b"']), [
    ...['ETag', '"a"', 'Content-MD5', 'a==', 'cache-control', 'max-age=9', 'X', '3', 'New', 'n'],
    ...['Content-Type', 'text/css'],
  ])
})

test('a 304 to the viewer has the fields that a cache needs', () => {
  assert.deepEqual(notModifiedHeaders(['Content-Type', 'a', 'ETag', '"a"', 'Vary', 'x', 'vary', 'y']), [
    ...['etag', '"a"', 'vary', 'x', 'vary', 'y'],
  ])
})
