//! One fetch under way, read by everybody who waits for it while its bytes arrive: the head, the body so far, who reads,
//! and what is to be done with it at its end. Its bytes and how long they are held: flight-body.ts.
import type { Duplex } from 'node:stream'
import type { NotStoredReason } from '../../domain/outcomes.ts'
import type { ContentCoding } from '../../http/compressible.ts'
import { passedTrailers } from '../../http/trailers.ts'
import type { OriginSink, SourceControl } from '../origin/attempts.ts'
import { OriginFailure } from '../origin/failure.ts'
import { FlightBody, type FlightReader, type Lender } from './flight-body.ts'
import type { ObjectMeta } from './object.ts'

/** The head of an answer, ready for viewers; everything that this request's decisions made of the origin's. */
export interface Answer extends Omit<ObjectMeta, 'distributionId' | 'uri'> {
  /** `head` with the fields that may not be stored (`no-cache="Set-Cookie"`), for the viewer whose request fetched it. */
  readonly leaderHead?: string
  /** Null when the length is not known before the end. */
  readonly length: number | null
  /** Strict mode: names of the trailers that the origin announced and that may pass (http/trailers.ts). */
  readonly trailer?: string
  readonly notStored: NotStoredReason | null
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
  /** A worker has too much to do to fetch it. */
  | 'shed'

/** Why an answer that was to be kept is not. */
export type NotKept = Extract<NotStoredReason, 'over-object-limit' | 'memory-short'>

/** Takes the whole body when it is here; returns how readers that are behind may have it from the store. */
export type Keep = (chunks: readonly Uint8Array[]) => Lender | null

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
  /** The failure is ours: nobody wanted it any more. */
  abandoned = false
  ended = false
  /** Fields behind the body that may pass, name, value, name, value ...; none when a filter made another body of it. */
  trailers: readonly string[] = []
  /** Which of them; set by the leader. */
  passTrailers: (raw: readonly string[]) => readonly string[] = passedTrailers
  /** The origin's connection after 101, to be piped; null without. */
  upgraded: Duplex | null = null
  /** Hears of interim answers; set by the leader, for its own viewer. */
  onHint: ((status: number, headers: readonly string[]) => void) | null = null
  /** Of the body as the source sent it. */
  received = 0
  /** Content coding that the filter applies; null without one. */
  coding: ContentCoding | null = null
  /** Content coding that there was no room for; null for none. */
  owedCoding: ContentCoding | null = null
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
  #onComplete: Keep | null = null
  #onNotKept: ((why: NotKept) => void) | null = null
  #keepBytesMax = Number.POSITIVE_INFINITY
  /** Called once when it is over, in whatever way. */
  onOver: (() => void) | null = null
  source: SourceControl | null = null
  readonly #body = new FlightBody((pause) => {
    if (pause) this.source?.pause()
    else this.source?.resume()
  })
  /** Requests that count on this fetch, reading or not yet. */
  #interested = 1
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

  onInterim(status: number, headers: readonly string[]): void {
    if (!this.over) this.onHint?.(status, headers)
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

  /** It is over for the flight: what follows is a connection, no body. */
  onUpgrade(headers: readonly string[], socket: Duplex): void {
    if (this.over) {
      socket.destroy()
      return
    }
    this.status = 101
    this.headers = headers
    this.upgraded = socket
    this.ended = true
    this.#headHere()
    this.#over()
  }

  onData(chunk: Uint8Array): void {
    if (this.over) return
    this.received += chunk.length
    if (this.#filter === null) this.onFiltered(chunk)
    else this.#filter.write(chunk)
  }

  onFiltered(chunk: Uint8Array): void {
    if (this.over) return
    const fits = this.#body.push(chunk)
    if (this.#body.keeps) {
      if (this.bytes > this.#keepBytesMax) this.#giveUpKeeping('over-object-limit')
      else if (!fits) this.#giveUpKeeping('memory-short')
    }
    this.#body.wakeAll()
    this.#body.trim()
  }

  onEnd(trailers: readonly string[] = []): void {
    if (this.over) return
    if (this.#filter !== null) {
      this.#filter.end()
      return
    }
    this.trailers = this.passTrailers(trailers)
    this.onFilteredEnd()
  }

  onFilterFailure(error: Error): void {
    this.onFailure(new OriginFailure('reset', `the body could not be compressed: ${error.message}`))
  }

  onFilteredEnd(): void {
    if (this.over) return
    this.ended = true
    const lender = this.keeps ? (this.#onComplete?.(this.#body.chunks) ?? null) : null
    this.#over(lender)
  }

  /** The head cannot be used: the rest is not waited for. */
  refuse(failure: OriginFailure): void {
    this.source?.abort()
    // All of it may have come with the head.
    if (this.over) this.failure ??= failure
    else this.onFailure(failure)
  }

  onFailure(failure: OriginFailure): void {
    if (this.over) return
    this.failure = failure
    this.#filter?.abort()
    this.#headHere()
    this.#over()
  }

  #over(lender: Lender | null = null): void {
    this.#body.end(lender)
    this.onOver?.()
    this.onOver = null
    this.#body.wakeAll()
    this.#body.settle(this.#interested)
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
    return this.#body.keeps
  }

  /** The source was asked to wait, for all readers were far behind; after the end, whether it was so then. */
  get isPaused(): boolean {
    return this.#body.isPaused
  }

  /** Of the body as readers get it, so far. */
  get bytes(): number {
    return this.#body.bytes
  }

  /**
   * Hands the whole body to `onComplete` once it is here, unless it grows over `bytesMax` or there is no memory for it;
   * then `onNotKept` is called.
   */
  keepUpTo(bytesMax: number, onComplete: Keep, onNotKept: (why: NotKept) => void): void {
    this.#keepBytesMax = bytesMax
    this.#onNotKept = onNotKept
    if (!this.keeps) onNotKept('memory-short')
    else if (this.bytes > bytesMax) this.#giveUpKeeping('over-object-limit')
    else if (this.ended) this.#body.end(onComplete(this.#body.chunks))
    else this.#onComplete = onComplete
  }

  #giveUpKeeping(why: NotKept): void {
    this.#onNotKept?.(why)
    this.stopKeeping()
  }

  /** The body is not for the cache: chunks that all readers have passed are let go. */
  stopKeeping(): void {
    this.#body.stopKeeping()
  }

  /** One more request counts on it. Each must `leave` once. */
  join(): void {
    this.#interested++
  }

  /** A fetch that nobody waits for is broken off; CloudFront does not keep it either (spec 5.7). */
  leave(): void {
    this.#interested--
    if (this.#interested === 0 && !this.over) {
      this.source?.abort()
      this.#filter?.abort()
      this.failure = new OriginFailure('reset', 'all viewers have gone')
      this.abandoned = true
      this.#headHere()
      this.#over()
    }
    this.#body.settle(this.#interested)
  }

  read(reader: FlightReader): void {
    this.#body.read(reader)
  }

  stopReading(reader: FlightReader): void {
    this.#body.stopReading(reader)
  }

  /** Chunk number `at` from the beginning of the body, or undefined when it is not here yet. */
  chunk(at: number): Uint8Array | undefined {
    return this.#body.chunk(at)
  }

  /** True after the end when there is a chunk with this number, in which `chunk` may have failed to get it. */
  hasHad(at: number): boolean {
    return this.ended && at < this.#body.count
  }

  /** A reader has moved on. */
  progressed(): void {
    this.#body.trim()
  }
}
