//! Stands between the primary of an origin group and the fetch: until its head is here nobody behind hears of it, so that
//! a fetch (and whoever waits for it) knows only the origin that has the last word.
import type { Duplex } from 'node:stream'
import type { OriginFailureKind } from '../../domain/outcomes.ts'
import type { OriginSink, SourceControl } from './attempts.ts'
import type { OriginFailure } from './failure.ts'

/** Bytes of an error's body that are read and dropped, so that its connection can be used again. */
const DROPPED_BYTES_MAX = 64 * 1024

export interface TurnsAway {
  onStatus(status: number): boolean
  onFailure(kind: OriginFailureKind): boolean
}

export class PrimarySink implements OriginSink {
  /** Resolves when the primary is passed over. */
  readonly whenTurnedAway: Promise<void>
  turnedAway = false
  /** Of the answer that is passed over; 0 when there is none. */
  status = 0
  /** Name, value, name, value ... of that answer. */
  headers: readonly string[] = []
  /** Why there is no answer. */
  failure: OriginFailure | null = null
  readonly #behind: OriginSink
  readonly #turns: TurnsAway
  #turn: () => void = () => {}
  #source: SourceControl | null = null
  #dropped = 0
  #headPassed = false

  /** `behind` hears of all that is not passed over. */
  constructor(behind: OriginSink, turns: TurnsAway) {
    this.#behind = behind
    this.#turns = turns
    this.whenTurnedAway = new Promise((resolve) => {
      this.#turn = resolve
    })
  }

  /** `source` is the running request. */
  attach(source: SourceControl): void {
    this.#source = source
  }

  onInterim(status: number, headers: readonly string[]): void {
    this.#behind.onInterim(status, headers)
  }

  onHead(status: number, statusText: string, headers: readonly string[]): void {
    if (!this.#turns.onStatus(status)) {
      this.#headPassed = true
      this.#behind.onHead(status, statusText, headers)
      return
    }
    this.status = status
    this.headers = headers
    this.#turnAway()
  }

  onUpgrade(headers: readonly string[], socket: Duplex): void {
    this.#headPassed = true
    this.#behind.onUpgrade(headers, socket)
  }

  onData(chunk: Uint8Array): void {
    if (!this.turnedAway) {
      this.#behind.onData(chunk)
      return
    }
    this.#dropped += chunk.length
    if (this.#dropped > DROPPED_BYTES_MAX) this.#source?.abort()
  }

  onEnd(trailers: readonly string[]): void {
    if (!this.turnedAway) this.#behind.onEnd(trailers)
  }

  onFailure(failure: OriginFailure): void {
    if (this.turnedAway) return
    // After a head it is the body that breaks off: bytes of it may be with viewers.
    if (this.#headPassed || !this.#turns.onFailure(failure.kind)) {
      this.#behind.onFailure(failure)
      return
    }
    this.failure = failure
    this.#turnAway()
  }

  #turnAway(): void {
    this.turnedAway = true
    this.#turn()
  }
}
