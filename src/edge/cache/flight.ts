//! One fetch under way, read by everybody who waits for it while its bytes arrive: the head, the body so far, who reads,
//! and what is to be done with it at its end. Kept bytes are bounded; unkept ones wait for their readers.
import type { NotStoredReason } from '../../domain/outcomes.ts'
import type { ContentCoding } from '../../http/compressible.ts'
import type { FreshnessReason } from '../../http/freshness.ts'
import { OriginFailure } from '../origin/failure.ts'
import type { OriginSink, SourceControl } from '../origin/pool.ts'

/** Bytes that an unkept answer may be ahead of its slowest reader before the origin is asked to pause. */
const AHEAD_BYTES_MAX = 1024 * 1024
/** Bytes that all kept answers under way may take together; beyond it answers stream through without being kept. */
const KEPT_BYTES_MAX = 256 * 1024 * 1024

/** The head of an answer, ready for viewers; everything that this request's decisions made of the origin's. */
export interface Answer {
  readonly status: number
  /** Status line and header lines, without those that each delivery adds; ends with a line break. */
  readonly head: string
  /** The same with the fields that may not be stored (`no-cache="Set-Cookie"`), for the viewer whose request fetched it. */
  readonly leaderHead?: string
  /** Null when the length is not known before the end. */
  readonly length: number | null
  readonly contentType: string
  readonly etag: string
  readonly lastModified: string
  /** Clock.now() when the answer's freshness began, moved back by the Age it came with. */
  readonly bornAt: number
  readonly freshUntil: number
  readonly staleUntil: number
  readonly swrUntil: number
  readonly ttlSource: FreshnessReason
  readonly notStored: NotStoredReason | null
  /** Revision under which the fetch at the origin began. */
  readonly asOf: number
  /** As of ObjectMeta. */
  readonly tags: string
  readonly variant: string
}

/** What the leader made of the head, for those who wait. */
export type Verdict =
  /** Read along. */
  | 'shared'
  /** Not to be shared: fetch for yourself. */
  | 'alone'
  /** Something usable is in the cache now (revalidated, or stale and kept on): look again. */
  | 'look-again'
  | 'failed'

export interface FlightReader {
  /** There is more to read, or the end has come. Called synchronously as bytes arrive. */
  wake(): void
}

/** Where a filter puts what it made. */
export interface FilteredBody {
  onFiltered(chunk: Uint8Array): void
  onFilteredEnd(): void
  onFilterFailure(error: Error): void
}

/** Stands between the origin and the readers: a compression. Takes what comes; its maker bounds how much that can be. */
export interface BodyFilter {
  attach(body: FilteredBody): void
  write(chunk: Uint8Array): void
  end(): void
  /** Nothing of it is wanted any more. */
  abort(): void
}

/** What all flights of this process hold for the cache. */
let keptBytes = 0

export class Flight implements OriginSink, FilteredBody {
  /** Changed by Flights.move. */
  key: string
  /** Revision of the snapshot under which it began. */
  readonly asOf: number
  status = 0
  statusText = ''
  /** Name, value, name, value ... as the origin sent them. */
  headers: readonly string[] = []
  failure: OriginFailure | null = null
  ended = false
  /** Of the body as readers get it. */
  bytes = 0
  /** Of the body as the source sent it. */
  received = 0
  /** Content coding that the filter applies; null without one. */
  coding: ContentCoding | null = null
  /** Asked once, with the head, before any byte of the body; set by the leader. */
  chooseFilter: ((status: number, headers: readonly string[]) => BodyFilter | null) | null = null
  #filter: BodyFilter | null = null
  /** Set by the leader before it decides. */
  answer: Answer | null = null
  /** Resolves when the head or the failure is here: for the leader. */
  readonly whenHead: Promise<void>
  /** Resolves when the leader has decided: for those who wait. */
  readonly whenDecided: Promise<Verdict>
  /** Called once when the last byte is here, before readers hear of it. */
  #onComplete: ((chunks: readonly Uint8Array[]) => void) | null = null
  #onTooBig: (() => void) | null = null
  #keepBytesMax = Number.POSITIVE_INFINITY
  /** Called once when it is over, in whatever way. */
  onOver: (() => void) | null = null
  source: SourceControl | null = null
  /** Chunks are kept for the cache and late readers; otherwise they go when the slowest reader has passed. */
  #keep = true
  #chunks: Uint8Array[] = []
  #firstChunk = 0
  #readers = new Set<FlightReader & { readonly at: number }>()
  /** Requests that count on this fetch, reading or not yet. */
  #interested = 1
  #paused = false
  #headHere: () => void = () => {}
  #decide: (verdict: Verdict) => void = () => {}
  #decided = false

  constructor(key: string, asOf: number) {
    this.key = key
    this.asOf = asOf
    this.whenHead = new Promise((resolve) => {
      this.#headHere = resolve
    })
    this.whenDecided = new Promise((resolve) => {
      this.#decide = resolve
    })
  }

  // A fetch that was let go may still be heard of: its source ends in its own time.
  onHead(status: number, statusText: string, headers: readonly string[]): void {
    if (this.over) return
    this.status = status
    this.statusText = statusText
    this.headers = headers
    this.#filter = this.chooseFilter?.(status, headers) ?? null
    this.#filter?.attach(this)
    this.#headHere()
  }

  onData(chunk: Uint8Array): void {
    if (this.over) return
    this.received += chunk.length
    if (this.#filter === null) this.onFiltered(chunk)
    else this.#filter.write(chunk)
  }

  onFiltered(chunk: Uint8Array): void {
    if (this.over) return
    this.bytes += chunk.length
    this.#chunks.push(chunk)
    if (this.#keep) {
      keptBytes += chunk.length
      if (this.bytes > this.#keepBytesMax || keptBytes > KEPT_BYTES_MAX) this.#giveUpKeeping()
    }
    this.#wakeAll()
    this.#trim()
  }

  onEnd(): void {
    if (this.over) return
    if (this.#filter === null) this.onFilteredEnd()
    else this.#filter.end()
  }

  onFilterFailure(error: Error): void {
    this.onFailure(new OriginFailure('reset', `the body could not be compressed: ${error.message}`))
  }

  onFilteredEnd(): void {
    if (this.over) return
    this.ended = true
    if (this.#keep) this.#onComplete?.(this.#chunks)
    this.#over()
  }

  onFailure(failure: OriginFailure): void {
    if (this.over) return
    this.failure = failure
    this.#filter?.abort()
    this.#headHere()
    this.#over()
  }

  #over(): void {
    if (this.#keep) keptBytes -= this.bytes
    this.onOver?.()
    this.onOver = null
    this.#wakeAll()
  }

  #wakeAll(): void {
    for (const reader of this.#readers) reader.wake()
  }

  /** Tells those who wait; only the first call counts. */
  decide(verdict: Verdict): void {
    if (this.#decided) return
    this.#decided = true
    this.#decide(verdict)
  }

  get decided(): boolean {
    return this.#decided
  }

  get over(): boolean {
    return this.ended || this.failure !== null
  }

  /** True while a new reader can still have every byte. */
  get keeps(): boolean {
    return this.#keep
  }

  /** Hands the whole body to `onComplete` once it is here, unless it grows over `bytesMax`; then `onTooBig` is called. */
  keepUpTo(bytesMax: number, onComplete: (chunks: readonly Uint8Array[]) => void, onTooBig: () => void): void {
    this.#keepBytesMax = bytesMax
    this.#onTooBig = onTooBig
    if (this.bytes > bytesMax) this.#giveUpKeeping()
    else if (this.ended) onComplete(this.#chunks)
    else this.#onComplete = onComplete
  }

  #giveUpKeeping(): void {
    this.#onTooBig?.()
    this.stopKeeping()
  }

  /** The body is not for the cache: chunks that all readers have passed are let go. */
  stopKeeping(): void {
    if (this.#keep && !this.over) keptBytes -= this.bytes
    this.#keep = false
    this.#trim()
  }

  /** One more request counts on it. Each must `leave` once. */
  join(): void {
    this.#interested++
  }

  /** A fetch that nobody waits for is broken off; CloudFront does not keep it either (spec 5.7). */
  leave(): void {
    this.#interested--
    if (this.#interested > 0 || this.over) return
    this.source?.abort()
    this.#filter?.abort()
    this.failure ??= new OriginFailure('reset', 'all viewers have gone')
    this.#headHere()
    this.#over()
  }

  read(reader: FlightReader & { readonly at: number }): void {
    this.#readers.add(reader)
  }

  stopReading(reader: FlightReader & { readonly at: number }): void {
    this.#readers.delete(reader)
    this.#trim()
  }

  /** Chunk number `at` from the beginning of the body, or undefined when it is not here yet. */
  chunk(at: number): Uint8Array | undefined {
    return this.#chunks[at - this.#firstChunk]
  }

  /** A reader has moved on. */
  progressed(): void {
    if (!this.#keep) this.#trim()
  }

  #trim(): void {
    if (this.#keep) return
    let slowest = this.#firstChunk + this.#chunks.length
    for (const reader of this.#readers) slowest = Math.min(slowest, reader.at)
    // Without a reader yet (the head is only being decided on) nothing may go.
    if (this.#readers.size > 0 && slowest > this.#firstChunk) {
      this.#chunks.splice(0, slowest - this.#firstChunk)
      this.#firstChunk = slowest
    }
    let ahead = 0
    for (const chunk of this.#chunks) ahead += chunk.length
    if (ahead > AHEAD_BYTES_MAX && !this.#paused) {
      this.#paused = true
      this.source?.pause()
    } else if (ahead <= AHEAD_BYTES_MAX / 2 && this.#paused) {
      this.#paused = false
      this.source?.resume()
    }
  }
}
