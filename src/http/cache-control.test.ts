import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCacheControl, parseRequestControl, type RequestControl, SECONDS_MAX } from './cache-control.ts'

const NOTHING = parseCacheControl([])

/** Each row: the header's lines, and what differs from an absent header. */
const ROWS: readonly (readonly [lines: readonly string[], differs: Partial<ReturnType<typeof parseCacheControl>>])[] = [
  [[''], {}],
  [['max-age=60'], { maxAge: 60 }],
  [['Max-Age=60'], { maxAge: 60 }],
  [['max-age="60"'], { maxAge: 60 }],
  [['  max-age = 60 ,, public '], { maxAge: 60, isPublic: true }],
  [['max-age=60', 's-maxage=5'], { maxAge: 60, sMaxage: 5 }],
  [['max-age=60, max-age=30'], { maxAge: 30 }],
  [['max-age'], { maxAge: 0 }],
  [['max-age='], { maxAge: 0 }],
  [['max-age=-1'], { maxAge: 0 }],
  [['max-age=1.5'], { maxAge: 0 }],
  [['max-age=1e3'], { maxAge: 0 }],
  [['max-age=99999999999999999999999'], { maxAge: SECONDS_MAX }],
  [['no-store'], { noStore: true }],
  [['NO-CACHE'], { noCache: true }],
  [['no-cache="Set-Cookie, X-A"'], { withoutFields: ['set-cookie', 'x-a'] }],
  [['no-cache="", private=" , "'], { noCache: true, isPrivate: true }],
  [['private="X-B", max-age=1'], { withoutFields: ['x-b'], maxAge: 1 }],
  [['private'], { isPrivate: true }],
  [['ext="a, no-store, b", max-age=7'], { maxAge: 7 }],
  [['ext="a\\", no-store", max-age=7'], { maxAge: 7 }],
  [['ext="never closed, no-store'], {}],
  [['="x", no-store'], { noStore: true }],
  [['must-revalidate'], { mustRevalidate: true }],
  [['proxy-revalidate'], { proxyRevalidate: true }],
  [['must-understand, no-store'], { mustUnderstand: true, noStore: true }],
  [['stale-while-revalidate=9, stale-if-error=8'], { staleWhileRevalidate: 9, staleIfError: 8 }],
  [['constructor, __proto__=1, toString'], {}],
] // biome-ignore format: a table

for (const [lines, differs] of ROWS) {
  test(`Cache-Control: ${lines.join(' | ')}`, () => {
    assert.deepEqual(parseCacheControl(lines), { ...NOTHING, ...differs })
  })
}

const ASKS_NOTHING = parseRequestControl([])

/** Each row: the lines of a request, and what differs from none. */
const REQUESTS: readonly (readonly [lines: readonly string[], differs: Partial<RequestControl>])[] = [
  [['nothing-to-see-here'], {}],
  [['No-Store', 'no-cache'], { noStore: true, noCache: true }],
  [['max-age=0, only-if-cached'], { maxAge: 0, onlyIfCached: true }],
  [['max-age=soon'], { maxAge: 0 }],
  [['min-fresh=5, min-fresh=3'], { minFresh: 5 }],
  [['min-fresh'], { minFresh: SECONDS_MAX }],
  [['max-stale'], { maxStale: Number.POSITIVE_INFINITY }],
  [['max-stale=10'], { maxStale: 10 }],
  [['max-stale=ten'], { maxStale: 0 }],
  [['max-stale, max-stale=10'], { maxStale: 10 }],
  [['stale-if-error=7'], { staleIfError: 7 }],
] // biome-ignore format: a table

for (const [lines, differs] of REQUESTS) {
  test(`Cache-Control of a request: ${lines.join(' | ')}`, () => {
    assert.deepEqual(parseRequestControl(lines), { ...ASKS_NOTHING, ...differs })
  })
}

test('a hostile value does not take long', () => {
  const hostile = `${'a="'.repeat(5_000)}${'\\'.repeat(5_000)}${' ,='.repeat(5_000)}`
  const before = process.cpuUsage()
  parseCacheControl([hostile])
  assert.ok(process.cpuUsage(before).user < 1_000_000)
})
