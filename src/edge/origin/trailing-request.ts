//! A request with trailers (RFC 9110 6.5), which undici cannot send: on a connection of its own, by Node's client. It is a
//! dispatcher for one request, heard of in undici's words, so that attempts, timeouts and sinks know no difference.
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { nodeHttp } from '../../lib/node-http.ts'
import type { OriginConnector } from './connect.ts'
import { OriginFailure } from './failure.ts'

export class TrailingDispatcher implements Pick<Dispatcher, 'dispatch'> {
  readonly #connect: OriginConnector
  readonly #maxHeaderSize: number
  readonly #trailers: () => readonly string[]

  /** `maxHeaderSize` in bytes; `trailers` is asked when the body has ended: name, value, name, value ... */
  constructor(connect: OriginConnector, maxHeaderSize: number, trailers: () => readonly string[]) {
    this.#connect = connect
    this.#maxHeaderSize = maxHeaderSize
    this.#trailers = trailers
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const control = new Control()
    handler.onRequestStart?.(control, {})
    this.#connect(null, (error, socket) => {
      if (error !== null) handler.onResponseError?.(control, error)
      else if (control.aborted) socket.destroy()
      else this.#send(options, socket, control, handler)
    })
    return true
  }

  #send(
    options: Dispatcher.DispatchOptions,
    socket: Socket,
    control: Control,
    handler: Dispatcher.DispatchHandler,
  ): void {
    const { method, path, body } = options
    const request = nodeHttp().request({
      createConnection: () => socket,
      method,
      path,
      // In the order and spelling given; nothing is added.
      headers: [...(options.headers as string[]), 'Transfer-Encoding', 'chunked', 'Connection', 'close'],
      maxHeaderSize: this.#maxHeaderSize,
    })
    let over = false
    const end = (error: Error | null): void => {
      if (over) return
      over = true
      if (error === null) handler.onResponseEnd?.(control, {})
      else handler.onResponseError?.(control, error)
      socket.destroy()
    }
    control.run(request)
    const limitMs = options.headersTimeout ?? 0
    socket.setTimeout(limitMs, () => end(new OriginFailure('read-timeout', `nothing for ${limitMs} ms`)))
    // What an origin sends behind a whole answer does not make it less whole; its end is still to be heard of.
    request.on('error', (error) => {
      if (!control.hasWhole) end(error)
    })
    // Without an answer and without an error: an upgrade (101) that nobody asked for ends so.
    request.on('close', () => {
      if (!control.hasHead) end(new OriginFailure('invalid-response', 'the origin changed the protocol, unasked'))
    })
    request.on('information', ({ statusCode, rawHeaders }) => {
      control.rawHeaders = rawHeaders
      handler.onResponseStart?.(control, statusCode, {}, '')
    })
    request.on('response', (response) => {
      control.hear(response)
      handler.onResponseStart?.(control, response.statusCode ?? 0, {}, response.statusMessage)
      response.on('data', (chunk: Buffer) => handler.onResponseData?.(control, chunk))
      response.on('error', end)
      response.on('end', () => {
        control.rawTrailers = response.rawTrailers
        end(null)
      })
    })
    sendBody(body as Readable, request, this.#trailers, end)
  }
}

function sendBody(
  body: Readable,
  request: ClientRequest,
  trailers: () => readonly string[],
  failed: (error: Error) => void,
): void {
  body.on('error', failed)
  body.on('end', () => {
    const pairs: [string, string][] = []
    const raw = trailers()
    for (let i = 0; i < raw.length; i += 2) pairs.push([raw[i] as string, raw[i + 1] as string])
    request.addTrailers(pairs)
    request.end()
  })
  body.on('data', (chunk: Buffer) => {
    if (!request.write(chunk)) body.pause()
  })
  request.on('drain', () => body.resume())
}

/** What undici would give: heads of the answer as they came, and the ways to hold it up. */
class Control implements Dispatcher.DispatchController {
  aborted = false
  paused = false
  reason: Error | null = null
  rawHeaders: string[] | null = null
  rawTrailers: string[] | null = null
  #request: ClientRequest | null = null
  #response: IncomingMessage | null = null

  run(request: ClientRequest): void {
    this.#request = request
  }

  hear(response: IncomingMessage): void {
    this.#response = response
    this.rawHeaders = response.rawHeaders
    if (this.paused) response.pause()
  }

  get hasHead(): boolean {
    return this.#response !== null
  }

  /** The last byte of the answer has come, if not been read. */
  get hasWhole(): boolean {
    return this.#response?.complete === true
  }

  abort(reason: Error): void {
    this.aborted = true
    this.reason = reason
    this.#request?.destroy(reason)
  }

  pause(): void {
    this.paused = true
    this.#response?.pause()
  }

  resume(): void {
    this.paused = false
    this.#response?.resume()
  }
}
