//! The body of one request as a stream: takes the socket's bytes by the message framing, tells when to stop reading.
import { Readable } from 'node:stream'
import { ChunkedReader } from './chunked.ts'

/** Chunks below this size on average are joined. */
const SMALL_CHUNK_BYTES = 1_024

export interface BodyOwner {
  pauseBody(): void
  resumeBody(): void
  /** Somebody asked for the body: the moment for `100 Continue`. */
  bodyWanted(): void
}

export class RequestBody {
  /** Declared length in bytes; null for a chunked body. */
  readonly length: number | null
  complete = false
  /** Bytes thrown away because nobody wants them any more. */
  discarded = 0
  readonly #owner: BodyOwner
  readonly #readable: Readable
  readonly #chunked: ChunkedReader | null
  #left: number
  #wanted = true

  constructor(owner: BodyOwner, length: number | null) {
    this.#owner = owner
    this.length = length
    this.#left = length ?? 0
    this.#chunked = length === null ? new ChunkedReader() : null
    this.#readable = new Readable({
      read: () => owner.resumeBody(),
      destroy: (error, done) => {
        this.#wanted = false
        done(error)
        if (!this.complete) owner.resumeBody()
      },
    })
    // A body that is cut off has an error even when nobody reads it.
    this.#readable.on('error', () => {})
  }

  /** Bytes still to come; null when a chunked body does not tell. */
  get left(): number | null {
    return this.#chunked === null ? this.#left : null
  }

  /** Fields behind a chunked body, name, value, name, value ...; all of them once it has ended. */
  get trailers(): readonly string[] {
    return this.#chunked?.trailers ?? []
  }

  stream(): Readable {
    this.#owner.bodyWanted()
    return this.#readable
  }

  /** Takes bytes from `from`; returns where the body ended, `bytes.length` when it goes on, -1 when it is malformed. */
  feed(bytes: Buffer, from: number): number {
    if (this.#chunked !== null) {
      const pieces: Buffer[] = []
      const { outcome, used } = this.#chunked.read(bytes, from, (data) => pieces.push(data))
      if (outcome === 'malformed') return -1
      this.#takeAll(pieces, used - from)
      if (outcome === 'end') this.#finish()
      return used
    }
    const end = Math.min(bytes.length, from + this.#left)
    this.#left -= end - from
    if (end > from) this.#take(bytes.subarray(from, end))
    if (this.#left === 0) this.#finish()
    return end
  }

  /** Nobody will read the rest. */
  discard(): void {
    this.#wanted = false
    this.#readable.destroy()
  }

  /** The connection broke, or the body is malformed. */
  fail(why: string): void {
    if (!this.complete) this.#readable.destroy(new Error(why))
  }

  /** Many small chunks of one read go as one: each alone would take many times its bytes of memory, here and onward. */
  #takeAll(pieces: readonly Buffer[], bytes: number): void {
    if (pieces.length > 1 && bytes / pieces.length < SMALL_CHUNK_BYTES) this.#take(Buffer.concat(pieces))
    else for (const piece of pieces) this.#take(piece)
  }

  #take(data: Buffer): void {
    if (!this.#wanted) this.discarded += data.length
    else if (!this.#readable.push(data)) this.#owner.pauseBody()
  }

  #finish(): void {
    this.complete = true
    if (this.#wanted) this.#readable.push(null)
  }
}
