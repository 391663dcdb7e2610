//! A request that is not both read and answered yet (RFC 9113 5.1): open, or half-closed on one side.
import type { ViewerRequest } from '../viewer.ts'
import type { Reply } from './reply.ts'
import { type BodyOwner, RequestBody } from './request-body.ts'

export interface StreamOwner {
  now(): number
  /** So many bytes of a body may come again. */
  opensWindow(stream: Stream, bytes: number): void
  continues(stream: Stream): void
}

export interface BodyTimes {
  readonly bodyIdleMs: number
  readonly bodyBytesPerSecondMin: number
}

export class Stream implements BodyOwner {
  reply: Reply
  /** Null when the head ended the request. */
  readonly body: RequestBody | null
  /** The viewer has not ended its side yet. */
  isOpen: boolean
  /** Bytes that the viewer may yet send on it. */
  window: number
  /** Bytes that it has sent, and was not told that it may send again. */
  owed = 0
  /** Bytes of the body so far. */
  received = 0
  /** A GET or HEAD whose head did not end it: what follows tells whether it has a body. */
  held: ViewerRequest | null = null
  continueOwed = false
  /** Clock.monotonic() at which the body has been waited for too long. */
  deadline = Number.POSITIVE_INFINITY
  /** Its body may come as slowly as it likes, and in small pieces. */
  isUnhurried = false
  readonly #owner: StreamOwner
  readonly #times: BodyTimes

  /** `ahead`: what is still to come of the request, its declared length and the window for it; null for nothing. */
  constructor(
    owner: StreamOwner,
    reply: Reply,
    ahead: { readonly length: number | null; readonly window: number } | null,
    times: BodyTimes,
  ) {
    this.#owner = owner
    this.reply = reply
    this.#times = times
    this.isOpen = ahead !== null
    this.window = ahead?.window ?? 0
    this.body = ahead === null || ahead.length === 0 ? null : new RequestBody(this, ahead.length)
    if (ahead !== null) this.deadline = owner.now() + times.bodyIdleMs
  }

  get id(): number {
    return this.reply.id
  }

  /** Bytes of the body; false when there are more than it declared (8.1.1). */
  take(bytes: Buffer): boolean {
    this.received += bytes.length
    if (this.body === null || this.received > (this.body.length ?? Number.POSITIVE_INFINITY)) return false
    this.body.take(bytes)
    if (this.reply.over) return true
    if (this.body.isPaused || this.isUnhurried) this.deadline = Number.POSITIVE_INFINITY
    else {
      // Bytes earn it time: a trickle must not hold a stream, and a connection to the origin, for ever.
      const earnedMs = (bytes.length / this.#times.bodyBytesPerSecondMin) * 1_000
      this.deadline = Math.min(this.#owner.now() + this.#times.bodyIdleMs, this.deadline + earnedMs)
    }
    return true
  }

  /** It is answered; what is on the way of its request may still come for a moment. */
  linger(ms: number): void {
    this.deadline = this.#owner.now() + ms
  }

  /** The viewer has ended its side; false when there were fewer bytes than it declared. */
  finish(trailers: readonly string[]): boolean {
    this.isOpen = false
    this.continueOwed = false
    this.deadline = Number.POSITIVE_INFINITY
    if (this.body === null) return true
    if (this.body.length !== null && this.body.length !== this.received) return false
    this.body.finish(trailers)
    return true
  }

  taken(bytes: number): void {
    this.#owner.opensWindow(this, bytes)
  }

  wanted(): void {
    this.#owner.continues(this)
  }

  resumed(): void {
    if (!this.isUnhurried && !this.reply.over) this.deadline = this.#owner.now() + this.#times.bodyIdleMs
  }

  unhurried(): void {
    this.isUnhurried = true
    if (!this.reply.over) this.deadline = Number.POSITIVE_INFINITY
  }
}
