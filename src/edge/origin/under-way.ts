//! Counts the requests to origins that are under way, in all and of each origin, from the moment they are sent until nobody
//! hears of them any more: what is waiting for a connection as well.
import type { Duplex } from 'node:stream'
import type { FetchTimes, OriginSink, SourceControl } from './attempts.ts'

export class UnderWay {
  total = 0
  readonly #byOrigin = new Map<string, number>()

  of(origin: string): number {
    return this.#byOrigin.get(origin) ?? 0
  }

  /** A request to `origin` begins: what it is sent with, in the place of `sink`. */
  watch(origin: string, sink: OriginSink): WatchedRequest {
    this.#count(origin, 1)
    return new WatchedRequest(sink, () => this.#count(origin, -1))
  }

  #count(origin: string, by: number): void {
    this.total += by
    const count = this.of(origin) + by
    if (count === 0) this.#byOrigin.delete(origin)
    else this.#byOrigin.set(origin, count)
  }
}

export class WatchedRequest implements OriginSink, SourceControl {
  readonly #sink: OriginSink
  #over: (() => void) | null
  /** Set as soon as it is sent: nothing is heard of it before. */
  source: SourceControl | null = null

  constructor(sink: OriginSink, over: () => void) {
    this.#sink = sink
    this.#over = over
  }

  onInterim(status: number, headers: readonly string[]): void {
    this.#sink.onInterim(status, headers)
  }

  onHead(status: number, statusText: string, headers: readonly string[]): void {
    this.#sink.onHead(status, statusText, headers)
  }

  onData(chunk: Uint8Array): void {
    this.#sink.onData(chunk)
  }

  onUpgrade(headers: readonly string[], socket: Duplex): void {
    this.#end()
    this.#sink.onUpgrade(headers, socket)
  }

  onEnd(trailers: readonly string[]): void {
    this.#end()
    this.#sink.onEnd(trailers)
  }

  onFailure(failure: Parameters<OriginSink['onFailure']>[0]): void {
    this.#end()
    this.#sink.onFailure(failure)
  }

  pause(): void {
    this.source?.pause()
  }

  resume(): void {
    this.source?.resume()
  }

  abort(): void {
    this.#end()
    this.source?.abort()
  }

  get times(): FetchTimes | null {
    return this.source?.times ?? null
  }

  #end(): void {
    this.#over?.()
    this.#over = null
  }
}
