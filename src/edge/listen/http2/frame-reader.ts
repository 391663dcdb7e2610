//! Cuts the bytes of a connection into frames (RFC 9113 4.1). A frame that is whole in one read is not copied.
import { FRAME_HEAD_BYTES } from './frames.ts'

export interface FrameTaker {
  /**
   * One frame; its payload is `bytes` from `from` to `end`, and lasts for this call alone unless it is a DATA frame's.
   * @returns false to stop reading for good
   */
  frame(type: number, flags: number, id: number, bytes: Buffer, from: number, end: number): boolean
  /** A frame with more bytes than we said we take. */
  tooLong(): void
}

export class FrameReader {
  readonly #taker: FrameTaker
  readonly #payloadMax: number
  /** A frame whose beginning has come: what of it is there, in memory for all of it once its head is known. */
  #held: Buffer | null = null
  #heldBytes = 0

  constructor(taker: FrameTaker, payloadMax: number) {
    this.#taker = taker
    this.#payloadMax = payloadMax
  }

  /** A frame has begun and not ended. */
  get midFrame(): boolean {
    return this.#held !== null
  }

  /** Reads from `at`. */
  read(bytes: Buffer, at: number): void {
    let from = at
    if (this.#held !== null) {
      from = this.#complete(this.#held, bytes, from)
      if (from < 0) return
    }
    while (bytes.length - from >= FRAME_HEAD_BYTES) {
      const length = lengthAt(bytes, from)
      if (length > this.#payloadMax) return void this.#taker.tooLong()
      const end = from + FRAME_HEAD_BYTES + length
      if (end > bytes.length) break
      if (!this.#take(bytes, from, end)) return
      from = end
    }
    if (from < bytes.length) this.#hold(bytes, from)
  }

  #take(bytes: Buffer, from: number, end: number): boolean {
    const id = ((bytes[from + 5]! & 0x7f) << 24) | (bytes[from + 6]! << 16) | (bytes[from + 7]! << 8) | bytes[from + 8]!
    return this.#taker.frame(bytes[from + 3]!, bytes[from + 4]!, id, bytes, from + FRAME_HEAD_BYTES, end)
  }

  #hold(bytes: Buffer, from: number): void {
    const known = bytes.length - from
    const size = known < FRAME_HEAD_BYTES ? FRAME_HEAD_BYTES : FRAME_HEAD_BYTES + lengthAt(bytes, from)
    this.#held = Buffer.allocUnsafeSlow(size)
    bytes.copy(this.#held, 0, from)
    this.#heldBytes = known
  }

  /** Fills the held frame up; returns where the next one begins, -1 when there is no next one yet. */
  #complete(begun: Buffer, bytes: Buffer, from: number): number {
    let held = begun
    let at = from + bytes.copy(held, this.#heldBytes, from)
    this.#heldBytes += at - from
    if (held.length === FRAME_HEAD_BYTES && this.#heldBytes === FRAME_HEAD_BYTES) {
      const length = lengthAt(held, 0)
      if (length > this.#payloadMax) {
        this.#held = null
        this.#taker.tooLong()
        return -1
      }
      const whole = Buffer.allocUnsafeSlow(FRAME_HEAD_BYTES + length)
      held.copy(whole)
      held = whole
      this.#held = whole
      const more = bytes.copy(whole, FRAME_HEAD_BYTES, at)
      at += more
      this.#heldBytes += more
    }
    if (this.#heldBytes < held.length) return -1
    this.#held = null
    this.#heldBytes = 0
    return this.#take(held, 0, held.length) ? at : -1
  }
}

const lengthAt = (bytes: Buffer, at: number): number => (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
