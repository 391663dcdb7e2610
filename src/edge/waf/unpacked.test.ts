//! What a packed body may ask of the edge.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unframedHeaders } from '../listen/header-block.ts'
import { unpacked } from './unpacked.ts'

/** A frame of zstd (RFC 8878 3.1.1) with a window of 2^`log` bytes and "evil" in a raw block, without a content size. */
const frame = (log: number): Buffer =>
  Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, (4 << 3) | 1, 0, 0]), Buffer.from('evil')])

test('zstd: a frame that wants more than 8 MB of memory counts as one that cannot be unpacked', async () => {
  const headers = unframedHeaders(['Content-Encoding', 'zstd'], '')
  const of = async (log: number) => {
    const found = await unpacked(frame(log), true, headers, 16_384)
    return [found?.bytes.toString(), found?.whole]
  }
  assert.deepEqual(await of(23), ['evil', true])
  assert.deepEqual(await of(27), ['', false])
})
