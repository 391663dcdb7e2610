//! One request to an origin over HTTP/2: a stream of a session (session.ts), heard of in undici's words, so that attempts
//! and sinks know no difference. Both bodies flow at the pace of whoever reads them, and neither waits for the other's end.
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { firstValue, HOP_BY_HOP } from '../../../http/headers.ts'
import { nodeHttp2 } from '../../../lib/node-http.ts'
import { RESPONSE_HEADER_BYTES_MAX } from '../attempts.ts'
import { OriginFailure, originFailure } from '../failure.ts'

export interface CallOptions {
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Name, value, name, value ... with Host first. */
  readonly headers: readonly string[]
  readonly body: Readable | null
  /** Longest silence of both sides. Milliseconds. */
  readonly readTimeoutMs: number
}

/** What a call tells whoever gave it a stream. */
export interface CallOwner {
  /** It needs its stream, or its place in the line for one, no more. */
  over(call: Http2Call): void
  /** The origin was silent for too long: is it still there? */
  doubts(call: Http2Call): void
}

export class Http2Call implements Dispatcher.DispatchController {
  aborted = false
  paused = false
  reason: Error | null = null
  rawHeaders: string[] | null = null
  rawTrailers: string[] | null = null
  readonly #options: CallOptions
  readonly #handler: Dispatcher.DispatchHandler
  readonly #owner: CallOwner
  /** Runs while it has a stream: until then connecting has its own limit. */
  #silence: NodeJS.Timeout | null = null
  #stream: ClientHttp2Stream | null = null
  #headSeen = false
  #received = 0
  #over = false
  /** Ends the reading of the request's body. */
  #letGo: () => void = () => {}

  constructor(options: CallOptions, handler: Dispatcher.DispatchHandler, owner: CallOwner) {
    this.#options = options
    this.#handler = handler
    this.#owner = owner
    handler.onRequestStart?.(this, {})
  }

  get over(): boolean {
    return this.#over
  }

  /** Sends the request on a stream of its own. */
  begin(session: ClientHttp2Session): void {
    const { body } = this.#options
    let stream: ClientHttp2Stream
    try {
      stream = session.request(fieldsOf(this.#options), { endStream: body === null })
    } catch (error) {
      this.#end(originFailure(error))
      return
    }
    this.#stream = stream
    this.#silence = setTimeout(() => this.#silent(), this.#options.readTimeoutMs)
    stream.on('headers', (_headers, _flags, raw) => this.#onHead(raw, false))
    stream.on('response', (_headers, flags, raw) =>
      this.#onHead(raw, (flags & nodeHttp2().constants.NGHTTP2_FLAG_END_STREAM) !== 0),
    )
    stream.on('trailers', (_headers, _flags, raw) => {
      this.rawTrailers = raw
      if (bytesOf(raw) > RESPONSE_HEADER_BYTES_MAX) {
        this.#end(new OriginFailure('header-too-big', `trailers over ${RESPONSE_HEADER_BYTES_MAX} bytes`))
      }
    })
    stream.on('data', (chunk: Buffer) => {
      if (this.#over) return
      this.#silence?.refresh()
      this.#received += chunk.length
      this.#handler.onResponseData?.(this, chunk)
    })
    stream.on('end', () => {
      if (this.#headSeen && this.#isWhole(stream)) this.#end(null)
    })
    // A reset with CANCEL or NO_ERROR is no error to Node, and no whole answer to us.
    let error: Error | null = null
    stream.on('error', (failure) => {
      error = failure
    })
    stream.on('close', () => this.#end(brokenBy(stream, session, error)))
    if (this.paused) stream.pause()
    if (body !== null) this.#send(body, stream)
  }

  /** There is no stream for it. */
  fail(error: Error): void {
    this.#end(error)
  }

  abort(reason: Error): void {
    this.aborted = true
    this.reason = reason
    this.#end(reason, false)
  }

  pause(): void {
    this.paused = true
    // The silence is ours.
    this.#stream?.pause()
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.#silence?.refresh()
    this.#stream?.resume()
  }

  #send(body: Readable, stream: ClientHttp2Stream): void {
    const onData = (chunk: Buffer): void => {
      this.#silence?.refresh()
      if (!stream.write(chunk)) body.pause()
    }
    const onEnd = (): void => void stream.end()
    // The viewer has gone, or broke the protocol.
    const onError = (error: Error): void => this.#end(new OriginFailure('reset', error.message))
    body.on('data', onData).on('end', onEnd).on('error', onError)
    stream.on('drain', () => {
      if (this.#over) return
      this.#silence?.refresh()
      body.resume()
    })
    this.#letGo = () => {
      body.off('data', onData).off('end', onEnd).off('error', onError)
      // Untouched, it can be sent by another attempt. Otherwise what is left of it is for nobody.
      if (body.readableDidRead) body.destroy()
      else body.pause()
    }
  }

  #onHead(raw: string[], isAll: boolean): void {
    if (this.#over) return
    this.#silence?.refresh()
    // The one pseudo field comes first (RFC 9113 8.3.2).
    this.rawHeaders = raw.slice(2)
    const status = Number(raw[1])
    if (status >= 200) this.#headSeen = true
    this.#handler.onResponseStart?.(this, status, {}, '')
    // What is told in the turn of its head is known to be all of the answer (gRPC's Trailers-Only).
    if (isAll) this.#end(null)
  }

  /**
   * Node ends the reading of a stream that is reset, too; with NO_ERROR, before our side has ended, it does not tell
   * whether the origin had said all. Trailers say so, and a length.
   */
  #isWhole({ rstCode, aborted }: ClientHttp2Stream): boolean {
    if (rstCode) return false
    const length = firstValue(this.rawHeaders ?? [], 'content-length')
    return !aborted || this.rawTrailers !== null || length === `${this.#received}`
  }

  #silent(): void {
    if (this.paused) {
      this.#silence?.refresh()
      return
    }
    this.#owner.doubts(this)
    const { readTimeoutMs } = this.#options
    this.#end(new OriginFailure('read-timeout', `nothing from the origin or the viewer for ${readTimeoutMs} ms`))
  }

  #end(error: Error | null, tells = true): void {
    if (this.#over) return
    this.#over = true
    if (this.#silence !== null) clearTimeout(this.#silence)
    // A timer that has been cleared would begin anew by a refresh.
    this.#silence = null
    this.#letGo()
    const stream = this.#stream
    // What the origin has answered to the end may still be on its way out on our side: nobody wants the rest.
    if (stream !== null && !stream.closed && (error !== null || !stream.writableFinished)) {
      stream.close(nodeHttp2().constants.NGHTTP2_CANCEL)
    }
    this.#owner.over(this)
    if (!tells) return
    if (error === null) this.#handler.onResponseEnd?.(this, {})
    else this.#handler.onResponseError?.(this, error)
  }
}

const bytesOf = (raw: readonly string[]): number => raw.reduce((sum, { length }) => sum + length + 2, 0)

/** As HTTP/2 has them: the request line and Host as pseudo fields, names in lower case, nothing of one hop but TE. */
function fieldsOf({ method, path, headers }: CallOptions): string[] {
  const fields = [':method', method, ':scheme', 'https', ':authority', headers[1] as string, ':path', path]
  for (let i = 2; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    if (name === 'te' || !HOP_BY_HOP.has(name)) fields.push(name, headers[i + 1] as string)
  }
  return fields
}

/** RFC 9113 7, by their numbers. */
const CODES = [
  'NO_ERROR', 'PROTOCOL_ERROR', 'INTERNAL_ERROR', 'FLOW_CONTROL_ERROR', 'SETTINGS_TIMEOUT', 'STREAM_CLOSED',
  'FRAME_SIZE_ERROR', 'REFUSED_STREAM', 'CANCEL', 'COMPRESSION_ERROR', 'CONNECT_ERROR', 'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY', 'HTTP_1_1_REQUIRED',
] as const // biome-ignore format: a table

/** What became of a stream that closed before its end, in our words. `error` is Node's; null for none. */
function brokenBy({ rstCode = 0 }: ClientHttp2Stream, session: ClientHttp2Session, error: Error | null): OriginFailure {
  const code = CODES[rstCode] ?? `${rstCode}`
  // Not of this stream alone: the connection has gone.
  if (error !== null && (error as { code?: string }).code !== 'ERR_HTTP2_STREAM_ERROR') return originFailure(error)
  if (session.destroyed) return new OriginFailure('reset', 'the origin closed the connection')
  switch (code) {
    // The request was not processed at all (RFC 9113 8.7).
    case 'REFUSED_STREAM':
      return new OriginFailure('refused', 'the origin refused the stream (REFUSED_STREAM)')
    case 'NO_ERROR':
      return new OriginFailure('reset', 'the origin ended the stream before its answer')
    case 'PROTOCOL_ERROR':
      return new OriginFailure('invalid-response', 'the stream broke the protocol (PROTOCOL_ERROR)')
    // Node's own word for a block that is over the limits which session.ts sets.
    case 'ENHANCE_YOUR_CALM':
      return new OriginFailure('header-too-big', 'too many or too large fields (ENHANCE_YOUR_CALM)')
    default:
      return new OriginFailure('reset', `the stream was reset (${code})`, code === 'CANCEL')
  }
}
