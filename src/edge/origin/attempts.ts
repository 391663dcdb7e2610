//! One request to an origin with CloudFront's attempts and timeouts (spec/cloudfront.md 2.2, 7.4). What arrives is handed on
//! as it comes; nothing is decided here about caching.
import type { Duplex, Readable } from 'node:stream'
import type { Dispatcher, Pool } from 'undici'
import { allValues, firstValue } from '../../http/headers.ts'
import { bodyEndOf } from '../../http/transfer-coding.ts'
import { systemClock } from '../../lib/clock.ts'
import { type ConnectionTimes, requestBegins } from './connection-times.ts'
import { ORIGIN_FAILURES, OriginFailure, originFailure } from './failure.ts'
import type { ReachedOrigin } from './reached.ts'

/** Interim answers (1xx) before the answer itself; each gives the origin its read timeout anew. */
const HINTS_MAX = 64
/** Bytes of an origin's response header (spec 2.7); a bigger one is a 502. */
export const RESPONSE_HEADER_BYTES_MAX = 32 * 1024
/** reason-phrase of RFC 9112 4; Node's parser takes any byte but CR and LF. */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/

export interface OriginRequest {
  readonly origin: ReachedOrigin
  readonly scheme: 'http' | 'https'
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** Name, value, name, value ... with Host. */
  readonly headers: readonly string[]
  readonly body: Readable | null
  /** Asked when the body has ended for what follows it, name, value, name, value ...; null for none. */
  readonly trailers: (() => readonly string[]) | null
  /** The viewer asks to go on in this protocol. */
  readonly upgrade?: 'websocket'
  /** It is a call of gRPC: over HTTP/2. */
  readonly grpc?: true
  /** Name of the place that asks (places.ts). */
  readonly place?: string
  /** Why it cannot be made; absent when it can. */
  readonly refusal?: OriginFailure
}

/**
 * Hears of one request. Any number of `onInterim`; `onHead` at most once; then data; then exactly one of `onEnd` and
 * `onFailure`. Or `onUpgrade`, and nothing after it.
 */
export interface OriginSink {
  /** An answer before the answer: 102, 103 and the like. */
  onInterim(status: number, headers: readonly string[]): void
  onHead(status: number, statusText: string, headers: readonly string[]): void
  onData(chunk: Uint8Array): void
  /** In place of a head, to a request with `upgrade`: the origin's connection is the sink's from now on. */
  onUpgrade(headers: readonly string[], socket: Duplex): void
  /** `trailers` are name, value, name, value ... as they came. */
  onEnd(trailers: readonly string[]): void
  onFailure(failure: OriginFailure): void
}

/** The running exchange. All three may be called at any time, also after its end. */
export interface SourceControl {
  pause(): void
  resume(): void
  abort(): void
  /** Null before the first byte; absent where nobody measures. */
  readonly times?: FetchTimes | null
}

/** What the attempt that was answered took, in milliseconds. */
export interface FetchTimes {
  /** Zero on a connection that was there already; null when it is not known. */
  readonly dnsMs: number | null
  readonly connectMs: number | null
  /** From the end of the request to the first byte of the answer. */
  readonly firstByteMs: number
}

/** Tells `sink` of one request, whatever the number of attempts; `start` once. */
export class Attempts implements SourceControl, Dispatcher.DispatchHandler {
  #pool: Pick<Pool, 'dispatch'> | null = null
  readonly #request: OriginRequest
  readonly #sink: OriginSink
  #left: number
  #controller: Dispatcher.DispatchController | null = null
  #headSeen = false
  #hints = 0
  #finished = false
  #completion: NodeJS.Timeout | null = null
  #connection: ConnectionTimes | null = null
  /** Clock.monotonic() when the request, with its body, had been written. */
  #sentAt = 0
  times: FetchTimes | null = null

  constructor(request: OriginRequest, sink: OriginSink) {
    this.#request = request
    this.#sink = sink
    this.#left = request.origin.connectionAttempts
  }

  start(pool: Pick<Pool, 'dispatch'>): void {
    if (this.#finished) return
    this.#pool = pool
    const limitMs = this.#request.origin.responseCompletionTimeoutMs
    if (limitMs !== null) {
      this.#completion = setTimeout(() => {
        this.#end(new OriginFailure('completion-timeout', `the origin took over ${limitMs} ms for a whole answer`))
      }, limitMs)
    }
    this.#dispatch()
  }

  /** It could not even begin. */
  fail(error: unknown): void {
    this.#end(originFailure(error))
  }

  #dispatch(): void {
    this.#left--
    const { method, target, headers, body, origin, upgrade = null } = this.#request
    try {
      this.#pool?.dispatch(
        {
          method: method as Dispatcher.HttpMethod,
          path: target,
          headers: headers as string[],
          body,
          upgrade,
          headersTimeout: origin.readTimeoutMs,
          bodyTimeout: origin.readTimeoutMs,
        },
        this,
      )
    } catch (error) {
      this.#end(originFailure(error))
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#connection = null
    requestBegins((times) => {
      this.#connection = times
    })
    this.#sentAt = systemClock.monotonic()
    this.#request.body?.once('end', () => {
      this.#sentAt = systemClock.monotonic()
    })
    if (this.#finished) controller.abort(new Error('no longer wanted'))
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    if (this.#finished) return
    const headers = textsOf(controller.rawHeaders)
    // undici counts names and values, not what stands between them.
    if (sizeOf(headers) > RESPONSE_HEADER_BYTES_MAX) {
      this.#end(new OriginFailure('header-too-big', `over ${RESPONSE_HEADER_BYTES_MAX} bytes`))
      return
    }
    // 000 to 099 are no statuses (RFC 9110 15), and would end as one of two digits; nobody asked for another protocol.
    if (status < 100 || status === 101) {
      this.#end(new OriginFailure('invalid-response', `status ${status}`))
      return
    }
    if (status < 200) {
      if (++this.#hints > HINTS_MAX) this.#end(new OriginFailure('invalid-response', `over ${HINTS_MAX} hints`))
      else this.#sink.onInterim(status, headers)
      return
    }
    // The parser takes chunks off, and reads until the connection closes, never to use it again, where there are none.
    const codings = allValues(headers, 'transfer-encoding')
    if (codings.length > 0 && bodyEndOf(codings) === 'unusable') {
      this.#end(new OriginFailure('invalid-response', `transfer coding: ${codings.join(', ').slice(0, 80)}`))
      return
    }
    this.#headSeen = true
    this.times = {
      dnsMs: this.#connection?.dnsMs ?? null,
      connectMs: this.#connection?.connectMs ?? null,
      firstByteMs: systemClock.monotonic() - this.#sentAt,
    }
    this.#sink.onHead(status, statusText !== undefined && REASON.test(statusText) ? statusText : '', headers)
  }

  onRequestUpgrade(controller: Dispatcher.DispatchController, status: number, _headers: unknown, socket: Duplex): void {
    const headers = textsOf(controller.rawHeaders)
    const protocol = firstValue(headers, 'upgrade')?.trim().toLowerCase()
    if (this.#finished || status !== 101 || protocol !== this.#request.upgrade) {
      socket.destroy()
      this.#end(new OriginFailure('invalid-response', `status ${status} for the protocol ${protocol}`))
      return
    }
    this.#finished = true
    if (this.#completion !== null) clearTimeout(this.#completion)
    this.#sink.onUpgrade(headers, socket)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#finished) this.#sink.onData(chunk)
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#end(null, textsOf(controller.rawTrailers))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#finished) return
    const failure = this.#whileSending(originFailure(error))
    if (this.#mayRetry(failure)) this.#dispatch()
    else this.#end(failure)
  }

  /** A connection that broke while it was being sent a body could not be written to; that it says no more is certain. */
  #whileSending(failure: OriginFailure): OriginFailure {
    const { body } = this.#request
    if (failure.kind !== 'reset' || this.#headSeen || body === null || body.readableEnded || body.errored)
      return failure
    return new OriginFailure('write', failure.message)
  }

  /** A connection that failed is tried again for any method, a read for GET and HEAD only (spec 7.4). */
  #mayRetry(failure: OriginFailure): boolean {
    if (this.#left <= 0 || this.#headSeen) return false
    const { retry } = ORIGIN_FAILURES[failure.kind]
    const { method, body } = this.#request
    if (retry === 'any') return body === null || !body.readableDidRead
    return retry === 'read' && body === null && (method === 'GET' || method === 'HEAD')
  }

  #end(failure: OriginFailure | null, trailers: readonly string[] = []): void {
    if (this.#finished) return
    this.#finished = true
    if (this.#completion !== null) clearTimeout(this.#completion)
    if (failure === null) {
      this.#sink.onEnd(trailers)
      return
    }
    this.#controller?.abort(failure)
    this.#sink.onFailure(failure)
  }

  pause(): void {
    if (!this.#finished) this.#controller?.pause()
  }

  resume(): void {
    if (!this.#finished) this.#controller?.resume()
  }

  abort(): void {
    if (this.#finished) return
    this.#finished = true
    if (this.#completion !== null) clearTimeout(this.#completion)
    this.#controller?.abort(new Error('no longer wanted'))
  }
}

type RawFields = Dispatcher.DispatchController['rawHeaders']

/** Name, value, name, value ... as the bytes came. */
const textsOf = (raw: RawFields): string[] =>
  ((raw ?? []) as readonly (Buffer | string)[]).map((text) =>
    typeof text === 'string' ? text : text.toString('latin1'),
  )

/** Bytes of the lines. */
function sizeOf(headers: readonly string[]): number {
  let bytes = 0
  for (const text of headers) bytes += text.length + 2
  return bytes
}
