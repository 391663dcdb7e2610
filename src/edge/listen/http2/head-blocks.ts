//! Header blocks of a connection (RFC 9113 4.3): HEADERS and its CONTINUATION frames put together and decoded.
import type { ListenLimits } from '../limits.ts'
import { HpackDecoder } from './hpack/decoder.ts'
import type { Field } from './hpack/field.ts'
import { HTTP2_LIMITS, type Http2LimitName } from './limits.ts'

/** Longer ones are not remembered. */
const REMEMBERED_BYTES = 256

/** A whole block, decoded. */
export interface DecodedBlock {
  readonly fields: readonly Field[]
  /** There were more than the limits allow; `fields` has only the first of them. */
  readonly overBounds: boolean
  /** The same as long as the fields are those of the block before. */
  readonly version: number
}

export class HeadBlocks implements DecodedBlock {
  /** Of the last block. */
  readonly fields: Field[] = []
  version = 0
  /** Of the block that is not whole yet: its stream, and whether its HEADERS frame ended the viewer's side. */
  id = 0
  endsStream = false
  /** Clock.monotonic() at which the block must be whole. */
  deadline = Number.POSITIVE_INFINITY
  readonly #decoder: HpackDecoder
  readonly #headMs: number
  #pieces: Buffer[] = []
  #bytes = 0
  /** The last block, if it can be known again; -1 bytes if not. */
  #last = new Uint8Array(0)
  #lastBytes = -1
  #lastRevision = -1

  constructor({ headBytes, headers, headMs }: ListenLimits) {
    // Those of the request line are fields here.
    this.#decoder = new HpackDecoder({ bytes: headBytes, fields: headers + 4 })
    this.#headMs = headMs
  }

  get isOpen(): boolean {
    return this.id !== 0
  }

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
    const decoder = this.#decoder
    // The same bytes mean the same while the table is the same: a viewer that asks again for what it asked for before.
    if (decoder.revision === this.#lastRevision && isSame(this.#last, this.#lastBytes, bytes, from, end)) return true
    this.fields.length = 0
    this.version++
    const before = decoder.revision
    const isBlock = decoder.decode(bytes, from, end, this.fields)
    this.#lastBytes = -1
    if (end - from <= REMEMBERED_BYTES && decoder.revision === before) {
      if (this.#last.length === 0) this.#last = new Uint8Array(REMEMBERED_BYTES)
      this.#last.set(bytes.subarray(from, end))
      this.#lastBytes = end - from
      this.#lastRevision = before
    }
    return isBlock
  }
}

function isSame(last: Uint8Array, lastBytes: number, bytes: Buffer, from: number, end: number): boolean {
  if (end - from !== lastBytes) return false
  for (let at = 0; at < lastBytes; at++) if (last[at] !== bytes[from + at]) return false
  return true
}
