//! The body of one request as a stream. The viewer's window opens again only as the bytes are read.
import { Readable } from 'node:stream'
import type { ViewerBody } from '../viewer.ts'

export interface BodyOwner {
  /** So many bytes of the window may be used again. */
  taken(bytes: number): void
  /** Somebody asked for the body: the moment for 100 Continue. */
  wanted(): void
  /** Somebody reads again, who did not. */
  resumed(): void
  /** As of ViewerBody. */
  unhurried(): void
}

/** Bytes that the stream holds for its reader before it says that there are enough. */
const READABLE_BYTES = 16_384
/** Smaller pieces are put together: each alone takes many times its bytes. */
const JOINED_BYTES = 4_096

export class RequestBody implements ViewerBody {
  /** Content-Length; null when there was none. */
  readonly length: number | null
  trailers: readonly string[] = []
  complete = false
  readonly #owner: BodyOwner
  readonly #readable: Readable
  /** What came while nobody read. */
  #held: Buffer[] = []
  /** Bytes of the last held piece when it is ours to write behind. */
  #joined = 0
  #reads = true
  #isWanted = true

  constructor(owner: BodyOwner, length: number | null) {
    this.#owner = owner
    this.length = length
    this.#readable = new Readable({
      highWaterMark: READABLE_BYTES,
      read: () => this.#resume(),
      destroy: (error, done) => {
        this.#isWanted = false
        this.#dropHeld()
        done(error)
      },
    })
    // A body that is cut off has an error even when nobody reads it.
    this.#readable.on('error', () => {})
  }

  /** Nobody reads for now: what comes is held. */
  get isPaused(): boolean {
    return this.#isWanted && !this.#reads
  }

  stream(): Readable {
    this.#owner.wanted()
    return this.#readable
  }

  unhurried(): void {
    this.#owner.unhurried()
  }

  /** `bytes` may be memory that lives on. */
  take(bytes: Buffer): void {
    if (!this.#isWanted) this.#owner.taken(bytes.length)
    else if (this.#reads) this.#push(bytes.length < JOINED_BYTES ? Buffer.from(bytes) : bytes)
    else this.#hold(bytes)
  }

  /** All of it has come. */
  finish(trailers: readonly string[]): void {
    this.trailers = trailers
    this.complete = true
    if (this.#isWanted && this.#held.length === 0) this.#readable.push(null)
  }

  /** Nobody will read the rest. */
  discard(): void {
    this.#isWanted = false
    this.#dropHeld()
    this.#readable.destroy()
  }

  /** The stream broke. */
  fail(why: string): void {
    if (!this.complete) this.#readable.destroy(new Error(why))
  }

  #push(bytes: Buffer): void {
    this.#reads = this.#readable.push(bytes)
    this.#owner.taken(bytes.length)
  }

  #hold(bytes: Buffer): void {
    const last = this.#held.at(-1)
    if (last !== undefined && this.#joined > 0 && this.#joined + bytes.length <= last.length) {
      bytes.copy(last, this.#joined)
      this.#joined += bytes.length
      return
    }
    this.#closeJoined()
    if (bytes.length >= JOINED_BYTES) this.#held.push(bytes)
    else {
      const joined = Buffer.allocUnsafeSlow(JOINED_BYTES)
      this.#joined = bytes.copy(joined)
      this.#held.push(joined)
    }
  }

  #closeJoined(): void {
    if (this.#joined === 0) return
    this.#held.push(this.#held.pop()!.subarray(0, this.#joined))
    this.#joined = 0
  }

  #resume(): void {
    if (this.#reads) return
    this.#reads = true
    this.#closeJoined()
    while (this.#reads && this.#held.length > 0) this.#push(this.#held.shift()!)
    if (!this.#reads) return
    if (this.complete) this.#readable.push(null)
    else this.#owner.resumed()
  }

  #dropHeld(): void {
    this.#closeJoined()
    for (const bytes of this.#held.splice(0)) this.#owner.taken(bytes.length)
  }
}
