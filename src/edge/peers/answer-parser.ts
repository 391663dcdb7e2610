//! Takes the answer of a peer apart: lines, then the head, then the body in pieces (peers/protocol.ts).
import { type PeerAlone, type PeerHead, type PeerHint, TRAILERS } from './protocol.ts'

/** Bytes of the head's line; a longer one is not from a worker of ours. */
const HEAD_BYTES_MAX = 256 * 1024

export interface AnswerParts {
  /** What comes before the head. */
  early(line: PeerHint | PeerAlone): void
  head(head: PeerHead): void
  data(chunk: Uint8Array): void
  end(trailers: readonly string[]): void
}

/** Takes an answer apart as its bytes arrive. */
export class AnswerParser {
  readonly #parts: AnswerParts
  #rest: Buffer = Buffer.alloc(0)
  /** Bytes of the current piece that are still to come; -1 while its length is. */
  #left = -1
  #state: 'head' | 'body' | 'over' = 'head'
  #trailers: readonly string[] = []
  /** True after a head that a body follows. */
  answered = false

  constructor(parts: AnswerParts) {
    this.#parts = parts
  }

  /** False when this is not an answer of ours. */
  read(chunk: Buffer): boolean {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    while (this.#state === 'head') {
      const end = bytes.indexOf(10)
      if (end < 0) {
        this.#rest = bytes
        return bytes.length <= HEAD_BYTES_MAX
      }
      let line: PeerHead | PeerHint | PeerAlone
      try {
        line = JSON.parse(bytes.toString('utf8', 0, end)) as PeerHead | PeerHint | PeerAlone
      } catch {
        return false
      }
      bytes = bytes.subarray(end + 1)
      if (line.kind === 'hint' || line.kind === 'alone') {
        this.#parts.early(line)
        continue
      }
      this.answered = line.kind === 'answer'
      this.#state = 'body'
      this.#parts.head(line)
    }
    this.#rest = this.#body(bytes)
    return this.#rest.length <= HEAD_BYTES_MAX
  }

  /** Hands on what is there of the body; returns what is not enough to go on with. */
  #body(bytes: Buffer): Buffer {
    let at = 0
    while (this.#state === 'body') {
      if (this.#left < 0) {
        if (bytes.length - at < 4) break
        const left = bytes.readUInt32BE(at)
        if (left === TRAILERS) {
          const from = at + 8
          const to = bytes.length < from ? Number.POSITIVE_INFINITY : from + bytes.readUInt32BE(at + 4)
          if (bytes.length < to) break
          this.#trailers = JSON.parse(bytes.toString('utf8', from, to)) as string[]
          at = to
          continue
        }
        this.#left = left
        at += 4
        if (left === 0) {
          this.#state = 'over'
          this.#parts.end(this.#trailers)
          break
        }
      }
      if (at === bytes.length) break
      const piece = bytes.subarray(at, at + this.#left)
      at += piece.length
      this.#left -= piece.length
      if (this.#left === 0) this.#left = -1
      this.#parts.data(piece)
    }
    return bytes.subarray(at)
  }
}
