import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { multipart, parseRange, rangeLength, resolveRange } from '../../http/range.ts'
import { Cutter } from './cutter.ts'

const header = fc.array(fc.tuple(fc.nat(60), fc.nat(20)), { minLength: 1, maxLength: 6 }).map(
  (ranges) =>
    `bytes=${ranges
      .sort((a, b) => a[0] - b[0])
      .map(([first, more]) => `${first}-${first + more}`)
      .join(',')}`,
)

test('the parts cut out of an object that passes in any pieces are its slices, and as long as was said', () => {
  const body = fc.uint8Array({ minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(body, header, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (bytes, value, sizes) => {
      const specs = parseRange([value])
      if (specs === null) return
      const resolved = resolveRange(specs, bytes.length)
      if (resolved.kind !== 'parts') return
      const made = multipart(resolved.ranges, bytes.length, 'text/plain', 'BOUNDARY')
      const cutter = new Cutter(made.pieces)
      const out: Uint8Array[] = []
      for (let at = 0, n = 0; at < bytes.length; n++) {
        const size = sizes[n % sizes.length] as number
        out.push(...cutter.take(bytes.subarray(at, at + size)))
        at += size
      }
      const text = Buffer.concat(out)
      assert.equal(text.length, made.length)
      assert.ok(cutter.done)
      let rest = text
      for (const range of resolved.ranges) {
        const head = rest.indexOf('\r\n\r\n') + 4
        const slice = Buffer.from(bytes.subarray(range.first, range.last + 1))
        assert.ok(rest.subarray(head, head + rangeLength(range)).equals(slice))
        rest = rest.subarray(head + rangeLength(range))
      }
      assert.equal(rest.toString('latin1'), '\r\n--BOUNDARY--\r\n')
    }),
  )
})
