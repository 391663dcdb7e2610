import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { BodyFilter } from '../cache/flight.ts'
import { Compressions } from './compressions.ts'

const LIMITS = { threads: 1, bodies: 3, bytes: 1_000_000 }
/** Half of it can be compressed. */
const body = (bytes: number): Buffer => Buffer.from(randomBytes(bytes / 2).toString('hex'))

function collect(filter: BodyFilter | null): { whole: Promise<Buffer>; pieces: Uint8Array[] } {
  assert(filter !== null)
  const pieces: Uint8Array[] = []
  const { promise: whole, resolve, reject } = Promise.withResolvers<Buffer>()
  filter.attach({
    onFiltered: (piece) => pieces.push(piece),
    onFilteredEnd: () => resolve(Buffer.concat(pieces)),
    onFilterFailure: reject,
  })
  return { whole, pieces }
}

function send(filter: BodyFilter | null, bytes: Buffer, pieceBytes: number): void {
  for (let at = 0; at < bytes.length; at += pieceBytes) filter?.write(bytes.subarray(at, at + pieceBytes))
  filter?.end()
}

const idle = async (compressions: Compressions): Promise<void> => {
  while (compressions.count > 0) await new Promise((resolve) => setImmediate(resolve))
}

test('bodies come out whole in both codings, several at a time on one thread', async () => {
  const compressions = new Compressions(LIMITS)
  const bodies = [body(1_000), body(200_000), body(50_000)]
  const made = bodies.map((bytes, at) => {
    const filter = compressions.begin(at === 1 ? 'br' : 'gzip', bytes.length)
    const { whole } = collect(filter)
    send(filter, bytes, 4_096)
    return whole
  })
  for (const [at, whole] of made.entries()) {
    const compressed = await whole
    const plain = at === 1 ? brotliDecompressSync(compressed) : gunzipSync(compressed)
    assert.ok(plain.equals(bodies[at] as Buffer))
    assert.ok(compressed.length < plain.length)
  }
  await idle(compressions)
})

test('a small body does not wait for the end of a large one', async () => {
  const compressions = new Compressions(LIMITS)
  const order: string[] = []
  const large = compressions.begin('br', 800_000)
  const largeWhole = collect(large).whole.then(() => order.push('large'))
  send(large, body(800_000), 16_384)
  const small = compressions.begin('br', 2_000)
  const smallWhole = collect(small).whole.then(() => order.push('small'))
  send(small, body(2_000), 16_384)
  await Promise.all([largeWhole, smallWhole])
  assert.deepEqual(order, ['small', 'large'])
})

test('over a limit there is none; what has ended or was given up makes room', async () => {
  const compressions = new Compressions(LIMITS)
  const first = compressions.begin('gzip', 900_000)
  assert.ok(first)
  assert.equal(compressions.begin('gzip', 100_001), null, 'bytes')
  const others = [compressions.begin('gzip', 1_000), compressions.begin('br', 1_000)]
  assert.ok(others.every((filter) => filter !== null))
  assert.equal(compressions.begin('gzip', 1_000), null, 'bodies')
  const { pieces } = collect(first)
  first.write(body(64_000))
  first.abort()
  for (const filter of others) filter?.abort()
  await idle(compressions)
  assert.deepEqual(pieces, [])
  const next = compressions.begin('gzip', 2_000)
  const { whole } = collect(next)
  const bytes = body(2_000)
  send(next, bytes, 100)
  assert.ok(gunzipSync(await whole).equals(bytes), 'the thread of the given up one is free again')
})

test('the event loop runs on while a large body is compressed', async () => {
  const compressions = new Compressions(LIMITS)
  const filter = compressions.begin('br', 1_000_000)
  const { whole } = collect(filter)
  send(filter, body(1_000_000), 65_536)
  let over = false
  const end = whole.then(() => {
    over = true
  })
  let turns = 0
  while (!over) {
    turns++
    await new Promise((resolve) => setImmediate(resolve))
  }
  await end
  assert.ok(turns > 16, `${turns} turns of the loop for 16 pieces`)
})
