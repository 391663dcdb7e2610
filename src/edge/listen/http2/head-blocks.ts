//! Header blocks of a connection (RFC 9113 4.3): HEADERS and its CONTINUATION frames put together and decoded.
import type { ListenLimits } from '../limits.ts'
import { HpackDecoder } from './hpack/decoder.ts'
import type { Field } from './hpack/field.ts'
import { HTTP2_LIMITS, type Http2LimitName } from './limits.ts'

export class HeadBlocks {
  /** The fields of the last block. */
  readonly fields: Field[] = []
  /** Of the block that is not whole yet: its stream, and whether its HEADERS frame ended the viewer's side. */
  id = 0
  endsStream = false
  /** Clock.monotonic() at which the block must be whole. */
  deadline = Number.POSITIVE_INFINITY
  readonly #decoder: HpackDecoder
  readonly #headMs: number
  #pieces: Buffer[] = []
  #bytes = 0

  constructor({ headBytes, headers, headMs }: ListenLimits) {
    // Those of the request line are fields here.
    this.#decoder = new HpackDecoder({ bytes: headBytes, fields: headers + 4 })
    this.#headMs = headMs
  }

  get isOpen(): boolean {
    return this.id !== 0
  }

  /** The last block had more than the limits allow; `fields` has only its beginning. */
  get overBounds(): boolean {
    return this.#decoder.overBounds
  }

  /** Begins one that is not whole yet. */
  open(id: number, endsStream: boolean, piece: Buffer, now: number): void {
    this.id = id
    this.endsStream = endsStream
    this.deadline = now + this.#headMs
    this.#pieces = [Buffer.from(piece)]
    this.#bytes = piece.length
  }

  /** The limit that it is over, null for none. */
  append(piece: Buffer): Http2LimitName | null {
    if (this.#pieces.length > HTTP2_LIMITS.continuations) return 'continuations'
    this.#bytes += piece.length
    if (this.#bytes > HTTP2_LIMITS.headerBlockBytes) return 'headerBlockBytes'
    this.#pieces.push(Buffer.from(piece))
    return null
  }

  /** The open one is whole; false when it is no header block. */
  close(): boolean {
    const whole = Buffer.concat(this.#pieces)
    this.id = 0
    this.deadline = Number.POSITIVE_INFINITY
    this.#pieces = []
    return this.decode(whole, 0, whole.length)
  }

  /** One that came in one piece. */
  decode(bytes: Buffer, from: number, end: number): boolean {
    this.fields.length = 0
    return this.#decoder.decode(bytes, from, end, this.fields)
  }
}
