//! The bodies of requests whose fields are to be encrypted, taken in whole: an origin is asked only when all of a body
//! was seen and is as it must be. What all of them hold together is bounded.
import { Readable } from 'node:stream'
import { FIELD_LIMITS } from '../../domain/field-encryption.ts'
import type { ViewerBody } from '../listen/viewer.ts'

/** Bytes that bodies of one worker may take together, as they came and as they go on. */
const HELD_BYTES_MAX = 64 * 1024 * 1024

/** Why a body is not there: longer than a body may be; too much is held already; the viewer broke off. */
export type NoBody = 'too-long' | 'busy' | 'broken'

/** What one request holds of the memory for bodies. */
export interface HeldBytes {
  bytes: number
}

export class FieldBodies {
  readonly #max: number
  #held = 0

  constructor(max = HELD_BYTES_MAX) {
    this.#max = max
  }

  /** Bytes held now. */
  get held(): number {
    return this.#held
  }

  /** False when there is no room for them. */
  hold(share: HeldBytes, bytes: number): boolean {
    if (this.#held + bytes > this.#max) return false
    this.#held += bytes
    share.bytes += bytes
    return true
  }

  release(share: HeldBytes, bytes = share.bytes): void {
    this.#held -= bytes
    share.bytes -= bytes
  }

  /** The whole body; what was read of it counts as held by `share`, whatever comes of it. */
  async take(body: ViewerBody, share: HeldBytes): Promise<Buffer | NoBody> {
    // A viewer that waits for 100 Continue is not asked for what would be refused.
    if (body.length !== null && body.length > FIELD_LIMITS.bodyBytes) return 'too-long'
    const chunks: Buffer[] = []
    let bytes = 0
    const stream = body.stream()
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        bytes += chunk.length
        if (bytes > FIELD_LIMITS.bodyBytes) return 'too-long'
        if (!this.hold(share, chunk.length)) return 'busy'
        chunks.push(chunk)
      }
    } catch {
      return 'broken'
    }
    return Buffer.concat(chunks)
  }
}

/** A body that is all there. */
export const wholeBody = (bytes: Buffer): ViewerBody => ({
  length: bytes.length,
  stream: () => Readable.from([bytes], { objectMode: false }),
  trailers: [],
  complete: true,
})
