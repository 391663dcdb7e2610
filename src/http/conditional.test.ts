import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNotModified, mergeNotModified, notModifiedHeaders, revalidationHeaders } from './conditional.ts'

const NOW = Date.UTC(2026, 10, 21)
const OLD = 'Sun, 06 Nov 1994 08:49:37 GMT'
const NEW = 'Mon, 07 Nov 1994 08:49:37 GMT'

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
    assert.equal(isNotModified(noneMatch, since, { etag, lastModified }, NOW), expected)
  })
}

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
  const stored = ['ETag', '"a"', 'X', '1', 'x', '2', 'Content-Type', 'text/css', 'Cache-Control', 'max-age=1']
  const fresh = ['cache-control', 'max-age=9', 'X', '3', 'Content-Type', 'text/html', 'Content-Length', '0', 'New', 'n']
  assert.deepEqual(mergeNotModified(stored, fresh), [
    ...['ETag', '"a"', 'Content-Type', 'text/css', 'cache-control', 'max-age=9', 'X', '3', 'New', 'n'],
  ])
})

test('a 304 to the viewer has the fields that a cache needs', () => {
  assert.deepEqual(notModifiedHeaders(['Content-Type', 'a', 'ETag', '"a"', 'Vary', 'x']), ['etag', '"a"', 'vary', 'x'])
})
