//! An origin of one object that is too large to be stored anywhere: its bytes are worked out from their position. It
//! answers ranges and conditions as the RFCs have it, and can be told to change, to misbehave, or to hold its answers back.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseRange, resolveRange } from '../../src/http/range.ts'

/** A prime, so that no two slices of a power of two hold the same bytes. */
const PERIOD = 65_521
const PATTERN = Buffer.from(Array.from({ length: PERIOD }, (_, at) => (at * 131 + (at >> 7)) & 255))
const TWICE = Buffer.concat([PATTERN, PATTERN])

/** Bytes `from` to `to` (not included) of version `version` of the object. */
export function largeBytes(from: number, to: number, version = 1): Buffer {
  const out = Buffer.allocUnsafe(to - from)
  for (let at = 0; at < out.length; at += PERIOD) {
    const start = (from + at + version * 1_000) % PERIOD
    TWICE.copy(out, at, start, start + Math.min(PERIOD, out.length - at))
  }
  return out
}

export interface LargeAsked {
  readonly method: string
  readonly url: string
  readonly range: string | null
  readonly headers: IncomingMessage['headers']
}

export interface LargeOptions {
  readonly length: number
  readonly headers?: Readonly<Record<string, string>>
  /** Default: `"v<version>"`; null for none. */
  readonly etag?: ((version: number) => string) | null
  readonly acceptRanges?: boolean
}

/** Called for each request before it is answered; true when it has been answered. */
export type LargeInstead = (asked: LargeAsked, response: ServerResponse, origin: LargeOrigin) => unknown

const PIECE_BYTES = 64 * 1024

export class LargeOrigin {
  readonly asked: LargeAsked[] = []
  /** Bytes of bodies handed to the connections. */
  bytesSent = 0
  version = 1
  instead: LargeInstead = () => false
  readonly #options: LargeOptions
  readonly #server = createServer((request, response) => void this.#answer(request, response))

  private constructor(options: LargeOptions) {
    this.#options = options
  }

  static async start(options: LargeOptions): Promise<LargeOrigin> {
    const origin = new LargeOrigin(options)
    await new Promise<void>((resolve) => origin.#server.listen(0, '127.0.0.1', resolve))
    return origin
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get ranges(): (string | null)[] {
    return this.asked.map(({ range }) => range)
  }

  get etag(): string | null {
    const { etag } = this.#options
    return etag === null ? null : (etag ?? ((version) => `"v${version}"`))(this.version)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    const asked = { method, url, range: headers.range ?? null, headers }
    this.asked.push(asked)
    if (await this.instead(asked, response, this)) return
    const { length, acceptRanges = true } = this.#options
    const { etag } = this
    response.setHeader('content-type', 'video/mp4').setHeader('cache-control', 'max-age=3600')
    if (etag !== null) response.setHeader('etag', etag)
    if (acceptRanges) response.setHeader('accept-ranges', 'bytes')
    for (const [name, value] of Object.entries(this.#options.headers ?? {})) response.setHeader(name, value)
    if (headers['if-match'] !== undefined && headers['if-match'] !== etag) return void response.writeHead(412).end()
    if (headers['if-none-match'] !== undefined && headers['if-none-match'] === etag)
      return void response.writeHead(304).end()
    const ranged = headers.range !== undefined && (headers['if-range'] ?? etag) === etag
    const resolved = ranged ? resolveRange(parseRange([headers.range as string]) ?? [], length) : null
    if (resolved?.kind === 'unsatisfiable' && headers.range !== undefined) {
      return void response.writeHead(416, { 'content-range': `bytes */${length}` }).end()
    }
    const part = resolved?.kind === 'parts' ? resolved.ranges[0] : null
    const { first, last } = part ?? { first: 0, last: length - 1 }
    if (part !== null) response.setHeader('content-range', `bytes ${first}-${last}/${length}`)
    response.writeHead(part === null ? 200 : 206, { 'content-length': last - first + 1 })
    await this.send(response, first, last)
  }

  /** Sends bytes of the object at the reader's pace, and ends. */
  async send(response: ServerResponse, first: number, last: number, version = this.version): Promise<void> {
    for (let at = first; at <= last && !response.destroyed; at += PIECE_BYTES) {
      const piece = largeBytes(at, Math.min(at + PIECE_BYTES, last + 1), version)
      this.bytesSent += piece.length
      if (!response.write(piece)) {
        await new Promise<void>((resolve) => {
          const on = () => {
            response.off('drain', on).off('close', on)
            resolve()
          }
          response.on('drain', on).on('close', on)
        })
      }
    }
    response.end()
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }
}
