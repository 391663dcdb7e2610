//! Asks the next place on the way to the origin when this worker keeps the key there, too: the same question as to a peer
//! (peers/client.ts), answered by a walk through the same table inside the process.

import { beginTrace } from './begin-trace.ts'
import type { Answer, Flight } from './cache/flight.ts'
import type { Edge } from './edge.ts'
import { type EdgeFault, Exchange, type PeerAnswer, type Told } from './exchange.ts'
import type { ViewerReply } from './listen/viewer.ts'
import { OriginFailure } from './origin/failure.ts'
import type { PeerResult } from './peers/protocol.ts'
import { type Place, sliceAt } from './places.ts'
import { to } from './stage.ts'

/** As AskPeers.ask. */
export function askInside(place: Place, x: Exchange, edge: Edge, flight: Flight): Promise<PeerResult> {
  return new Promise((resolve) => {
    const reply = new InsideReply(place, flight, resolve)
    const inner = new Exchange(x.request, reply, x.snapshot, place, reply, x.inner, sliceAt(place, x))
    inner.requestId = x.requestId
    inner.speaksFor(x)
    inner.distribution = x.distribution
    inner.behavior = x.behavior
    inner.path = x.path
    inner.goneVersion = x.goneVersion
    inner.cacheable = true
    if (x.watcher !== null) inner.watcher = beginTrace(edge, x.request)
    flight.source = { pause: () => reply.pause(), resume: () => reply.resume(), abort: () => reply.leave() }
    edge.walkInner(inner, to.cacheKey)
  })
}

/** The other end of the inner walk: what comes goes into the flight that waits for it. */
class InsideReply implements ViewerReply, PeerAnswer {
  readonly #place: Place
  readonly #flight: Flight
  readonly #resolve: (result: PeerResult) => void
  readonly closes = false
  readonly remote = true
  onDrain: (() => void) | null = null
  onAbort: (() => void) | null = null
  bytesSent = 0
  gone = false
  #paused = false
  #over = false

  constructor(place: Place, flight: Flight, resolve: (result: PeerResult) => void) {
    this.#place = place
    this.#flight = flight
    this.#resolve = resolve
  }

  announce(answer: Answer, told: Told): void {
    this.#flight.onHead(answer.status, '', [])
    this.#resolve({ kind: 'answer', answer, ...told })
  }

  fault(fault: EdgeFault, told: Told): void {
    this.#over = true
    this.#resolve({ kind: 'fault', fault, ...told })
  }

  hint(status: number, headers: readonly string[]): void {
    this.#flight.onInterim(status, headers)
  }

  whole(_head: string, body: Uint8Array | null, onSent: (() => void) | null): void {
    if (body !== null) this.write(body, onSent ?? undefined)
    else onSent?.()
    this.end()
  }

  head(): void {}

  /** What may change later is copied; what comes from a fetch is shared. */
  write(chunk: Uint8Array, onSent?: () => void): boolean {
    this.bytesSent += chunk.length
    if (chunk.length > 0) this.#flight.onData(onSent === undefined ? chunk : Buffer.from(chunk))
    onSent?.()
    return !this.#paused
  }

  end(trailers: readonly string[] = []): void {
    this.#over = true
    this.#flight.onEnd(trailers)
  }

  /** The inner walk broke off. */
  abort(): void {
    this.#over = true
    this.#flight.onFailure(new OriginFailure('reset', `${this.#place.name} broke off`))
    this.#resolve({ kind: 'gone' })
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.onDrain?.()
  }

  /** Nobody waits for it any more. */
  leave(): void {
    if (this.#over) return
    this.#over = true
    this.gone = true
    this.onAbort?.()
    this.#resolve({ kind: 'gone' })
  }
}
