import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideFreshness, type FreshnessReason, type OriginAnswer } from './freshness.ts'
import { formatHttpDate } from './http-date.ts'

const NOW = Date.UTC(2026, 10, 21, 4, 0, 0)
const IN_100_S = formatHttpDate(NOW + 100_000)
const NOW_DATE = formatHttpDate(NOW)
const PAST = formatHttpDate(NOW - 100_000)

function decide(
  changes: Partial<Omit<OriginAnswer, 'cacheControl' | 'vary'>> & { cc?: string; vary?: string },
  [minTtl, defaultTtl, maxTtl]: readonly [number, number, number],
  errorMinTtl?: number,
) {
  const { cc, vary, ...rest } = changes
  const answer: OriginAnswer = {
    status: 200,
    expires: undefined,
    age: undefined,
    ...rest,
    cacheControl: cc === undefined ? [] : [cc],
    vary: vary === undefined ? [] : [vary],
  }
  const { ttlSeconds, storable, reason } = decideFreshness(answer, { minTtl, defaultTtl, maxTtl }, NOW, errorMinTtl)
  return [storable ? ttlSeconds : 'not stored', reason]
}

const ZERO = [0, 86_400, 1_000] as const
const MIN = [50, 86_400, 1_000] as const
const OFF = [0, 0, 0] as const

/** Spec 5.1, a row a case: with Min TTL 0 and with Min TTL 50. */
const SUCCESS: readonly (readonly [
  what: Parameters<typeof decide>[0],
  zero: readonly [number | 'not stored', FreshnessReason],
  min: readonly [number | 'not stored', FreshnessReason],
])[] = [
  [{ cc: 's-maxage=70, max-age=60' }, [70, 's-maxage'], [70, 's-maxage']],
  [{ cc: 's-maxage=20, max-age=60' }, [20, 's-maxage'], [50, 'min-ttl']],
  [{ cc: 'max-age=60' }, [60, 'max-age'], [60, 'max-age']],
  [{ cc: 'max-age=10' }, [10, 'max-age'], [50, 'min-ttl']],
  [{ cc: 'max-age=5000' }, [1_000, 'max-ttl'], [1_000, 'max-ttl']],
  [{ expires: IN_100_S }, [100, 'expires'], [100, 'expires']],
  [{ expires: PAST }, [0, 'expires'], [50, 'min-ttl']],
  [{ expires: '0' }, [0, 'expires'], [50, 'min-ttl']],
  [{ expires: IN_100_S, cc: 'max-age=60' }, [60, 'max-age'], [60, 'max-age']],
  [{}, [86_400, 'default-ttl'], [86_400, 'default-ttl']],
  [{ cc: 'public' }, [86_400, 'default-ttl'], [86_400, 'default-ttl']],
  [{ cc: 'no-store' }, ['not stored', 'no-store'], [50, 'min-ttl']],
  [{ cc: 'private, max-age=60' }, ['not stored', 'private'], [50, 'min-ttl']],
  [{ cc: 'no-cache' }, [0, 'no-cache'], [50, 'min-ttl']],
  [{ cc: 'no-cache="Set-Cookie", max-age=60' }, [60, 'max-age'], [60, 'max-age']],
  [{ cc: 'max-age=0' }, [0, 'max-age'], [50, 'min-ttl']],
  [{ cc: 'max-age=60', age: '45' }, [15, 'max-age'], [50, 'min-ttl']],
  [{ cc: 'max-age=60', age: '61' }, [0, 'max-age'], [50, 'min-ttl']],
  [{ cc: 'max-age=60', age: 'old' }, [60, 'max-age'], [60, 'max-age']],
  [{ cc: 'max-age=60', age: '45, 0' }, [15, 'max-age'], [50, 'min-ttl']],
  [{ cc: 'max-age=60', age: '-1' }, [60, 'max-age'], [60, 'max-age']],
  [{ cc: 'max-age=60', age: '45.0' }, [60, 'max-age'], [60, 'max-age']],
  // Expires by the origin's own clock.
  [{ expires: IN_100_S, date: NOW_DATE }, [100, 'expires'], [100, 'expires']],
  [{ expires: IN_100_S, date: NOW_DATE, age: '45' }, [55, 'expires'], [55, 'expires']],
  [{ expires: IN_100_S, date: formatHttpDate(NOW + 200_000) }, [0, 'expires'], [50, 'min-ttl']],
  [{ expires: IN_100_S, date: PAST, age: '100' }, [100, 'expires'], [100, 'expires']],
  [{ expires: IN_100_S, date: 'yesterday' }, [100, 'expires'], [100, 'expires']],
  [{ cc: 'max-age=60', vary: '*' }, ['not stored', 'vary-star'], [60, 'max-age']],
  [{ cc: 'max-age=60', vary: 'Accept, *' }, ['not stored', 'vary-star'], [60, 'max-age']],
  [{ cc: 'max-age=60', vary: 'Accept' }, [60, 'max-age'], [60, 'max-age']],
  [{ cc: 'max-age=60', status: 301 }, [60, 'max-age'], [60, 'max-age']],
  [{ cc: 'max-age=60', status: 206 }, ['not stored', 'partial-content'], ['not stored', 'partial-content']],
  [{ status: 304 }, ['not stored', 'status-not-cacheable'], ['not stored', 'status-not-cacheable']],
] // biome-ignore format: a table

for (const [what, zero, min] of SUCCESS) {
  test(`success ${JSON.stringify(what)}`, () => {
    assert.deepEqual(decide(what, ZERO), zero)
    assert.deepEqual(decide(what, MIN), min)
    assert.deepEqual(decide(what, OFF), ['not stored', 'caching-disabled'])
  })
}

test('Min TTL above Default TTL', () => {
  assert.deepEqual(decide({}, [60, 10, 1_000]), [60, 'min-ttl'])
})

/** Spec 5.4. */
const ERRORS: readonly (readonly [
  what: Parameters<typeof decide>[0],
  outcome: readonly [number | 'not stored', FreshnessReason],
])[] = [
  [{ status: 404 }, [10, 'error-caching-min-ttl']],
  [{ status: 503, cc: 'no-store' }, [10, 'error-caching-min-ttl']],
  [{ status: 500, cc: 'max-age=60' }, [60, 'max-age']],
  [{ status: 500, cc: 'max-age=3' }, [10, 'error-caching-min-ttl']],
  [{ status: 500, cc: 's-maxage=5000' }, [1_000, 'max-ttl']],
  [{ status: 504, expires: IN_100_S }, [100, 'expires']],
  [{ status: 403 }, ['not stored', 'status-not-cacheable']],
  [{ status: 403, expires: IN_100_S }, ['not stored', 'status-not-cacheable']],
  [{ status: 403, cc: 'max-age=60' }, [60, 'max-age']],
  [{ status: 405, cc: 's-maxage=1' }, [10, 'error-caching-min-ttl']],
  [{ status: 401, cc: 'max-age=60' }, ['not stored', 'status-not-cacheable']],
  [{ status: 416, cc: 'max-age=60' }, ['not stored', 'status-not-cacheable']],
  [{ status: 429, cc: 'max-age=60' }, ['not stored', 'status-not-cacheable']],
] // biome-ignore format: a table

for (const [what, outcome] of ERRORS) {
  test(`error ${JSON.stringify(what)}`, () => {
    assert.deepEqual(decide(what, ZERO), outcome)
    assert.deepEqual(decide(what, OFF), ['not stored', 'caching-disabled'])
  })
}

test('an error caching minimum TTL of 0 keeps no errors', () => {
  assert.deepEqual(decide({ status: 404 }, ZERO, 0), ['not stored', 'status-not-cacheable'])
  assert.deepEqual(decide({ status: 404 }, ZERO, 300), [300, 'error-caching-min-ttl'])
})

test('what the store needs besides the TTL', () => {
  const answer = {
    status: 200,
    cacheControl: ['max-age=60, stale-while-revalidate=5, stale-if-error=0, no-cache="X-A"'],
    expires: undefined,
    age: '7',
    vary: [],
  }
  const freshness = decideFreshness(answer, { minTtl: 0, defaultTtl: 0, maxTtl: 100 }, NOW)
  assert.deepEqual(freshness, {
    ttlSeconds: 53,
    storable: true,
    reason: 'max-age',
    ageSeconds: 7,
    staleWhileRevalidateSeconds: 5,
    staleIfErrorSeconds: 0,
    staleForbidden: false,
    withoutFields: ['x-a'],
  })
})

/** Values as origins send them, right, nearly right and wrong. */
const CONTROL = fc.array(
  fc.oneof(
    fc.string(),
    fc
      .tuple(
        fc.constantFrom('max-age', 's-maxage', 'stale-if-error', 'no-cache', 'private', 'no-store', 'MAX-AGE'),
        fc.constantFrom('', '=', '="', ' = '),
        fc.oneof(fc.nat().map(String), fc.string(), fc.constant('99999999999999999999')),
      )
      .map((parts) => parts.join('')),
  ),
  { maxLength: 4 },
)
const DATE = fc.oneof(
  fc.string(),
  fc.integer({ min: -1e12, max: 1e12 }).map((offset) => formatHttpDate(NOW + offset)),
)
const SECONDS = fc.integer({ min: 0, max: 1e9 })

test('whatever an origin sends, an object is kept for whole seconds within the bounds of the policy', () => {
  const answers = fc.record({
    status: fc.integer({ min: 200, max: 599 }),
    cacheControl: CONTROL,
    expires: fc.option(DATE, { nil: undefined }),
    date: fc.option(DATE, { nil: undefined }),
    age: fc.option(fc.oneof(fc.string(), fc.nat().map(String)), { nil: undefined }),
    vary: fc.array(fc.string(), { maxLength: 2 }),
  })
  fc.assert(
    fc.property(answers, SECONDS, SECONDS, SECONDS, (answer, minTtl, more, most) => {
      const policy = { minTtl, defaultTtl: minTtl + more, maxTtl: minTtl + more + most }
      const { ttlSeconds, storable, ageSeconds } = decideFreshness(answer, policy, NOW, 10)
      assert.ok(Number.isInteger(ttlSeconds) && ttlSeconds >= 0 && ttlSeconds <= Math.max(policy.maxTtl, 10))
      assert.ok(Number.isInteger(ageSeconds) && ageSeconds >= 0)
      if (!storable) assert.equal(ttlSeconds, 0)
      else if (answer.status < 400) assert.ok(ttlSeconds >= minTtl)
    }),
  )
})

test('an older answer is never kept longer', () => {
  const answers = fc.record({ cacheControl: CONTROL, expires: fc.option(DATE, { nil: undefined }), date: DATE })
  fc.assert(
    fc.property(answers, fc.nat(1e6), fc.nat(1e6), (answer, age, more) => {
      const keptFor = (seconds: number) => {
        const whole = { ...answer, status: 200, vary: [], age: `${seconds}` }
        return decideFreshness(whole, { minTtl: 0, defaultTtl: 60, maxTtl: 31_536_000 }, NOW).ttlSeconds
      }
      assert.ok(keptFor(age + more) <= keptFor(age))
    }),
  )
})
