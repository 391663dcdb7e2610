import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesHeld, FlightBody, HELD_BYTES_MAX } from './flight-body.ts'

const MIB = 1024 * 1024
const chunk = (bytes: number): Uint8Array => new Uint8Array(bytes)

/** A reader that takes everything at once, or nothing when it is stalled. */
class Reader {
  at = 0
  got = 0
  stalled = false
  wasCut = false
  readonly #body: FlightBody

  constructor(body: FlightBody) {
    this.#body = body
    body.read(this)
  }

  wake(): void {
    if (this.stalled) return
    for (let next = this.#body.chunk(this.at); next !== undefined; next = this.#body.chunk(this.at)) {
      this.at++
      this.got += next.length
    }
  }

  cut(): void {
    this.wasCut = true
    this.#body.stopReading(this)
  }
}

/** As a flight has it: bytes in, readers woken, memory looked after. */
function arrive(body: FlightBody, bytes: number): boolean {
  const fits = body.push(chunk(bytes))
  body.wakeAll()
  body.trim()
  return fits
}

test('a body that is not kept is as far ahead as its fastest reader lets it, and pauses the origin', () => {
  const paces: boolean[] = []
  const body = new FlightBody((pause) => paces.push(pause))
  body.stopKeeping()
  const reader = new Reader(body)
  reader.stalled = true
  for (let at = 0; at < 3; at++) arrive(body, MIB / 2)
  assert.deepEqual(paces, [true])
  reader.stalled = false
  reader.wake()
  body.trim()
  assert.deepEqual([paces, reader.got], [[true, false], 1.5 * MIB])
})

test('a reader that lags does not stop the others; too far behind it is cut off, and memory comes back', () => {
  const before = bytesHeld()
  const paces: boolean[] = []
  const body = new FlightBody((pause) => paces.push(pause))
  body.stopKeeping()
  const [fast, slow] = [new Reader(body), new Reader(body)]
  slow.stalled = true
  for (let at = 0; at < 40; at++) arrive(body, MIB)
  assert.equal(fast.got, 40 * MIB)
  assert.equal(slow.wasCut, true)
  assert.deepEqual(paces, [], 'the origin was never paused')
  assert.equal(bytesHeld(), before)
})

test('while memory is short a reader may lag behind by less', () => {
  const before = bytesHeld()
  const filler = new FlightBody(() => {})
  assert.equal(filler.push(chunk(HELD_BYTES_MAX - before)), true)
  assert.equal(filler.push(chunk(1)), false, 'there is no memory to keep more')
  const body = new FlightBody(() => {})
  body.stopKeeping()
  const [fast, slow] = [new Reader(body), new Reader(body)]
  slow.stalled = true
  for (let at = 0; at < 3; at++) arrive(body, MIB)
  assert.deepEqual([fast.got, slow.wasCut], [3 * MIB, true])
  filler.end(null)
  filler.settle(0)
  assert.equal(bytesHeld(), before)
})

test('after the end bytes are held for who is behind, until nobody is', () => {
  const before = bytesHeld()
  const body = new FlightBody(() => {})
  const reader = new Reader(body)
  reader.stalled = true
  arrive(body, MIB)
  body.end(() => assert.fail('there is memory enough'))
  body.settle(1)
  assert.equal(bytesHeld(), before + MIB)
  reader.stalled = false
  reader.wake()
  assert.equal(reader.got, MIB)
  body.stopReading(reader)
  body.settle(0)
  assert.equal(bytesHeld(), before)
})

test('when much is held for who is behind, they read on from the store instead', () => {
  const before = bytesHeld()
  const filler = new FlightBody(() => {})
  filler.push(chunk(HELD_BYTES_MAX / 4))
  const body = new FlightBody(() => {})
  const reader = new Reader(body)
  reader.stalled = true
  for (let at = 0; at < 3; at++) arrive(body, 1000 + at)
  const lent: [number, number][] = []
  body.end((from, to) => {
    lent.push([from, to])
    return from < 2000 ? chunk(to - from) : null
  })
  body.settle(2)
  assert.ok(bytesHeld() > before + HELD_BYTES_MAX / 4, 'somebody who counts on it does not read yet')
  body.settle(1)
  assert.equal(bytesHeld(), before + HELD_BYTES_MAX / 4)
  reader.stalled = false
  reader.wake()
  assert.deepEqual(lent, [
    [0, 1000],
    [1000, 2001],
    [2001, 3003],
  ])
  assert.deepEqual([reader.got, reader.at, body.count], [2001, 2, 3], 'the last one is gone from the store')
  filler.end(null)
  filler.settle(0)
})

test('what came while a body was to be kept counts until its readers have had it', () => {
  const before = bytesHeld()
  const body = new FlightBody(() => {})
  const reader = new Reader(body)
  reader.stalled = true
  for (let at = 0; at < 16; at++) arrive(body, MIB)
  body.stopKeeping()
  assert.equal(bytesHeld() - before, 15 * MIB, 'all but what any unkept body may be ahead')
  reader.stalled = false
  reader.wake()
  body.trim()
  assert.deepEqual([bytesHeld() - before, reader.got], [0, 16 * MIB])
})
