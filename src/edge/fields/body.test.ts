import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { FIELD_LIMITS } from '../../domain/field-encryption.ts'
import type { ViewerBody } from '../listen/viewer.ts'
import { FieldBodies, wholeBody } from './body.ts'

const chunked = (...chunks: readonly (number | Error)[]): ViewerBody => {
  async function* parts() {
    for (const part of chunks) {
      if (part instanceof Error) throw part
      yield Buffer.alloc(part, 'a')
    }
  }
  return { length: null, stream: () => Readable.from(parts(), { objectMode: false }), trailers: [], complete: false }
}

const { bodyBytes } = FIELD_LIMITS

test('a body is taken whole, and counts as held until it is let go', async () => {
  const bodies = new FieldBodies()
  const share = { bytes: 0 }
  assert.equal((await bodies.take(chunked(10, 20), share)).toString(), 'a'.repeat(30))
  assert.deepEqual([bodies.held, share.bytes], [30, 30])
  assert.ok(bodies.hold(share, 5))
  bodies.release(share)
  bodies.release(share)
  assert.deepEqual([bodies.held, share.bytes], [0, 0])
  assert.deepEqual(await bodies.take(wholeBody(Buffer.from('b')), share), Buffer.from('b'))
})

test('a body may have 1 MB: a longer one is not asked for when it says so, and read no further when it does not', async () => {
  const bodies = new FieldBodies()
  const share = { bytes: 0 }
  const declared = { ...chunked(), length: bodyBytes + 1, stream: assert.fail }
  assert.equal(await bodies.take(declared, share), 'too-long')
  assert.equal(await bodies.take(chunked(bodyBytes, 1, new Error('read on')), share), 'too-long')
  bodies.release(share)
  assert.equal((await bodies.take(chunked(bodyBytes - 1, 1), share)).length, bodyBytes)
})

test('there is no room beyond the limit of the worker, and none is lost to a body that breaks off', async () => {
  const bodies = new FieldBodies(100)
  const [one, other] = [{ bytes: 0 }, { bytes: 0 }]
  assert.equal((await bodies.take(chunked(60), one)).length, 60)
  assert.equal(await bodies.take(chunked(30, 30), other), 'busy')
  bodies.release(other)
  assert.equal(await bodies.take(chunked(30, new Error('gone')), other), 'broken')
  bodies.release(other)
  assert.equal(bodies.held, 60)
  assert.ok(!bodies.hold(other, 41))
  assert.ok(bodies.hold(other, 40))
})
