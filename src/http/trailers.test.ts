import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { announcedTrailers, mayTrail, passedTrailers, TRAILERS_MAX, takesTrailers, trailerSection } from './trailers.ts'

test('what describes the body that was sent may trail', () => {
  for (const name of ['Server-Timing', 'Digest', 'Repr-Digest', 'X-Checksum', 'grpc-status', 'Grpc-Message']) {
    assert.ok(mayTrail(name), name)
  }
})

test('what decides framing, routing, authority or caching never trails', () => {
  for (const name of [
    'Content-Length', 'transfer-encoding', 'Transfer_Encoding', 'Host', 'Authorization', 'Proxy-Authorization',
    'Cookie', 'Set-Cookie', 'Cache-Control', 'Vary', 'Age', 'ETag', 'Connection', 'Trailer', 'TE', 'Range',
    'If-None-Match', 'Content-Encoding', 'Content-Type', 'Location', 'X-Forwarded-For', 'X_Forwarded_For',
    'X-Amz-Cf-Id', 'x-edge-anything', 'Access-Control-Allow-Origin', 'Upgrade', 'Accept', '', 'a b', 'a:b', '\u00e9',
  ]) {
    assert.ok(!mayTrail(name), name)
  } // biome-ignore format: a list
})

test('the others are left out, order and spelling stay', () => {
  const raw = ['X-B', '2', 'Content-Length', '5', 'x-a', '1', 'X-B', '3', 'X-Split', 'a\r\nb']
  assert.deepEqual(passedTrailers(raw), ['X-B', '2', 'x-a', '1', 'X-B', '3'])
  assert.equal(trailerSection(passedTrailers(raw)), 'X-B: 2\r\nx-a: 1\r\nX-B: 3\r\n')
  assert.equal(announcedTrailers(['X-B , Content-Length', 'x-a, X-B']), 'X-B, x-a')
})

test('too many or too long ones do not pass at all', () => {
  const many = Array.from({ length: TRAILERS_MAX + 1 }, (_, at) => [`x-${at}`, '1']).flat()
  assert.deepEqual(passedTrailers(many), [])
  assert.equal(passedTrailers(many.slice(2)).length, TRAILERS_MAX * 2)
  assert.deepEqual(passedTrailers(['x-a', 'y'.repeat(8_192)]), [])
})

test('TE: trailers, among others and in any case', () => {
  assert.ok(
    takesTrailers(['trailers']) && takesTrailers(['deflate;q=0.5, Trailers']) && takesTrailers(['', 'trailers']),
  )
  assert.ok(!takesTrailers([]) && !takesTrailers(['chunked']) && !takesTrailers(['no-trailers']))
})

test('whatever comes, a trailer section is lines of fields', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom('x-a', 'a\n', 'b\r\n\r\nGET / HTTP/1.1'))), (raw) => {
      const text = trailerSection(passedTrailers(raw))
      assert.match(text, /^(?:[^\s:\0]+: [^\r\n\0]*\r\n)*$/)
    }),
  )
})
