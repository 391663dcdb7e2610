//! Frames on their way to the socket: they are put together in one piece of memory, which goes out in one write.
import type { Socket } from 'node:net'
import { FRAME, FRAME_HEAD_BYTES } from './frames.ts'

const SCRATCH_BYTES = 288 * 1024
/** Memory of no connection: a few are enough, for nobody keeps one beyond the turn of the event loop. */
const SPARE_MAX = 4
const spare: Buffer[] = []

export class Output {
  /** Valid up to `at`; empty memory while nothing waits. */
  bytes: Buffer = NOTHING
  at = 0

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const size = this.at + count
    if (size <= this.bytes.length) return
    const before = this.bytes
    this.bytes =
      size <= SCRATCH_BYTES ? (spare.pop() ?? Buffer.allocUnsafeSlow(SCRATCH_BYTES)) : Buffer.allocUnsafeSlow(size * 2)
    before.copy(this.bytes, 0, 0, this.at)
    letGo(before)
  }

  /** Writes the head of a frame (RFC 9113 4.1); its room is made already. */
  frameHead(length: number, type: number, flags: number, id: number): void {
    writeFrameHead(this.bytes, this.at, length, type, flags, id)
    this.at += FRAME_HEAD_BYTES
  }

  /** A whole frame whose payload is one number of four bytes, or none. */
  shortFrame(type: number, flags: number, id: number, value: number | null): void {
    this.reserve(FRAME_HEAD_BYTES + 4)
    this.frameHead(value === null ? 0 : 4, type, flags, id)
    if (value !== null) this.at = this.bytes.writeUInt32BE(value, this.at)
  }

  /** A whole frame with any payload. */
  longFrame(type: number, flags: number, id: number, payload: Uint8Array): void {
    this.reserve(FRAME_HEAD_BYTES + payload.length)
    this.frameHead(payload.length, type, flags, id)
    this.bytes.set(payload, this.at)
    this.at += payload.length
  }

  data(id: number, chunk: Uint8Array, isLast: boolean): void {
    this.longFrame(FRAME.data, isLast ? 1 : 0, id, chunk)
  }

  /** All of it goes to the socket, which is one of TLS. */
  flush(socket: Socket): void {
    const { bytes, at } = this
    if (at === 0) return
    this.bytes = NOTHING
    this.at = 0
    // TLS encrypts what it is given in the call that gives it; what waits for an earlier write is kept as it is.
    if (socket.writableLength === 0 && socket.writableCorked === 0) {
      socket.write(bytes.subarray(0, at))
      letGo(bytes)
    } else {
      socket.write(Buffer.from(bytes.subarray(0, at)))
      letGo(bytes)
    }
  }
}

const NOTHING = Buffer.alloc(0)

function letGo(bytes: Buffer): void {
  if (bytes.length === SCRATCH_BYTES && spare.length < SPARE_MAX) spare.push(bytes)
}

export function writeFrameHead(
  into: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  id: number,
): void {
  into[at] = length >>> 16
  into[at + 1] = length >>> 8
  into[at + 2] = length
  into[at + 3] = type
  into[at + 4] = flags
  into[at + 5] = id >>> 24
  into[at + 6] = id >>> 16
  into[at + 7] = id >>> 8
  into[at + 8] = id
}
