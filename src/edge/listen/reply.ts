//! The answer to one request on an HTTP/1.1 connection: writes it, tells the viewer's pace, notices that it has gone.
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { trailerSection } from '../../http/trailers.ts'
import { LOGGED_AS, type RefusalCause, STATUS_OF } from './refusal.ts'
import type { Tunnel, TunnelEnd } from './tunnel.ts'
import type { ViewerReply } from './viewer.ts'

/** What a reply needs of its connection. */
export interface ReplyOwner {
  readonly socket: Socket
  readonly scheme: 'http' | 'https'
  /** True when the connection ends with the current answer. */
  readonly closesNow: boolean
  /** The answer is complete (all of it handed to the socket); `close` ends the connection after it. */
  answered(close: boolean): void
  /** The viewer takes no more for now: from here on it must take some within the limit. */
  stalled(): void
  /** The connection is the tunnel's from now on; `sent` hears of bytes to the viewer. */
  tunnel(origin: Duplex, sent: (bytes: number) => void): Tunnel
}

/**
 * Up to this many bytes a body is copied behind its head and written at once; larger ones go as a corked pair of writes.
 * CPU of a whole request on Node 26, copied against corked: 1 KB 0.94x, 4 KB 1.01x, 16 KB 1.10x, 64 KB 1.76x. (The pair
 * costs a second write request and a vector; the copy costs the copy, and above 8 KB an allocation outside the pool.)
 */
const CONCATENATE_BYTES_MAX = 4_096

/** What is written to TLS lies there encrypted until it is sent: a large body goes in pieces of this many bytes. */
const TLS_PIECE_BYTES = 256 * 1024

/**
 * Where head and body of small answers are put together. The kernel nearly always takes all of it in the call that
 * writes it; then the next answer may use the same memory. Over TLS it is never taken at once.
 */
let scratch = Buffer.allocUnsafeSlow(32_768)

export class Reply implements ViewerReply {
  onDrain: (() => void) | null = null
  onAbort: (() => void) | null = null
  bytesSent = 0
  refused: ViewerReply['refused'] = null
  readonly #owner: ReplyOwner
  #state: 'waiting' | 'streaming' | 'done' | 'gone' = 'waiting'
  #framing: 'length' | 'chunked' | 'close' = 'length'

  constructor(owner: ReplyOwner) {
    this.#owner = owner
  }

  get gone(): boolean {
    return this.#state === 'gone'
  }

  get closes(): boolean {
    return this.#owner.closesNow
  }

  /** True while not a byte of the answer is written: the listener may still refuse the request itself. */
  get untouched(): boolean {
    return this.#state === 'waiting'
  }

  whole(head: string, body: Uint8Array | null, onSent: (() => void) | null): void {
    if (this.#state !== 'waiting') {
      onSent?.()
      return
    }
    const { socket, scheme } = this.#owner
    const close = this.#owner.closesNow
    this.#state = 'done'
    if (body === null || body.length === 0) {
      this.bytesSent += head.length
      socket.write(head, 'latin1')
      onSent?.()
    } else if (scheme === 'https' && body.length > TLS_PIECE_BYTES) {
      this.bytesSent += head.length + body.length
      socket.write(head, 'latin1')
      this.#inPieces(body, onSent, close)
      return
    } else if (
      scheme === 'http' &&
      body.length <= CONCATENATE_BYTES_MAX &&
      head.length + body.length <= scratch.length
    ) {
      const length = head.length + body.length
      this.bytesSent += length
      scratch.write(head, 0, 'latin1')
      scratch.set(body, head.length)
      socket.write(scratch.subarray(0, length))
      // Kept by the socket for later: no longer ours to write into.
      if (socket.writableLength > 0) scratch = Buffer.allocUnsafeSlow(scratch.length)
      onSent?.()
    } else {
      this.bytesSent += head.length + body.length
      socket.cork()
      socket.write(head, 'latin1')
      if (onSent === null) socket.write(body)
      else socket.write(body, () => onSent())
      socket.uncork()
    }
    this.#owner.answered(close)
  }

  /** The next piece goes when the viewer has taken the one before; `close` as of `answered`. */
  #inPieces(body: Uint8Array, onSent: (() => void) | null, close: boolean): void {
    const { socket } = this.#owner
    let at = 0
    const next = (): void => {
      while (this.#state === 'streaming') {
        const piece = body.subarray(at, at + TLS_PIECE_BYTES)
        at += piece.length
        if (at === body.length) {
          this.#state = 'done'
          this.onAbort = null
          socket.write(piece, () => onSent?.())
          this.#owner.answered(close || this.#owner.closesNow)
        } else if (!this.#flows(socket.write(piece))) return
      }
    }
    this.#state = 'streaming'
    this.onDrain = next
    this.onAbort = onSent
    next()
  }

  head(head: string, framing: 'length' | 'chunked' | 'close'): void {
    if (this.#state !== 'waiting') return
    this.#state = 'streaming'
    this.#framing = framing
    this.bytesSent = head.length
    this.#owner.socket.write(head, 'latin1')
  }

  write(chunk: Uint8Array, onSent?: () => void): boolean {
    // A viewer that has gone takes everything: the caller learns it from onAbort and need not wait.
    if (this.#state !== 'streaming' || chunk.length === 0) {
      onSent?.()
      return this.#state !== 'streaming' || !this.#owner.socket.writableNeedDrain
    }
    const { socket } = this.#owner
    this.bytesSent += chunk.length
    if (this.#framing !== 'chunked') return this.#flows(socket.write(chunk, onSent))
    const size = `${chunk.length.toString(16)}\r\n`
    this.bytesSent += size.length + 2
    socket.cork()
    socket.write(size, 'latin1')
    socket.write(chunk, onSent)
    const flowing = socket.write('\r\n', 'latin1')
    socket.uncork()
    return this.#flows(flowing)
  }

  #flows(flowing: boolean): boolean {
    if (!flowing) this.#owner.stalled()
    return flowing
  }

  interim(head: string): void {
    if (this.#state !== 'waiting') return
    this.bytesSent += head.length
    this.#owner.socket.write(head, 'latin1')
  }

  end(trailers: readonly string[] = []): void {
    if (this.#state !== 'streaming') return
    this.#state = 'done'
    if (this.#framing === 'chunked') {
      const end = `0\r\n${trailers.length === 0 ? '' : trailerSection(trailers)}\r\n`
      this.bytesSent += end.length
      this.#owner.socket.write(end, 'latin1')
    }
    this.#owner.answered(this.#framing === 'close' || this.#owner.closesNow)
  }

  async tunnel(head: string, origin: Duplex): Promise<{ end: TunnelEnd; received: number }> {
    if (this.#state !== 'waiting') {
      origin.destroy()
      return { end: 'viewer-broke', received: 0 }
    }
    this.#state = 'done'
    this.bytesSent += head.length
    this.#owner.socket.write(head, 'latin1')
    const tunnel = this.#owner.tunnel(origin, (bytes) => {
      this.bytesSent += bytes
    })
    return { end: await tunnel.over, received: tunnel.received }
  }

  abort(): void {
    if (this.#state === 'done' || this.#state === 'gone') return
    this.#state = 'gone'
    this.#owner.socket.destroy()
  }

  /** The listener has answered in our stead, with so many bytes. */
  refuse(cause: RefusalCause, bytes: number): void {
    this.refused = { status: STATUS_OF[cause], detailed: LOGGED_AS[cause] ?? 'InvalidRequest' }
    this.bytesSent += bytes
    this.lost()
  }

  /** The viewer went away, or the listener took the answer over. */
  lost(): void {
    if (this.#state === 'done' || this.#state === 'gone') return
    this.#state = 'gone'
    this.onAbort?.()
  }
}
