//! Whatever a viewer asks of a large object, in whatever order: the same bytes as cut out of the original.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRange, resolveRange } from '../../../src/http/range.ts'
import { LargeOrigin, largeBytes } from '../../support/edge-large-origin.ts'
import { distributionDoc, EdgeScenario } from '../../support/edge-scenario.ts'

const KIB = 1024
const LENGTH = 3 * KIB * KIB + 777
/** Of a cache of 8 MiB, which holds less than all of the objects below. */
const SLICE = 256 * KIB

/** Often at the edge of a slice or of the object. */
const position = fc.oneof(
  fc.nat(LENGTH + 100),
  fc.tuple(fc.nat(13), fc.integer({ min: -2, max: 2 })).map(([at, off]) => Math.max(0, at * SLICE + off)),
  fc.integer({ min: LENGTH - 3, max: LENGTH + 1 }),
)
const spec = fc.oneof(
  fc.tuple(position, position).map(([x, y]) => `${Math.min(x, y)}-${Math.max(x, y)}`),
  fc.tuple(position, fc.nat(1_000)).map(([from, bytes]) => `${from}-${from + bytes}`),
  position.map((from) => `${from}-`),
  position.map((bytes) => `-${bytes}`),
)
const asked = fc.record({
  path: fc.constantFrom('/a', '/b', '/c', '/d'),
  worker: fc.nat(2),
  range: fc.array(spec, { maxLength: 4 }).map((specs) => `bytes=${specs.join(',')}`),
})

/** The body that RFC 9110 15.3.7 has for these parts. */
function expected(range: string, boundary: string): { status: number; body: Buffer } {
  const resolved = resolveRange(parseRange([range]) ?? [], LENGTH)
  if (range === 'bytes=' || resolved.kind === 'whole') return { status: 200, body: largeBytes(0, LENGTH) }
  if (resolved.kind === 'unsatisfiable') return { status: 416, body: Buffer.alloc(0) }
  const cut = resolved.ranges.map(({ first, last }) => largeBytes(first, last + 1))
  if (cut.length === 1) return { status: 206, body: cut[0] as Buffer }
  const pieces = resolved.ranges.flatMap(({ first, last }, at) => [
    Buffer.from(
      `--${boundary}\r\nContent-Type: video/mp4\r\nContent-Range: bytes ${first}-${last}/${LENGTH}\r\n\r\n`,
      'latin1',
    ),
    cut[at] as Buffer,
    Buffer.from('\r\n', 'latin1'),
  ])
  return { status: 206, body: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`, 'latin1')]) }
}

for (const count of [1, 3]) {
  test(`any sequence of ranges gives the bytes of the original (workers: ${count})`, async (t) => {
    const origin = await LargeOrigin.start({ length: LENGTH })
    t.after(() => origin.close())
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count, cacheBytes: 8 * KIB * KIB })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(asked, { minLength: 1, maxLength: 4 }), { maxLength: 4 }), async (rounds) => {
        for (const together of rounds) {
          await Promise.all(
            together.map(async ({ path, worker, range }) => {
              const got = await edge.get(path, { worker: worker % count, headers: { range } })
              const boundary = /boundary=(.*)$/.exec(String(got.headers['content-type']))?.[1] ?? ''
              const { status, body } = expected(range, boundary)
              assert.equal(got.status, status, range)
              if (status === 416) return
              assert.equal(Number(got.headers['content-length']), body.length)
              assert.ok(Buffer.from(got.body, 'latin1').equals(body), `${path} ${range}`)
            }),
          )
        }
      }),
      { numRuns: 25 },
    )
    assert.deepEqual(edge.problems, [])
  })
}
