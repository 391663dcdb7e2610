import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyCharacter } from '../../test/support/any-character.ts'
import { type CacheControl, parseCacheControl, parseRequestControl, SECONDS_MAX } from './cache-control.ts'

const NAMES = [
  'no-store', 'no-cache', 'private', 'public', 'max-age', 's-maxage', 'must-revalidate', 'proxy-revalidate',
  'stale-while-revalidate', 'stale-if-error', 'must-understand', 'immutable', 'min-fresh', 'max-stale', '__proto__', 'constructor',
] // biome-ignore format: a list
const name = fc.constantFrom(...NAMES)
const argument = fc.oneof(
  fc.nat().map(String),
  fc.constantFrom('', '-1', '1.5', '"5"', '"', '"a, max-age=1"', '"\\"', '"set-cookie, x"', '9'.repeat(400), '0x10', ' 5', '5 ', '5;x'),
  fc.string({ maxLength: 8 }),
) // biome-ignore format: one line a kind
const directive = fc.oneof(
  name,
  fc.tuple(name, argument).map(([n, a]) => `${n}=${a}`),
  fc.string({ maxLength: 12 }),
)
const line = fc.oneof(
  fc.array(directive, { maxLength: 6 }).chain((parts) => fc.constantFrom(',', ', ', ' , ', ',,').map((by) => parts.join(by))),
  fc.string({ unit: anyCharacter, maxLength: 60 }),
) // biome-ignore format: one line a kind

const secondsOf = (control: CacheControl) => [
  control.maxAge,
  control.sMaxage,
  control.staleWhileRevalidate,
  control.staleIfError,
]

test('any text is read without a throw; every number is whole, not negative and bounded', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 3 }), (lines) => {
      for (const seconds of secondsOf(parseCacheControl(lines))) {
        assert.ok(seconds === null || (Number.isInteger(seconds) && seconds >= 0 && seconds <= SECONDS_MAX))
      }
      const { maxAge, minFresh, maxStale } = parseRequestControl(lines)
      for (const seconds of [maxAge, minFresh, maxStale]) assert.ok(seconds === null || seconds >= 0)
    }),
  )
})

/** The well-formed part of the grammar, written from what was read. */
function written(control: CacheControl): string {
  const parts: string[] = []
  const flag = (on: boolean, text: string) => on && parts.push(text)
  const number = (seconds: number | null, text: string) => seconds !== null && parts.push(`${text}=${seconds}`)
  flag(control.noStore, 'no-store')
  flag(control.noCache, 'no-cache')
  flag(control.isPrivate, 'private')
  flag(control.isPublic, 'public')
  flag(control.mustRevalidate, 'must-revalidate')
  flag(control.proxyRevalidate, 'proxy-revalidate')
  flag(control.mustUnderstand, 'must-understand')
  number(control.maxAge, 'max-age')
  number(control.sMaxage, 's-maxage')
  number(control.staleWhileRevalidate, 'stale-while-revalidate')
  number(control.staleIfError, 'stale-if-error')
  return parts.join(', ')
}

test('reading is idempotent: what was read, written and read again is the same', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 3 }), (lines) => {
      const once = { ...parseCacheControl(lines), withoutFields: [] }
      assert.deepEqual(parseCacheControl([written(once)]), once)
    }),
  )
})

test('of well-formed directives neither order, case, spaces nor their spread over lines matters', () => {
  const wellFormed = fc.oneof(
    fc.constantFrom('no-store', 'no-cache', 'private', 'public', 'must-revalidate', 'immutable', 'x="a,b"'),
    fc.tuple(fc.constantFrom('max-age', 's-maxage', 'stale-if-error'), fc.nat(100)).map(([n, a]) => `${n}=${a}`),
  )
  fc.assert(
    fc.property(fc.array(wellFormed, { maxLength: 6 }), fc.boolean(), (parts, upper) => {
      const plain = parseCacheControl([parts.join(',')])
      const other = parts.toReversed().map((part) => (upper ? part.toUpperCase() : part))
      assert.deepEqual(parseCacheControl(other), plain)
      assert.deepEqual(parseCacheControl([other.join(' ,\t ')]), plain)
    }),
  )
})

test('more directives never make an answer more cacheable by flags or longer by numbers', () => {
  const directives = fc.array(
    fc.oneof(
      name,
      fc.tuple(name, fc.nat(100)).map(([n, a]) => `${n}=${a}`),
    ),
    { maxLength: 6 },
  )
  fc.assert(
    fc.property(directives, directives, (some, more) => {
      const before = parseCacheControl(some)
      const after = parseCacheControl([...some, ...more])
      for (const flag of ['noStore', 'noCache', 'isPrivate', 'mustRevalidate'] as const) {
        assert.ok(!before[flag] || after[flag], flag)
      }
      for (const [at, seconds] of secondsOf(before).entries()) {
        if (seconds !== null) assert.ok((secondsOf(after)[at] as number) <= seconds)
      }
    }),
  )
})

test('32 KB of anything that could make a pattern go back and forth is read in linear time', () => {
  const units = [' ', ',', '=', '"', '\\"', 'a=', '="', 'a="b,', 'max-age=1', ' =', '\\', 'a, ']
  for (const unit of units) {
    const small = timeOf(() => parseCacheControl([unit.repeat(2_000)]))
    const large = timeOf(() => parseCacheControl([unit.repeat(16_000)]))
    // Eight times the text; quadratic time would be 64 times. The constant keeps clocks and collections out of it.
    assert.ok(large < small * 24 + 200, `${JSON.stringify(unit)}: ${small} ms, then ${large} ms`)
  }
})

function timeOf(run: () => unknown): number {
  const since = performance.now()
  run()
  return performance.now() - since
}
