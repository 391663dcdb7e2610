import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  COMPRESSED_BYTES_MAX,
  COMPRESSED_BYTES_MIN,
  compressedHeaders,
  compressionFor,
  confirmedHeaders,
} from './compressible.ts'
import { allValues, firstValue } from './headers.ts'

const field = fc.oneof(
  fc.tuple(fc.constantFrom('Content-Type', 'content-type'), fc.constantFrom('text/html', 'TEXT/CSS; charset=x', 'image/png', '', 'text/html,image/png', ';')),
  fc.tuple(fc.constant('Content-Length'), fc.oneof(fc.constantFrom('999', '1000', '10000000', '10000001', '-5', 'x', '', '1e4'), fc.nat().map(String))),
  fc.tuple(fc.constantFrom('Content-Encoding', 'Transfer-Encoding'), fc.constantFrom('gzip', 'identity', 'chunked', '')),
  fc.tuple(fc.constant('Cache-Control'), fc.constantFrom('no-transform', 'max-age=1, No-Transform', 'public')),
  fc.tuple(fc.constant('ETag'), fc.constantFrom('"a"', 'W/"a"', 'a', '')),
  fc.tuple(fc.constant('Vary'), fc.constantFrom('*', 'Accept-Encoding', 'accept-encoding, x', 'Cookie')),
  fc.tuple(fc.string({ minLength: 1, maxLength: 5 }), fc.string({ maxLength: 5 })),
) // biome-ignore format: one line a kind
const headers = fc.array(field, { maxLength: 8 }).map((pairs) => pairs.flat())
const keyed = fc.constantFrom('br,gzip', 'br', 'gzip', '')
const status = fc.constantFrom(200, 403, 404, 204, 206, 301, 304, 500)

test('a coding is chosen only among those keyed, for a status, a length and a body that allow it', () => {
  fc.assert(
    fc.property(status, headers, keyed, (code, raw, encodings) => {
      const chosen = compressionFor(code, raw, encodings)
      if (chosen === null) return
      assert.ok(encodings.split(',').includes(chosen.coding))
      assert.equal(chosen.coding === 'gzip', !encodings.includes('br'), 'br where both are accepted')
      assert.ok([200, 403, 404].includes(code))
      assert.ok(chosen.length >= COMPRESSED_BYTES_MIN && chosen.length <= COMPRESSED_BYTES_MAX)
      for (const name of ['content-encoding', 'transfer-encoding']) assert.equal(firstValue(raw, name), undefined)
    }),
    { numRuns: 2_000 },
  )
})

test('compressed fields name one coding, vary by it, and have no strong or malformed tag', () => {
  fc.assert(
    fc.property(headers, fc.constantFrom('br', 'gzip'), (raw, coding) => {
      const plain = raw.filter((_, at) => !/^(content|transfer)-encoding$/i.test(raw[at - (at % 2)] as string))
      const out = compressedHeaders(plain, coding)
      assert.deepEqual(allValues(out, 'content-encoding'), [coding])
      assert.match(allValues(out, 'vary').join(), /accept-encoding|\*/i)
      for (const tag of allValues(out, 'etag')) assert.match(tag, /^W\//)
      assert.equal(firstValue(out, 'content-length'), undefined)
    }),
  )
})

test('a 304 that repeats the tag of an object that was compressed here leaves it weak', () => {
  fc.assert(
    fc.property(headers, headers, fc.constantFrom('br', 'gzip'), (raw, confirming, coding) => {
      const without = (list: readonly string[], names: RegExp) =>
        list.filter((_, at) => !names.test(list[at - (at % 2)] as string))
      const plain = without(raw, /^((content|transfer)-encoding)$/i)
      const tag = firstValue(plain, 'etag')
      fc.pre(tag !== undefined && allValues(plain, 'etag').length === 1)
      const stored = compressedHeaders(plain, coding)
      const repeated = [...without(confirming, /^etag$/i), 'ETag', tag as string]
      for (const told of allValues(confirmedHeaders(stored, repeated), 'etag')) assert.doesNotMatch(told, /^"/)
    }),
  )
})
