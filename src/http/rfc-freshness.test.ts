import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideFreshness, type FreshnessReason } from './freshness.ts'
import { formatHttpDate } from './http-date.ts'
import { decideRfcFreshness, type RfcAnswer } from './rfc-freshness.ts'

const NOW = Date.UTC(2026, 10, 21, 4, 0, 0)
const at = (seconds: number): string => formatHttpDate(NOW + seconds * 1_000)

interface Sent extends Partial<Omit<RfcAnswer, 'cacheControl' | 'cdnCacheControl' | 'vary'>> {
  readonly cc?: string
  readonly cdn?: string
  readonly vary?: string
}

function decide({ cc, cdn, vary, ...rest }: Sent, policy = { minTtl: 0, defaultTtl: 0, maxTtl: 31_536_000 }) {
  const lines = (text: string | undefined) => (text === undefined ? [] : [text])
  const answer: RfcAnswer = {
    status: 200,
    expires: undefined,
    age: undefined,
    date: at(0),
    lastModified: undefined,
    authorized: false,
    delayMs: 0,
    ...rest,
    cacheControl: lines(cc),
    cdnCacheControl: lines(cdn),
    vary: lines(vary),
  }
  return decideRfcFreshness(answer, policy, NOW)
}

const kept = (what: Sent) => {
  const { storable, ttlSeconds, reason } = decide(what)
  return [storable ? ttlSeconds : 'not stored', reason]
}

const ROWS: readonly (readonly [what: Sent, outcome: readonly [number | 'not stored', FreshnessReason]])[] = [
  // Explicit lifetimes (RFC 9111 4.2.1).
  [{ cc: 's-maxage=70, max-age=60' }, [70, 's-maxage']],
  [{ cc: 'max-age=60', expires: at(100) }, [60, 'max-age']],
  [{ expires: at(100) }, [100, 'expires']],
  [{ expires: at(100), date: at(50) }, [50, 'expires']],
  [{ expires: at(100), date: undefined }, [100, 'expires']],
  [{ expires: at(100), date: 'yesterday' }, [100, 'expires']],
  [{ expires: at(-1) }, [0, 'expires']],
  [{ expires: '0' }, [0, 'expires']],
  [{ cc: 'max-age=soon', expires: at(100) }, [0, 'max-age']],
  [{ cc: 'max-age=60, max-age=30' }, [30, 'max-age']],
  // Age (4.2.3, 5.1).
  [{ cc: 'max-age=60', age: '45' }, [15, 'max-age']],
  [{ cc: 'max-age=60', age: '45, 0' }, [15, 'max-age']],
  [{ cc: 'max-age=60', age: 'old' }, [60, 'max-age']],
  [{ cc: 'max-age=60', age: '40', delayMs: 5_500 }, [15, 'max-age']],
  [{ cc: 'max-age=60', date: at(-20) }, [40, 'max-age']],
  [{ cc: 'max-age=60', date: at(-1) }, [60, 'max-age']],
  [{ cc: 'max-age=60', date: at(-20), age: '30' }, [30, 'max-age']],
  [{ cc: 'max-age=60', date: at(20) }, [60, 'max-age']],
  [{ expires: at(100), age: '101' }, [0, 'expires']],
  [{ cc: 'max-age=99999999999' }, [31_536_000, 'max-ttl']],
  // Heuristics (4.2.2).
  [{ lastModified: at(-1_000) }, [100, 'heuristic']],
  [{ lastModified: at(-1_000), age: '40' }, [60, 'heuristic']],
  [{ lastModified: at(-1e8) }, [86_400, 'heuristic']],
  [{ lastModified: at(10) }, [0, 'heuristic']],
  [{ lastModified: 'long ago' }, [0, 'no-cache']],
  [{}, [0, 'no-cache']],
  [{ status: 404, lastModified: at(-1_000) }, [100, 'heuristic']],
  [{ status: 201, lastModified: at(-1_000) }, ['not stored', 'status-not-cacheable']],
  [{ status: 503, lastModified: at(-1_000) }, ['not stored', 'status-not-cacheable']],
  [{ status: 599, lastModified: at(-1_000), cc: 'public' }, [100, 'heuristic']],
  [{ status: 200, lastModified: at(-1_000), cc: 'max-age=0' }, [0, 'max-age']],
  // Any final status with a lifetime (3).
  [{ status: 299, cc: 'max-age=60' }, [60, 'max-age']],
  [{ status: 400, expires: at(100) }, [100, 'expires']],
  [{ status: 503, cc: 'max-age=60' }, [60, 'max-age']],
  [{ status: 599, cc: 'max-age=60' }, [60, 'max-age']],
  [{ status: 599, cc: 'max-age=60, must-understand' }, ['not stored', 'must-understand']],
  [{ status: 200, cc: 'max-age=60, must-understand, no-store' }, [60, 'max-age']],
  [{ status: 206, cc: 'max-age=60' }, ['not stored', 'partial-content']],
  [{ status: 304, cc: 'max-age=60' }, ['not stored', 'status-not-cacheable']],
  // What forbids.
  [{ cc: 'no-store, max-age=60' }, ['not stored', 'no-store']],
  [{ cc: 'private, max-age=60' }, ['not stored', 'private']],
  [{ cc: 'private="x-a", max-age=60' }, [60, 'max-age']],
  [{ cc: 'no-cache, max-age=60' }, [0, 'no-cache']],
  [{ cc: 'no-cache="x-a", max-age=60' }, [60, 'max-age']],
  [{ cc: 'max-age=60', vary: 'Foo, *' }, ['not stored', 'vary-star']],
  // Authorization (3.5).
  [{ authorized: true, cc: 'max-age=60' }, ['not stored', 'authorization']],
  [{ authorized: true, cc: 'max-age=60, proxy-revalidate' }, ['not stored', 'authorization']],
  [{ authorized: true, cc: 'max-age=60, public' }, [60, 'max-age']],
  [{ authorized: true, cc: 'max-age=60, must-revalidate' }, [60, 'max-age']],
  [{ authorized: true, cc: 's-maxage=60' }, [60, 's-maxage']],
  // CDN-Cache-Control (RFC 9213).
  [{ cdn: 'max-age=60', cc: 'max-age=10, no-store' }, [60, 'cdn-cache-control']],
  [{ cdn: 'max-age=60', expires: '0' }, [60, 'cdn-cache-control']],
  [{ cdn: 'max-age=60', age: '50' }, [10, 'cdn-cache-control']],
  [{ cdn: 'max-age=0', expires: at(100) }, [0, 'cdn-cache-control']],
  [{ cdn: 'private', cc: 'max-age=60' }, ['not stored', 'private']],
  [{ cdn: 'no-cache', cc: 'max-age=60' }, [0, 'no-cache']],
  [{ cdn: 'foo', cc: 'max-age=60', expires: at(100) }, [0, 'no-cache']],
  [{ cdn: '', cc: 'max-age=60' }, [60, 'max-age']],
  [{ cdn: 'max-age=100, &&', cc: 'no-store' }, ['not stored', 'no-store']],
  [{ cdn: 'max-age="100"', cc: 'max-age=60' }, [60, 'max-age']],
] // biome-ignore format: a table

for (const [what, outcome] of ROWS) {
  test(`strict: ${JSON.stringify(what)}`, () => assert.deepEqual(kept(what), outcome))
}

test('of the policy only Max TTL counts, and all TTLs zero turn caching off', () => {
  const policy = { minTtl: 50, defaultTtl: 500, maxTtl: 1_000 }
  assert.equal(decide({ cc: 'max-age=10' }, policy).ttlSeconds, 10)
  assert.equal(decide({}, policy).ttlSeconds, 0)
  assert.equal(decide({ cc: 'no-store' }, policy).storable, false)
  assert.equal(decide({ cc: 'max-age=2000' }, policy).ttlSeconds, 1_000)
  assert.equal(decide({ cc: 'max-age=60' }, { minTtl: 0, defaultTtl: 0, maxTtl: 0 }).reason, 'caching-disabled')
})

test('what may be served stale', () => {
  const forbidden = (cc: string) => decide({ cc }).staleForbidden
  for (const cc of ['no-cache', 'must-revalidate', 'proxy-revalidate', 's-maxage=2']) assert.ok(forbidden(cc), cc)
  for (const cc of ['max-age=2', 'max-age=2, no-cache="x"', 'public']) assert.ok(!forbidden(cc), cc)
  const { staleIfErrorSeconds, staleWhileRevalidateSeconds } = decide({
    cdn: 'max-age=1, stale-if-error=5, stale-while-revalidate=6',
    cc: 'stale-if-error=7',
  })
  assert.deepEqual([staleIfErrorSeconds, staleWhileRevalidateSeconds], [5, 6])
})

test('whatever an origin sends, it is kept for whole seconds up to Max TTL, and an older answer never longer', () => {
  const text = fc.option(fc.string(), { nil: undefined })
  const date = fc.option(
    fc.oneof(
      fc.string(),
      fc.integer({ min: -1e9, max: 1e9 }).map((seconds) => at(seconds)),
    ),
    { nil: undefined },
  )
  const control = fc.oneof(
    fc.string(),
    fc.nat().map((n) => `max-age=${n}`),
  )
  const sent = fc.record({
    status: fc.integer({ min: 100, max: 599 }),
    cc: control,
    cdn: fc.option(control, { nil: undefined }),
    vary: text,
    expires: date,
    date,
    lastModified: date,
    authorized: fc.boolean(),
    delayMs: fc.nat(100_000),
  })
  fc.assert(
    fc.property(sent, fc.nat(1e6), fc.nat(1e6), fc.nat(1e9), (what, age, more, maxTtl) => {
      const policy = { minTtl: 0, defaultTtl: 0, maxTtl }
      const young = decide({ ...what, age: `${age}` }, policy)
      const old = decide({ ...what, age: `${age + more}` }, policy)
      assert.ok(Number.isInteger(young.ttlSeconds) && young.ttlSeconds >= 0 && young.ttlSeconds <= maxTtl)
      assert.ok(young.storable || young.ttlSeconds === 0)
      assert.ok(Number.isInteger(young.ageSeconds) && young.ageSeconds >= age)
      assert.ok(old.ttlSeconds <= young.ttlSeconds)
    }),
  )
})

test('where CloudFront and the RFCs agree, so do the two deciders', () => {
  const directive = fc.oneof(
    fc.tuple(fc.constantFrom('max-age', 's-maxage', 'MAX-AGE'), fc.nat(100_000)).map((pair) => pair.join('=')),
    fc.constantFrom('public', 'private', 'no-store', 'no-cache', 'must-revalidate', 'x="max-age=9"', 'max-age=soon'),
    fc.constantFrom('no-cache="a, b"', 'private="c"', 'stale-if-error=5', 'stale-while-revalidate=6', 'immutable'),
  )
  const sent = fc.record({
    cc: fc.array(directive, { maxLength: 4 }).map((all) => all.join(', ')),
    age: fc.option(fc.nat(1_000).map(String), { nil: undefined }),
    vary: fc.constantFrom(undefined, 'Foo', '*'),
  })
  fc.assert(
    fc.property(sent, fc.integer({ min: 1, max: 50_000 }), (what, maxTtl) => {
      const policy = { minTtl: 0, defaultTtl: 0, maxTtl }
      const strict = decide(what, policy)
      const { cc, age, vary } = what
      const answer = {
        status: 200,
        cacheControl: [cc],
        expires: undefined,
        age,
        vary: vary === undefined ? [] : [vary],
      }
      const plain = decideFreshness(answer, policy, NOW)
      const facts = ({ ttlSeconds, storable, ageSeconds, withoutFields }: typeof plain) => [
        ...[ttlSeconds, storable, ageSeconds],
        ...withoutFields,
      ]
      assert.deepEqual(facts(strict), facts(plain))
    }),
  )
})
