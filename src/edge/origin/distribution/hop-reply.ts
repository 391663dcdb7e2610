//! The answer of a distribution to another one: what the pipeline says to a viewer, told to the sink of an origin. Bytes are
//! copied, for their memory is the cache's.

import type { Duplex } from 'node:stream'
import type { TunnelEnd } from '../../listen/tunnel.ts'
import type { ViewerReply } from '../../listen/viewer.ts'
import type { OriginRequest, OriginSink, SourceControl } from '../attempts.ts'
import { OriginFailure } from '../failure.ts'

export class HopReply implements ViewerReply, SourceControl {
  onDrain: (() => void) | null = null
  onAbort: (() => void) | null = null
  readonly closes = false
  /** Absent where nobody asks to go on in another protocol. */
  readonly tunnel?: NonNullable<ViewerReply['tunnel']>
  bytesSent = 0
  readonly #request: OriginRequest
  readonly #sink: OriginSink
  readonly #completion: NodeJS.Timeout | null
  /** Runs once the request is there as a whole. */
  #quiet: NodeJS.Timeout | null = null
  #paused = false
  #state: 'waiting' | 'streaming' | 'done' | 'gone' = 'waiting'

  constructor(request: OriginRequest, sink: OriginSink) {
    this.#request = request
    this.#sink = sink
    if (request.upgrade !== undefined) this.tunnel = (head, origin) => this.#handOn(head, origin)
    const { readTimeoutMs, responseCompletionTimeoutMs: limitMs } = request.origin
    const wait = (): void => {
      if (this.#state === 'done' || this.#state === 'gone') return
      this.#quiet = setTimeout(() => this.#late('read-timeout', `nothing for ${readTimeoutMs} ms`), readTimeoutMs)
    }
    if (request.body === null) wait()
    else request.body.once('end', wait)
    this.#completion =
      limitMs === null
        ? null
        : setTimeout(() => this.#late('completion-timeout', `over ${limitMs} ms for a whole answer`), limitMs)
  }

  get gone(): boolean {
    return this.#state === 'gone'
  }

  whole(head: string, body: Uint8Array | null, onSent: (() => void) | null): void {
    if (this.#state === 'waiting') {
      this.#begin(head)
      if (body !== null && body.length > 0) this.#data(body)
      this.#finish([])
    }
    onSent?.()
  }

  head(head: string): void {
    if (this.#state === 'waiting') this.#begin(head)
  }

  write(chunk: Uint8Array, onSent?: () => void): boolean {
    if (this.#state === 'streaming' && chunk.length > 0) this.#data(chunk)
    onSent?.()
    return this.#state !== 'streaming' || !this.#paused
  }

  end(trailers: readonly string[] = []): void {
    if (this.#state === 'streaming') this.#finish(trailers)
  }

  interim(head: string): void {
    if (this.#state !== 'waiting') return
    const { status, headers } = parsed(head)
    this.#quiet?.refresh()
    this.#sink.onInterim(status, headers)
  }

  /** The pipeline gives up on the rest, or whoever asked wants no more: a sink that has let go hears nothing of it. */
  abort(cancelled = false): void {
    if (this.#state === 'done' || this.#state === 'gone') return
    this.#over('gone')
    this.#request.body?.destroy()
    this.#sink.onFailure(new OriginFailure('reset', 'the distribution did not finish its answer', cancelled))
    this.onAbort?.()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#state === 'streaming') this.onDrain?.()
  }

  /** The origin's connection is for whoever has the viewer's; here its end is waited for. */
  #handOn(head: string, origin: Duplex): ReturnType<NonNullable<ViewerReply['tunnel']>> {
    const over = endOf(origin)
    if (this.#state === 'waiting') {
      this.bytesSent += head.length
      this.#over('done')
      this.#sink.onUpgrade(parsed(head).headers, origin)
    } else origin.destroy()
    return over
  }

  #begin(head: string): void {
    this.#state = 'streaming'
    this.bytesSent += head.length
    const { status, statusText, headers } = parsed(head)
    this.#quiet?.refresh()
    this.#sink.onHead(status, statusText, headers)
  }

  #data(bytes: Uint8Array): void {
    this.bytesSent += bytes.length
    this.#quiet?.refresh()
    this.#sink.onData(Buffer.from(bytes))
  }

  #finish(trailers: readonly string[]): void {
    this.#over('done')
    this.#sink.onEnd(trailers)
  }

  #late(kind: 'read-timeout' | 'completion-timeout', why: string): void {
    // Held up by whoever reads, not by the distribution.
    if (kind === 'read-timeout' && this.#paused) return void this.#quiet?.refresh()
    if (this.#state === 'done' || this.#state === 'gone') return
    this.#over('gone')
    this.#sink.onFailure(new OriginFailure(kind, `the distribution ${this.#request.origin.domainName}: ${why}`))
    this.onAbort?.()
  }

  #over(state: 'done' | 'gone'): void {
    this.#state = state
    if (this.#quiet !== null) clearTimeout(this.#quiet)
    if (this.#completion !== null) clearTimeout(this.#completion)
  }
}

/** How a connection ends that somebody else pipes, and what was written to it: by the viewer, whose bytes these are. */
function endOf(origin: Duplex & { readonly bytesWritten?: number }): Promise<{ end: TunnelEnd; received: number }> {
  const before = origin.bytesWritten ?? 0
  let end: TunnelEnd | null = null
  origin.once('end', () => {
    end ??= origin.writableEnded ? 'viewer' : 'origin'
  })
  origin.once('error', () => {
    end ??= 'origin-broke'
  })
  return new Promise((resolve) => {
    origin.once('close', () =>
      resolve({ end: end ?? 'viewer-broke', received: (origin.bytesWritten ?? before) - before }),
    )
  })
}

/** Of the hop alone: there is none. */
const FRAMING: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding'])

function parsed(head: string): { status: number; statusText: string; headers: string[] } {
  const [first = '', ...lines] = head.split('\r\n')
  const [, status = '', statusText = ''] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(first) ?? []
  const headers: string[] = []
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon <= 0 || FRAMING.has(line.slice(0, colon).toLowerCase())) continue
    headers.push(line.slice(0, colon), line.slice(colon + 1).trim())
  }
  return { status: Number(status), statusText, headers }
}
