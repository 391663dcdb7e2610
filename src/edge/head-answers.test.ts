import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HeadOf, headOf } from './head-answers.ts'

const STORED = { etag: '"a"', lastModified: 'Sun, 06 Nov 1994 08:49:37 GMT', length: 36 }

const ROWS: readonly (readonly [headers: readonly string[], stored: Partial<typeof STORED>, of: HeadOf])[] = [
  [[], {}, 'unknown'],
  [['ETag', '"a"'], {}, 'the-stored'],
  [['ETag', 'W/"a"'], {}, 'another'],
  [['ETag', '"a"'], { etag: '' }, 'another'],
  [['ETag', '"a"', 'Content-Length', '37'], {}, 'another'],
  [['Content-Length', '36'], {}, 'the-stored'],
  [['Last-Modified', STORED.lastModified], {}, 'the-stored'],
  [['Last-Modified', 'Sun, 06 Nov 1994 08:49:38 GMT', 'Content-Length', '36'], {}, 'another'],
] // biome-ignore format: a table

for (const [headers, stored, of] of ROWS) {
  test(`HEAD with ${headers.join(' ')}: ${of}`, () => assert.equal(headOf(headers, { ...STORED, ...stored }), of))
}
