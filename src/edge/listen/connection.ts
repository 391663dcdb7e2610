//! One HTTP/1.1 viewer connection, plain or over TLS: bytes in, requests out in order, one at a time; its times and limits.
//! Heads are read by head-reader.ts, bodies by request-body.ts, answers written by reply.ts.
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ViewerEnds } from './ends.ts'
import { HeadReader } from './head-reader.ts'
import type { ParsedHeaders } from './header-block.ts'
import type { RefusalCause } from './refusal.ts'
import type { Standing } from './relief.ts'
import { Reply } from './reply.ts'
import { RequestBody } from './request-body.ts'
import type { RequestLine } from './request-line.ts'
import { Tunnel } from './tunnel.ts'
import type { ViewerRequest, ViewerTls } from './viewer.ts'
import { type ConnectionHost, ViewerSocket } from './viewer-socket.ts'

const LF = 10
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

export class Connection extends ViewerSocket {
  deadline: number
  readonly #host: ConnectionHost
  readonly #heads: HeadReader
  #state: 'open' | 'lingering' | 'tunnel' = 'open'
  #tunnel: Tunnel | null = null
  /** Bytes read and not yet consumed: the beginning of a head, or later requests. */
  #held: Buffer | null = null
  /** Clock.monotonic() when the bytes that are being parsed were there. */
  #readAt = 0
  #headBegun = false
  #reply: Reply | null = null
  #body: RequestBody | null = null
  #bodyPaused = false
  #continueOwed = false
  #parsing = false
  #peerEnded = false
  #closeAsked = false
  #lingered = 0
  /** A request has been taken already. */
  #used = false
  /** Clock.monotonic() since when the viewer takes nothing; null while it does. */
  #stalledSince: number | null = null

  constructor(socket: Socket, host: ConnectionHost, pop: number, tls: ViewerTls | null, ends: ViewerEnds) {
    super(socket, pop, tls, ends)
    this.#host = host
    this.#heads = new HeadReader(host.limits)
    this.deadline = host.clock.monotonic() + Math.min(host.limits.unusedMs, host.limits.idleMs)
    socket.on('data', (bytes: Buffer) => this.#onData(bytes))
    socket.on('drain', () => this.#onDrain())
    socket.on('end', () => this.#onEnd())
    socket.on('close', () => this.#onClose())
    socket.on('timeout', () => socket.destroy())
    socket.on('error', () => socket.destroy())
  }

  get idle(): boolean {
    return this.#reply === null && this.#body === null && !this.#headBegun && this.#state === 'open'
  }

  get closesNow(): boolean {
    return this.#closeAsked || this.#continueOwed || this.#host.draining || this.#bodyOverLong
  }

  /** What is still to come of the body is too much, or too uncertain, to be read and thrown away. */
  get #bodyOverLong(): boolean {
    if (this.#body === null) return false
    const { left } = this.#body
    return left === null || left > this.#host.limits.discardBytes
  }

  overdue(): void {
    if (this.#tunnel !== null) this.#tunnel.end('idle')
    else if (this.#state === 'lingering' || this.idle) this.socket.destroy()
    else if (this.#reply === null && this.#headBegun) this.#refuse('head-timeout')
    else if (this.#body !== null && this.#reply?.untouched) this.#refuse('body-timeout')
    else this.socket.destroy()
  }

  standing(now: number): Standing | null {
    const { unusedMs, idleMs, headMs, bodyIdleMs } = this.#host.limits
    const kind = this.#used ? 'idle' : 'unused'
    if (this.#state !== 'open') return null
    if (this.#stalledSince !== null) return { kind: 'slow', since: this.#stalledSince }
    if (this.idle) return { kind, since: this.deadline - (this.#used ? idleMs : Math.min(unusedMs, idleMs)) }
    if (this.#reply === null && this.#headBegun)
      return { kind: this.#used ? 'slow' : 'unused', since: this.deadline - headMs }
    // A body that comes as it should has earned itself most of its time.
    const isSlow = this.#body !== null && !this.#bodyPaused && this.deadline - now < bodyIdleMs / 2
    return isSlow ? { kind: 'slow', since: this.deadline - bodyIdleMs } : null
  }

  relieve(): void {
    if (this.idle) this.socket.destroySoon()
    else this.socket.destroy()
  }

  shun(): void {
    this.socket.destroy()
  }

  drain(): void {
    // Nobody can be told in the words of its protocol, which nobody here speaks.
    this.#tunnel?.end('drain')
    // Nothing is unread and nothing unsent: no need to linger.
    if (this.idle) this.socket.destroySoon()
  }

  answered(announced: boolean): void {
    let close = announced
    this.#reply = null
    if (this.socket.writableNeedDrain) this.stalled()
    if (this.#body !== null) {
      if (this.#bodyOverLong) close = true
      this.#body.discard()
    }
    if (close) this.#finish()
    else if (!this.#parsing) this.#advance()
  }

  stalled(): void {
    this.#stalledSince ??= this.#host.clock.monotonic()
    this.socket.setTimeout(this.#host.limits.sendStallMs)
  }

  tunnel(origin: Duplex, sent: (bytes: number) => void): Tunnel {
    const { clock, limits } = this.#host
    const alive = (): void => {
      this.deadline = clock.monotonic() + limits.tunnelIdleMs
    }
    for (const event of ['data', 'drain', 'end', 'timeout']) this.socket.removeAllListeners(event)
    this.socket.setTimeout(0)
    this.#state = 'tunnel'
    this.#reply = null
    const early = this.#held
    this.#held = null
    alive()
    this.#tunnel = new Tunnel(this.socket, origin, early, { alive, sent })
    if (this.#peerEnded) origin.end()
    if (this.#host.draining) this.#tunnel.end('drain')
    return this.#tunnel
  }

  pauseBody(): void {
    this.#bodyPaused = true
    this.deadline = Number.POSITIVE_INFINITY
    this.socket.pause()
  }

  resumeBody(): void {
    if (!this.#bodyPaused) return
    this.#bodyPaused = false
    this.deadline = this.#host.clock.monotonic() + this.#host.limits.bodyIdleMs
    this.socket.resume()
  }

  bodyWanted(): void {
    if (!this.#continueOwed) return
    this.#continueOwed = false
    this.socket.write(CONTINUE, 'latin1')
  }

  #onData(bytes: Buffer): void {
    if (this.#state === 'lingering') {
      this.#lingered += bytes.length
      if (this.#lingered > this.#host.limits.discardBytes) this.socket.destroy()
    } else if (this.#body !== null) {
      const end = this.#takeBody(bytes, 0)
      if (this.#state !== 'open') return
      if (end < bytes.length) this.#hold(bytes.subarray(end))
      if (this.#body === null) this.#advance()
    } else if (this.#reply !== null || this.socket.writableNeedDrain) {
      this.#hold(bytes)
    } else {
      const all = this.#held === null ? bytes : Buffer.concat([this.#held, bytes])
      this.#held = null
      // No head ends without a line break: one that comes byte by byte is not read anew for each.
      if (this.#headBegun && all.length <= this.#host.limits.headBytes && bytes.indexOf(LF) < 0) this.#held = all
      else this.#parse(all)
    }
  }

  /** Keeps bytes of later requests while one is under way, and stops reading when there are enough of them. */
  #hold(bytes: Buffer): void {
    this.#held = this.#held === null ? bytes : Buffer.concat([this.#held, bytes])
    if (this.#held.length > this.#host.limits.heldBytes) this.socket.pause()
  }

  /** Gives the body its bytes from `from`; returns where it ended, or `bytes.length` when it goes on. */
  #takeBody(bytes: Buffer, from: number): number {
    const body = this.#body!
    const end = body.feed(bytes, from)
    if (end < 0) {
      this.#refuse('bad-chunk')
      return bytes.length
    }
    if (body.complete) {
      this.#body = null
      this.#continueOwed = false
      // Reading on shows when the viewer goes away.
      this.resumeBody()
      this.deadline = Number.POSITIVE_INFINITY
      return end
    }
    if (!this.#bodyPaused) this.#prolong(bytes.length - from)
    if (body.discarded > this.#host.limits.discardBytes && this.#reply === null) this.#finish()
    return bytes.length
  }

  /** Bytes of a body earn it time: a trickle must not hold a connection, and one to the origin, for ever. */
  #prolong(bytes: number): void {
    const { bodyIdleMs, bodyBytesPerSecondMin } = this.#host.limits
    const earnedMs = (bytes / bodyBytesPerSecondMin) * 1_000
    this.deadline = Math.min(this.#host.clock.monotonic() + bodyIdleMs, this.deadline + earnedMs)
  }

  /** Goes on with what was held, once nothing is under way. */
  #advance(): void {
    if (this.#state !== 'open' || this.#reply !== null || this.#body !== null || this.socket.writableNeedDrain) return
    const held = this.#held
    this.#held = null
    if (this.socket.isPaused()) this.socket.resume()
    if (held !== null) this.#parse(held)
    else this.#await(this.#host.clock.monotonic())
  }

  #await(since: number): void {
    this.#headBegun = false
    if (this.#peerEnded) this.#finish()
    else this.deadline = since + this.#host.limits.idleMs
  }

  /** Takes as many whole requests from `bytes` as may be answered now; the rest is held. */
  #parse(bytes: Buffer): void {
    const text = bytes.toString('latin1')
    this.#readAt = this.#host.clock.monotonic()
    let at = 0
    this.#parsing = true
    while (this.#state === 'open' && this.#reply === null && this.#body === null && at < bytes.length) {
      const next = this.#takeRequest(bytes, text, at)
      if (next === at) break
      at = next
      if (at < bytes.length && this.socket.writableNeedDrain) break
    }
    this.#parsing = false
    if (this.#state !== 'open') return
    if (at < bytes.length) this.#hold(at === 0 ? bytes : bytes.subarray(at))
    else if (this.#reply === null && this.#body === null) this.#await(this.#readAt)
    if (this.#peerEnded) this.#onEnd()
  }

  /** Takes the request that begins at `at`; returns where it ended (its body included), or `at` when it is incomplete. */
  #takeRequest(bytes: Buffer, text: string, at: number): number {
    const outcome = this.#heads.read(bytes, text, at)
    if (outcome === 'whole') return this.#begin(this.#heads.line!, this.#heads.headers!, bytes, this.#heads.end)
    if (outcome !== 'incomplete') this.#refuse(outcome)
    else if (!this.#headBegun) {
      this.#headBegun = true
      this.deadline = this.#host.clock.monotonic() + this.#host.limits.headMs
    }
    return at
  }

  /** Hands a request to the pipeline and gives its body what is already here. */
  #begin(line: RequestLine, headers: ParsedHeaders, bytes: Buffer, bodyAt: number): number {
    const { facts } = headers
    const hasBody = facts.chunked || facts.contentLength > 0
    const startedAt = this.#readAt
    this.#headBegun = false
    this.#closeAsked = facts.close || line.minor === 0
    this.#continueOwed = facts.expectContinue && hasBody && line.minor === 1
    this.deadline = hasBody ? startedAt + this.#host.limits.bodyIdleMs : Number.POSITIVE_INFINITY
    this.#bodyPaused = false
    const body = hasBody ? new RequestBody(this, facts.chunked ? null : facts.contentLength) : null
    this.#body = body
    const reply = new Reply(this)
    this.#reply = reply
    const reused = this.#used
    this.#used = true
    const request: ViewerRequest = {
      method: line.method,
      path: line.path,
      query: line.query,
      httpVersion: line.minor === 1 ? '1.1' : '1.0',
      headers,
      body,
      connection: this,
      reused,
      startedAt,
    }
    try {
      this.#host.handler(request, reply)
    } catch {
      if (reply.untouched) this.#refuse('internal')
      else reply.abort()
      return bytes.length
    }
    return body === null || this.#body !== body || bodyAt >= bytes.length ? bodyAt : this.#takeBody(bytes, bodyAt)
  }

  /** The listener's own answer to what is not a request it may pass on; the connection ends with it. */
  #refuse(cause: RefusalCause): void {
    if (this.#state !== 'open') return
    const reply = this.#reply
    this.#reply = null
    if (reply === null || reply.untouched) {
      // Of one that came to the pipeline that writes the log line.
      const { head, body } = this.#host.refuse(
        this,
        cause,
        reply === null && this.#body === null ? this.#heads.line : 'told',
      )
      this.socket.write(head, 'latin1')
      this.socket.write(body)
      reply?.refuse(cause, head.length + body.length)
      this.#body?.fail(`the request body was refused: ${cause}`)
      this.#finish()
    } else {
      reply.lost()
      this.socket.destroy()
    }
  }

  /** Ends our side and gives the viewer a moment to read it: closing over unread bytes would reset the connection. */
  #finish(): void {
    if (this.#state !== 'open') return
    this.#state = 'lingering'
    this.#held = null
    this.#body?.discard()
    this.#body = null
    const { clock, limits } = this.#host
    // Of an answer it may take as long as it takes some; with nothing left of one the sweep is enough, and no timer needed.
    const isSent = this.socket.writableLength === 0
    if (!isSent) this.stalled()
    this.deadline = isSent ? clock.monotonic() + limits.sendStallMs : Number.POSITIVE_INFINITY
    this.socket.end(() => {
      this.deadline = clock.monotonic() + limits.lingerMs
    })
    if (this.socket.isPaused()) this.socket.resume()
  }

  #onDrain(): void {
    this.#stalledSince = null
    if (this.#state === 'open') this.socket.setTimeout(0)
    if (this.#reply !== null) this.#reply.onDrain?.()
    else this.#advance()
  }

  /**
   * The viewer will send no more. It may only have closed its half (`printf ... | nc`), or have gone for good, which looks
   * the same from here: what can be had at once is still sent, and the rest of an answer as long as it flows.
   */
  #onEnd(): void {
    this.#peerEnded = true
    if (this.#state !== 'open') return
    if (this.#body !== null) this.socket.destroy()
    else if (this.#reply === null && this.#headBegun) this.#refuse('bad-request-line')
    else if (this.#reply !== null) this.#leaveUnlessAnswered(this.#reply)
    else if (!this.socket.writableNeedDrain) this.#finish()
  }

  /** Takes a viewer that ended its side as gone when nothing of its answer comes and none of it is still to be read. */
  #leaveUnlessAnswered(reply: Reply): void {
    const { bytesSent } = reply
    const timer = setTimeout(() => {
      if (this.#reply !== reply) return
      if (reply.bytesSent !== bytesSent || this.socket.writableLength > 0) this.#leaveUnlessAnswered(reply)
      else if (!reply.untouched) this.socket.destroy()
      else {
        this.#reply = null
        reply.lost()
        this.#finish()
      }
    }, this.#host.limits.halfClosedMs)
    timer.unref()
  }

  #onClose(): void {
    this.#state = 'lingering'
    this.#body?.fail('the viewer closed the connection before the end of the request body')
    this.#body = null
    const reply = this.#reply
    this.#reply = null
    reply?.lost()
    this.#host.closed(this)
  }
}
