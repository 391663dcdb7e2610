//! The sealed format: what was sealed comes back; whatever else is done to it is an error, never other bytes.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { SealError, Sealer, type StreamKey, unseal } from './frames.ts'

const FRAME = 64
const HEADER = 32
const SEALED_FRAME = 4 + FRAME + 16
const KEY: StreamKey = { key: randomBytes(32), snapshot: 'nightly' }

function seal(text: Buffer, key = KEY, cuts: readonly number[] = []): Buffer {
  const sealer = new Sealer(key, FRAME)
  const sealed = [sealer.header]
  let from = 0
  for (const cut of [...cuts, text.length]) {
    sealed.push(...sealer.push(text.subarray(from, cut)))
    from = cut
  }
  return Buffer.concat([...sealed, ...sealer.end()])
}

/** What was handed out, and whether the stream was accepted as whole. */
async function read(sealed: Buffer, key = KEY, piece = sealed.length || 1): Promise<{ text: Buffer; whole: boolean }> {
  const pieces = async function* (): AsyncGenerator<Buffer> {
    for (let at = 0; at < sealed.length; at += piece) yield Buffer.from(sealed.subarray(at, at + piece))
  }
  const texts: Buffer[] = []
  try {
    for await (const text of unseal(pieces(), key)) texts.push(text)
    return { text: Buffer.concat(texts), whole: true }
  } catch (error) {
    assert.ok(error instanceof SealError, String(error))
    return { text: Buffer.concat(texts), whole: false }
  }
}

/** A changed stream is refused, and all that was handed out before is a beginning of the truth. */
async function refused(sealed: Buffer, text: Buffer, key = KEY): Promise<void> {
  const result = await read(sealed, key)
  assert.equal(result.whole, false)
  assert.ok(text.subarray(0, result.text.length).equals(result.text), 'what came before the error is authentic')
}

const texts = fc.uint8Array({ maxLength: 5 * FRAME }).map((bytes) => Buffer.from(bytes))

test('any bytes, cut anywhere on both sides, come back', async () => {
  const cuts = fc.array(fc.nat(5 * FRAME), { maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(texts, cuts, fc.integer({ min: 1, max: 200 }), async (text, where, piece) => {
      const sorted = where.filter((at) => at <= text.length).sort((a, b) => a - b)
      const result = await read(seal(text, KEY, sorted), KEY, piece)
      assert.deepEqual(result, { text, whole: true })
    }),
  )
})

test('one flipped bit, anywhere, is refused', async () => {
  const text = randomBytes(3 * FRAME + 10)
  const sealed = seal(text)
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed)
    changed[at]! ^= 1 << (at % 8)
    await refused(changed, text)
  }
})

test('a stream that was cut off anywhere is refused, also between two frames', async () => {
  const text = randomBytes(3 * FRAME)
  const sealed = seal(text)
  for (let length = 0; length < sealed.length; length++) await refused(sealed.subarray(0, length), text)
})

test('frames that were swapped, left out, repeated or put behind the end are refused', async () => {
  const text = randomBytes(4 * FRAME + 5)
  const sealed = seal(text)
  const frame = (n: number): Buffer => sealed.subarray(HEADER + n * SEALED_FRAME, HEADER + (n + 1) * SEALED_FRAME)
  const header = sealed.subarray(0, HEADER)
  const put = (...order: readonly number[]): Buffer => Buffer.concat([header, ...order.map(frame)])
  assert.equal((await read(put(0, 1, 2, 3, 4))).whole, true)
  for (const order of [[1, 0, 2, 3, 4], [0, 1, 3, 2, 4], [0, 2, 3, 4], [0, 1, 2, 4], [0, 0, 1, 2, 3, 4], [4], []]) {
    await refused(put(...order), text)
  }
  await refused(put(0, 1, 2, 3, 4, 4), text)
  await refused(Buffer.concat([sealed, Buffer.from([0])]), text)
})

test('frames of another stream of the same key, another key, or another snapshot do not pass', async () => {
  const [text, other] = [randomBytes(3 * FRAME), randomBytes(3 * FRAME)]
  const [one, two] = [seal(text), seal(other)]
  const second = HEADER + SEALED_FRAME
  await refused(Buffer.concat([one.subarray(0, second), two.subarray(second)]), text)
  await refused(one, text, { ...KEY, key: randomBytes(32) })
  await refused(one, text, { ...KEY, snapshot: 'weekly' })
})

test('random bytes and random edits never pass', async () => {
  const text = randomBytes(2 * FRAME + 7)
  const sealed = seal(text)
  const edit = fc.record({
    at: fc.nat(sealed.length),
    cut: fc.nat(40),
    put: fc.uint8Array({ maxLength: 40 }),
  })
  await fc.assert(
    fc.asyncProperty(edit, async ({ at, cut, put }) => {
      const changed = Buffer.concat([sealed.subarray(0, at), put, sealed.subarray(at + cut)])
      fc.pre(!changed.equals(sealed))
      await refused(changed, text)
    }),
  )
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (noise) => refused(Buffer.from(noise), text)),
  )
})
