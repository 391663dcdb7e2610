import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CacheControl, parseCacheControl, SECONDS_MAX } from './cache-control.ts'
import { parseTargeted } from './rfc-targeted.ts'

const NOTHING = parseCacheControl([])

/** Null: as if the field were not there. */
const ROWS: readonly (readonly [lines: readonly string[], differs: Partial<CacheControl> | null])[] = [
  [[], null],
  [[''], null],
  [['max-age=60'], { maxAge: 60 }],
  [['max-age=60', 'no-cache'], { maxAge: 60, noCache: true }],
  [['foobar, max-age=3600'], { maxAge: 3_600 }],
  [['max-age=99999999999'], { maxAge: SECONDS_MAX }],
  [['foo'], {}],
  [['no-store=?0'], {}],
  [['private, must-revalidate'], { isPrivate: true, mustRevalidate: true }],
  [['no-cache="Set-Cookie"'], { withoutFields: ['set-cookie'] }],
  [['stale-if-error=5, stale-while-revalidate=6;p'], { staleIfError: 5, staleWhileRevalidate: 6 }],
  [['max-age="60"'], null],
  [['max-age=60.0'], null],
  [['max-age=-1'], null],
  [['max-age'], null],
  [['max-age =60'], null],
  [['Max-Age=60'], null],
  [['no-store=1'], null],
  [['max-age=60, &&&&'], null],
] // biome-ignore format: a table

for (const [lines, differs] of ROWS) {
  test(`CDN-Cache-Control: ${lines.join(' | ')}`, () => {
    assert.deepEqual(parseTargeted(lines), differs === null ? null : { ...NOTHING, ...differs })
  })
}
