//! Goal: whatever an object's texts and times are, they come out of memory as they went in.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ObjectMeta } from './object.ts'
import { hasKey, pack, readKey, unpack, write } from './packed.ts'

const latin1 = fc.string({ unit: fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code)) })
const date = fc.constantFrom(
  'Wed, 21 Oct 2015 07:28:00 GMT',
  'Thu, 01 Jan 1970 00:00:00 GMT',
  'Mon, 21 Oct 2015 07:28:00 GMT',
  'Wed, 21 Oct 2015 07:28:60 GMT',
  'Fri, 31 Dec 9999 23:59:59 GMT',
  'Fri, 31 Dec 1900 23:59:59 GMT',
  '21 Oct 2015 07:28 GMT',
  'GMT',
)
const line = fc.oneof(
  fc.constantFrom('HTTP/1.1 200 OK', 'Content-Type: text/html', 'ETag: "abc"', 'Cache-Control: max-age=60', ''),
  latin1,
  date.map((value) => `Last-Modified: ${value}`),
  date.map((value) => `Date: ${value}`),
)
const head = fc
  .tuple(fc.array(line, { maxLength: 8 }), fc.boolean())
  .map(([lines, ends]) => lines.join('\r\n') + (ends ? '\r\n' : ''))
const text = fc.oneof(latin1, fc.constantFrom('', 'E1', '/a', '"abc"', 'text/html', 'Wed, 21 Oct 2015 07:28:00 GMT'))
const time = fc.oneof(fc.integer(), fc.double({ noNaN: true }), fc.constant(Number.POSITIVE_INFINITY))
const object = fc.record<ObjectMeta>(
  {
    status: fc.integer({ min: 0, max: 999 }),
    head,
    distributionId: text,
    uri: text,
    contentType: text,
    etag: text,
    lastModified: text,
    bornAt: time,
    freshUntil: time,
    staleUntil: time,
    swrUntil: time,
    ttlSource: fc.constantFrom('max-age', 'expires'),
    asOf: fc.integer(),
    tags: text,
    variant: text,
  },
  { noNullPrototype: true },
)

test('every object comes out as it went in', () => {
  fc.assert(
    fc.property(object, fc.oneof(latin1, fc.constant('E1 /a')), fc.nat(9), (meta, key, body) => {
      const bytes = pack(key, meta) + body
      const memory = Buffer.alloc(bytes + 128, 0xff)
      const from = write(memory, 64, key, meta, body)
      assert.equal(from + body, 64 + bytes)
      assert.ok(
        memory.subarray(64 + bytes).every((byte) => byte === 0xff),
        'nothing is written behind its end',
      )
      assert.equal(readKey(memory, 64), key)
      assert.ok(hasKey(memory, 64, key))
      assert.ok(!hasKey(memory, 64, `${key}x`))
      assert.deepEqual(unpack(memory, 64, key), { meta, bodyFrom: from, bodyTo: from + body })
    }),
    { numRuns: 2_000 },
  )
})

test('what many objects have in common takes a few bytes', () => {
  const meta = (n: number): ObjectMeta => ({
    status: 200,
    head: `HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nCache-Control: public, max-age=86400\r\nETag: "${n}-abc"\r\nLast-Modified: Wed, 21 Oct 2015 07:28:${10 + (n % 50)} GMT\r\nServer: origin\r\nDate: Sat, 21 Nov 2026 08:15:${10 + (n % 50)} GMT\r\n`,
    distributionId: 'E1BENCHMARK001',
    uri: `/assets/product-${n}.jpg`,
    contentType: 'image/jpeg',
    etag: `"${n}-abc"`,
    lastModified: `Wed, 21 Oct 2015 07:28:${10 + (n % 50)} GMT`,
    bornAt: 1,
    freshUntil: 2,
    staleUntil: 2,
    swrUntil: 2,
    ttlSource: 'max-age',
    asOf: 3,
    tags: '',
    variant: '',
  })
  let bytes = 0
  for (let n = 0; n < 10; n++) {
    const key = `E1BENCHMARK001 /assets/product-${n}.jpg`
    bytes = pack(key, meta(n)) - key.length
  }
  assert.ok(bytes <= 130, `${bytes} bytes besides the key`)
})
