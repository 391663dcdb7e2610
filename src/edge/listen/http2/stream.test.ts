import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reply, type ReplyOwner } from './reply.ts'
import { Stream } from './stream.ts'

function streamAt(clock: { now: number }): Stream {
  const owner = { now: () => clock.now, opensWindow() {}, continues() {} }
  const reply = new Reply({} as ReplyOwner, 1, 65_535, 1_000)
  return new Stream(owner, reply, { length: null, window: 65_535 }, { bodyIdleMs: 1_000, bodyBytesPerSecondMin: 100 })
}

test('bytes of a body earn it time, and no more than bodyIdleMs', () => {
  const clock = { now: 0 }
  const stream = streamAt(clock)
  stream.body?.stream().resume()
  assert.equal(stream.deadline, 1_000)
  clock.now = 900
  stream.take(Buffer.alloc(10))
  assert.equal(stream.deadline, 1_100)
  stream.take(Buffer.alloc(10_000))
  assert.equal(stream.deadline, 1_900)
})

test('one side of a conversation may take its time, whenever its pieces come', () => {
  const clock = { now: 0 }
  const stream = streamAt(clock)
  const body = stream.body?.stream()
  stream.body?.unhurried()
  assert.equal(stream.deadline, Number.POSITIVE_INFINITY)
  stream.take(Buffer.alloc(20_000))
  stream.take(Buffer.alloc(20_000))
  body?.resume()
  stream.resumed()
  stream.take(Buffer.alloc(1))
  assert.equal(stream.deadline, Number.POSITIVE_INFINITY)
})
