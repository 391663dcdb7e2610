import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideFreshness, type Freshness, type OriginAnswer, type TtlPolicy } from './freshness.ts'
import { formatHttpDate } from './http-date.ts'
import { decideRfcFreshness, type RfcAnswer } from './rfc-freshness.ts'

const NOW = Date.UTC(2026, 10, 21)

const seconds = fc.oneof(fc.nat(200), fc.constantFrom(0, 3_153_600_000))
/** Min <= Default <= Max is not required: a policy may be odd in each way that the API lets through. */
const policy: fc.Arbitrary<TtlPolicy> = fc
  .tuple(seconds, seconds, seconds)
  .map(([min, other, max]) => ({ minTtl: Math.min(min, max), defaultTtl: other, maxTtl: max }))

const number = fc.oneof(
  fc.integer({ min: -5, max: 300 }).map(String),
  fc.constantFrom('', 'x', '1.5', '9'.repeat(30), '"7"'),
)
const date = fc.oneof(
  fc.integer({ min: -400, max: 400 }).map((offset) => formatHttpDate(NOW + offset * 1000)),
  fc.constantFrom('0', '-1', 'never', 'Thu, 99 Foo 2026 00:00:00 GMT', 'Fri, 31 Dec 9999 23:59:59 GMT'),
  fc.string({ maxLength: 20 }),
)
const directive = fc.oneof(
  fc.constantFrom(
    'no-store',
    'no-cache',
    'private',
    'public',
    'must-revalidate',
    'must-understand',
    'no-cache="x"',
    '',
  ),
  fc
    .tuple(fc.constantFrom('max-age', 's-maxage', 'stale-if-error', 'stale-while-revalidate'), number)
    .map((pair) => pair.join('=')),
  fc.string({ maxLength: 10 }),
)
const lines = fc.array(
  fc.array(directive, { maxLength: 3 }).map((parts) => parts.join(', ')),
  { maxLength: 3 },
)
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const status = fc.oneof(
  fc.constantFrom(200, 204, 206, 301, 302, 304, 400, 403, 404, 410, 414, 416, 500, 503),
  fc.integer({ min: 100, max: 999 }),
)

const answer: fc.Arbitrary<RfcAnswer> = fc.record({
  status,
  cacheControl: lines,
  expires: optional(date),
  date: optional(date),
  age: optional(fc.oneof(number, fc.string({ maxLength: 8 }))),
  vary: fc.array(fc.constantFrom('*', 'Accept', 'x, *', ''), { maxLength: 2 }),
  lastModified: optional(date),
  cdnCacheControl: lines,
  authorized: fc.boolean(),
  delayMs: fc.nat(5_000),
})

function assertSane(freshness: Freshness, { maxTtl }: TtlPolicy): void {
  const { ttlSeconds, ageSeconds, storable, staleIfErrorSeconds, staleWhileRevalidateSeconds } = freshness
  assert.ok(Number.isInteger(ttlSeconds) && ttlSeconds >= 0, `${ttlSeconds} s`)
  assert.ok(Number.isInteger(ageSeconds) && ageSeconds >= 0 && ageSeconds <= 3_153_600_000)
  for (const window of [staleIfErrorSeconds, staleWhileRevalidateSeconds]) assert.ok(window === null || window >= 0)
  if (!storable) assert.equal(ttlSeconds, 0)
  // Default TTL is the policy's own word for what has no lifetime; Max TTL limits what the origin says.
  if (freshness.reason !== 'default-ttl') assert.ok(ttlSeconds <= maxTtl, `${freshness.reason}: ${ttlSeconds} s`)
}

test('whatever the origin says: a whole time, never negative, never beyond Max TTL', () => {
  fc.assert(
    fc.property(answer, policy, fc.nat(100), (given, ttls, errorMinTtl) => {
      assertSane(decideFreshness(given, ttls, NOW, errorMinTtl), ttls)
      assertSane(decideRfcFreshness(given, ttls, NOW), ttls)
    }),
    { numRuns: 2_000 },
  )
})

test('Min TTL above 0: whatever a success says, it is kept for that long at least, within Max TTL', () => {
  fc.assert(
    fc.property(answer, policy, (given, ttls) => {
      fc.pre(ttls.minTtl > 0 && given.status >= 200 && given.status < 400)
      fc.pre(given.status !== 206 && given.status !== 304)
      const { storable, ttlSeconds } = decideFreshness(given, ttls, NOW)
      assert.ok(storable && ttlSeconds >= ttls.minTtl)
    }),
  )
})

test('Min TTL 0: what forbids keeping is obeyed, whatever else is said', () => {
  fc.assert(
    fc.property(
      answer,
      policy,
      fc.constantFrom('no-store', 'private', 'NO-STORE', ' private '),
      (given, ttls, word) => {
        const free = { ...ttls, minTtl: 0 }
        const forbidding: OriginAnswer = { ...given, status: 200, cacheControl: [...given.cacheControl, word] }
        assert.equal(decideFreshness(forbidding, free, NOW).storable, false)
        const strict = { ...given, status: 200, cacheControl: forbidding.cacheControl, cdnCacheControl: [] }
        // must-understand with an understood status sets no-store aside (RFC 9111 5.2.2.3).
        fc.pre(!/must-understand/i.test(forbidding.cacheControl.join()))
        assert.equal(decideRfcFreshness(strict, ttls, NOW).storable, false)
      },
    ),
  )
})

test('of a plain max-age the time left is that minus Age, within the policy', () => {
  fc.assert(
    fc.property(fc.nat(500), fc.nat(500), policy, (maxAge, age, ttls) => {
      fc.pre(ttls.maxTtl > 0)
      const given = { status: 200, cacheControl: [`max-age=${maxAge}`], expires: undefined, age: `${age}`, vary: [] }
      const left = Math.max(0, maxAge - age)
      const wanted = Math.max(ttls.minTtl, Math.min(left, ttls.maxTtl))
      assert.equal(decideFreshness(given, ttls, NOW).ttlSeconds, wanted)
    }),
  )
})

test('an older answer is never fresh for longer: more Age, an earlier Expires', () => {
  fc.assert(
    fc.property(answer, policy, fc.nat(300), fc.nat(300), (given, ttls, age, more) => {
      const fresh = decideFreshness({ ...given, age: `${age}` }, ttls, NOW)
      assert.ok(decideFreshness({ ...given, age: `${age + more}` }, ttls, NOW).ttlSeconds <= fresh.ttlSeconds)
      const at = (offset: number) => formatHttpDate(NOW + offset * 1000)
      const bare = { ...given, status: 200, cacheControl: [] }
      const late = decideFreshness({ ...bare, expires: at(age + more) }, ttls, NOW).ttlSeconds
      assert.ok(decideFreshness({ ...bare, expires: at(age) }, ttls, NOW).ttlSeconds <= late)
    }),
  )
})

test('errors are kept as the table says: the always ones for ErrorCachingMinTTL at least, others only with an age, most never', () => {
  fc.assert(
    fc.property(answer, policy, fc.nat(100), (given, ttls, errorMinTtl) => {
      fc.pre(given.status >= 400 && ttls.maxTtl > 0)
      const { storable, ttlSeconds } = decideFreshness(given, ttls, NOW, errorMinTtl)
      const always = [404, 414, 500, 501, 502, 503, 504].includes(given.status)
      if (!always && ![400, 403, 405, 412, 415].includes(given.status)) assert.equal(storable, false)
      if (always && errorMinTtl > 0) assert.ok(ttlSeconds >= Math.min(errorMinTtl, ttls.maxTtl))
      if (storable && !always) assert.match(given.cacheControl.join().toLowerCase(), /max-age|s-maxage/)
    }),
  )
})
