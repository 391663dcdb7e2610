//! One slice on its way to one viewer: an exchange of the edge's own, whose answer is collected here. What comes from
//! memory is not copied: it is held until whoever took it has sent it.
import type { ResultType } from '../../domain/result-types.ts'
import { rangeLength } from '../../http/range.ts'
import type { Answer } from '../cache/flight.ts'
import { type SliceAsked, sliceKey, sliceRange } from '../cache/slices.ts'
import type { Edge } from '../edge.ts'
import { type EdgeFault, Exchange, type PeerAnswer, type Told } from '../exchange.ts'
import type { ViewerReply } from '../listen/viewer.ts'
import { ORIGIN_FAILURES } from '../origin/failure.ts'
import { to } from '../stage.ts'

/** Bytes of a slice in the order of the object; whoever takes them calls `onSent` once, as of ViewerReply.write. */
export interface SliceChunk {
  readonly bytes: Uint8Array
  readonly onSent: (() => void) | null
}

export class SliceFetch implements ViewerReply, PeerAnswer {
  readonly slice: SliceAsked
  readonly closes = false
  readonly remote = false
  onDrain: (() => void) | null = null
  onAbort: (() => void) | null = null
  /** Bytes that have come. */
  bytesSent = 0
  gone = false
  /** Where the slice comes from; null while that is not known. */
  result: ResultType | null = null
  /** Why it cannot be had, or not all of it. */
  failure: EdgeFault | null = null
  /** Every byte has come. */
  ended = false
  readonly #onProgress: () => void
  #chunks: SliceChunk[] = []
  /** What comes is for the cache alone. */
  #unread = false

  /** `onProgress` is called when more is known or more bytes are here, also before this returns. */
  constructor(slice: SliceAsked, onProgress: () => void) {
    this.slice = slice
    this.#onProgress = onProgress
  }

  /** Asks for it in the name of a viewer's request, whose answer may have begun. */
  begin(x: Exchange, edge: Edge, partOfBegun: boolean): void {
    const inner = new Exchange(x.request, this, x.snapshot, x.place, this, 'slice', this.slice)
    inner.requestId = x.requestId
    inner.speaksFor(x)
    inner.distribution = x.distribution
    inner.behavior = x.behavior
    inner.path = x.path
    inner.cacheable = true
    inner.partOfBegun = partOfBegun
    inner.key = sliceKey(this.slice)
    edge.walkInner(inner, to.cacheLookup)
  }

  /** The next bytes, or null when there are none yet (or no more). */
  take(): SliceChunk | null {
    return this.#chunks.shift() ?? null
  }

  /** True when all bytes have come and been taken. */
  get spent(): boolean {
    return this.ended && this.#chunks.length === 0
  }

  /** Nobody here reads on; the slice still comes to its end, for the cache. */
  letGo(): void {
    this.#unread = true
    for (const { onSent } of this.#chunks) onSent?.()
    this.#chunks = []
  }

  /** Nothing more of it is wanted: a fetch that nobody else wants ends. */
  leave(): void {
    this.letGo()
    this.gone = true
    if (!this.ended) this.onAbort?.()
  }

  announce(_answer: Answer, { result }: Told): void {
    this.result = result
  }

  whole(_head: string, body: Uint8Array | null, onSent: (() => void) | null): void {
    if (body !== null) this.#add(body, onSent)
    this.end()
  }

  head(): void {
    this.#onProgress()
  }

  /** A slice is small: it is taken as it comes. */
  write(chunk: Uint8Array, onSent?: () => void): boolean {
    this.#add(chunk, onSent ?? null)
    this.#onProgress()
    return true
  }

  end(): void {
    if (this.bytesSent === rangeLength(sliceRange(this.slice))) {
      this.ended = true
      this.#onProgress()
    } else this.abort()
  }

  abort(): void {
    this.fault({ ...ORIGIN_FAILURES.reset, origin: 'reset' })
  }

  fault(fault: EdgeFault): void {
    this.failure ??= fault
    this.#onProgress()
  }

  #add(bytes: Uint8Array, onSent: (() => void) | null): void {
    this.bytesSent += bytes.length
    if (this.#unread) onSent?.()
    else this.#chunks.push({ bytes, onSent })
  }
}
