//! One HTTP/2 viewer connection (RFC 9113): its preface, its times and limits, and its end. Frames are cut by
//! frame-reader.ts and understood by viewer-frames.ts, requests kept by requests.ts, answers sent by sender.ts.
import type { Socket } from 'node:net'
import type { ViewerEnds } from '../ends.ts'
import type { Standing } from '../relief.ts'
import type { ViewerTls } from '../viewer.ts'
import { type ConnectionHost, ViewerSocket } from '../viewer-socket.ts'
import { Budgets } from './budgets.ts'
import { FrameReader } from './frame-reader.ts'
import { ERROR, type ErrorName, FRAME, FRAME_BYTES, PREFACE, SETTING, STREAM_ID_MAX, WINDOW_BYTES } from './frames.ts'
import { HeadBlocks } from './head-blocks.ts'
import { HTTP2_LIMITS, type Http2LimitName, type Http2RateName } from './limits.ts'
import { Requests, type RequestsOwner } from './requests.ts'
import { Sender } from './sender.ts'
import { settingsPayload } from './settings.ts'
import { type FramesOwner, ViewerFrames } from './viewer-frames.ts'

/** Payload of the PING whose answer tells that the viewer has seen the first GOAWAY of a drain. */
const DRAIN_PING = Buffer.from('draining', 'latin1')

/**
 * The time limit of a socket begins anew with every byte, read or written: a viewer that takes nothing and goes on to speak
 * is cut when what one write holds has not gone in so many of them.
 */
const WRITE_STALLS = 4

export class Http2Connection extends ViewerSocket implements FramesOwner, RequestsOwner {
  deadline: number
  readonly sender: Sender
  readAt: number
  readonly #host: ConnectionHost
  readonly #reader: FrameReader
  readonly #blocks: HeadBlocks
  readonly #requests: Requests
  readonly #budgets: Budgets
  #state: 'preface' | 'open' | 'lingering' = 'preface'
  #prefaceBytes = 0
  #isReading = false
  #flushAsked = false
  /** Bytes that the viewer may yet send in all bodies together, and those that it was not told that it may send again. */
  #window = WINDOW_BYTES
  #owed = 0
  /** Clock.monotonic() at which our SETTINGS must have been acknowledged. */
  #ackBy: number
  /** Clock.monotonic() since when there is no request. */
  #idleSince: number
  /** Clock.monotonic() since when the socket takes no more. */
  #stalledSince = Number.POSITIVE_INFINITY
  #drainTimer: NodeJS.Timeout | null = null
  #isLeaving = false
  #lingered = 0

  constructor(socket: Socket, host: ConnectionHost, pop: number, tls: ViewerTls, ends: ViewerEnds) {
    super(socket, pop, tls, ends)
    this.#host = host
    const now = host.clock.monotonic()
    this.readAt = now
    this.#idleSince = now
    this.#ackBy = now + HTTP2_LIMITS.settingsAckMs
    this.#blocks = new HeadBlocks(host.limits)
    this.#budgets = new Budgets(now)
    this.sender = new Sender(socket, HTTP2_LIMITS, host.limits.sendStallMs, {
      now: () => this.now(),
      stalled: () => this.#stalled(),
      dribbled: () => this.spend('dribbles'),
      worked: () => this.earn(),
    })
    this.#requests = new Requests(this, host)
    this.#reader = new FrameReader(new ViewerFrames(this, this.#blocks, this.#requests), FRAME_BYTES)
    this.deadline = now + Math.min(host.limits.unusedMs, host.limits.idleMs)
    socket.on('data', (bytes: Buffer) => this.#onData(bytes))
    socket.on('drain', () => this.#onDrain())
    socket.on('end', () => this.#onEnd())
    socket.on('close', () => this.#onClose())
    socket.on('timeout', () => socket.destroy())
    socket.on('error', () => socket.destroy())
    this.#greet()
  }

  get viewer(): ViewerSocket {
    return this
  }

  now(): number {
    return this.#host.clock.monotonic()
  }

  overdue(): void {
    const now = this.now()
    const { idleMs } = this.#host.limits
    if (this.#state !== 'open') this.socket.destroy()
    else if (this.#ackBy <= now) this.fail('SETTINGS_TIMEOUT', 'the settings were not acknowledged')
    else if (this.#blocks.deadline <= now) this.fail('ENHANCE_YOUR_CALM', 'a header block did not end')
    else if (this.sender.deadline <= now) this.fail('ENHANCE_YOUR_CALM', 'the window of the connection stayed closed')
    else if (this.#stalledSince + WRITE_STALLS * this.#host.limits.sendStallMs <= now) this.socket.destroy()
    else if (this.#requests.size === 0 && this.#idleSince + idleMs <= now) this.#leave()
    else {
      this.#requests.sweep(now)
      this.#flush()
    }
  }

  standing(): Standing | null {
    const isUsed = this.#requests.lastId > 0
    if (this.#state === 'lingering') return null
    if (this.#stalledSince !== Number.POSITIVE_INFINITY) return { kind: 'slow', since: this.#stalledSince }
    if (this.#blocks.isOpen)
      return { kind: isUsed ? 'slow' : 'unused', since: this.#blocks.deadline - this.#host.limits.headMs }
    return this.#requests.size > 0 ? null : { kind: isUsed ? 'idle' : 'unused', since: this.#idleSince }
  }

  /** With GOAWAY, so that a viewer knows that what it has not been answered was not taken. */
  relieve(): void {
    if (this.#requests.size === 0) this.#leave()
    else this.fail('ENHANCE_YOUR_CALM', 'the connection is slow, and others are waiting')
    this.socket.destroySoon()
  }

  shun(): void {
    this.fail('ENHANCE_YOUR_CALM', 'too many requests')
    this.socket.destroySoon()
  }

  /** Two GOAWAY frames (RFC 9113 6.8): the first says that no more are wanted, the second which were taken. */
  drain(): void {
    if (this.#state === 'preface') this.socket.destroySoon()
    if (this.#state !== 'open' || this.#drainTimer !== null || this.#isLeaving) return
    this.#goaway(STREAM_ID_MAX, 'NO_ERROR', '')
    this.sender.output.longFrame(FRAME.ping, 0, 0, DRAIN_PING)
    this.#drainTimer = setTimeout(() => this.#leave(), HTTP2_LIMITS.drainMs)
    this.#flush()
  }

  // What requests ask for.

  fail(error: ErrorName, why: string, limit?: Http2LimitName): void {
    if (this.#state === 'lingering') return
    if (limit !== undefined) this.count(limit)
    this.#goaway(this.#requests.lastId, error, why)
    this.#finish()
  }

  spend(rate: Http2RateName): void {
    if (this.#budgets.take(rate, this.readAt)) return
    this.fail('ENHANCE_YOUR_CALM', `too many: ${rate}`, rate)
  }

  earn(): void {
    this.#budgets.earn()
  }

  count(limit: Http2LimitName): void {
    this.#host.limited(limit)
  }

  wake(): void {
    if (this.#isReading || this.#flushAsked) return
    this.#flushAsked = true
    process.nextTick(() => {
      this.#flushAsked = false
      this.#flush()
    })
  }

  credit(bytes: number): void {
    this.#owed += bytes
    if (this.#owed < HTTP2_LIMITS.connectionWindowBytes / 2 || this.#state !== 'open') return
    this.sender.output.shortFrame(FRAME.windowUpdate, 0, 0, this.#owed)
    this.#window += this.#owed
    this.#owed = 0
    this.wake()
  }

  idle(): void {
    this.#idleSince = this.now()
    if (this.#isLeaving) this.#finish()
  }

  // What the frames of the connection tell.

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  received(bytes: number): boolean {
    this.#window -= bytes
    return this.#window >= 0
  }

  acknowledged(): void {
    this.#ackBy = Number.POSITIVE_INFINITY
  }

  pinged(payload: Buffer): void {
    if (this.#drainTimer !== null && payload.equals(DRAIN_PING)) this.#leave()
  }

  // Bytes.

  #onData(bytes: Buffer): void {
    if (this.#state === 'lingering') {
      this.#lingered += bytes.length
      if (this.#lingered > this.#host.limits.discardBytes) this.socket.destroy()
      return
    }
    this.readAt = this.#host.clock.monotonic()
    this.#isReading = true
    const at = this.#state === 'preface' ? this.#readPreface(bytes) : 0
    if (at >= 0) this.#reader.read(bytes, at)
    this.#isReading = false
    this.#flush()
    if (this.socket.writableLength > HTTP2_LIMITS.unsentBytes) this.socket.pause()
  }

  /** Returns where the first frame begins, -1 when it has not come. */
  #readPreface(bytes: Buffer): number {
    const from = this.#prefaceBytes
    const count = Math.min(bytes.length, PREFACE.length - from)
    if (bytes.compare(PREFACE, from, from + count, 0, count) !== 0) {
      this.fail('PROTOCOL_ERROR', 'the connection preface is wrong')
      return -1
    }
    this.#prefaceBytes += count
    if (this.#prefaceBytes < PREFACE.length) return -1
    this.#state = 'open'
    this.#idleSince = this.readAt
    return count
  }

  // Writing and ending.

  /** Our SETTINGS, and the window of the connection, which they do not tell. */
  #greet(): void {
    const { concurrentStreams, streamWindowBytes, connectionWindowBytes } = HTTP2_LIMITS
    const payload = settingsPayload([
      [SETTING.maxConcurrentStreams, concurrentStreams],
      [SETTING.initialWindowSize, streamWindowBytes],
      [SETTING.maxHeaderListSize, this.#host.limits.headBytes],
      [SETTING.noRfc7540Priorities, 1],
    ])
    this.sender.output.longFrame(FRAME.settings, 0, 0, payload)
    this.#window = connectionWindowBytes
    this.sender.output.shortFrame(FRAME.windowUpdate, 0, 0, connectionWindowBytes - WINDOW_BYTES)
    this.sender.flush()
  }

  #goaway(lastId: number, error: ErrorName, why: string): void {
    const payload = Buffer.alloc(8 + why.length)
    payload.writeUInt32BE(lastId, 0)
    payload.writeUInt32BE(ERROR[error], 4)
    payload.write(why, 8, 'latin1')
    this.sender.output.longFrame(FRAME.goaway, 0, 0, payload)
  }

  #flush(): void {
    if (this.#state !== 'lingering') this.sender.flush()
    this.#watch()
  }

  /** When the sweep has to look at it: at each turn while something is under way. */
  #watch(): void {
    if (this.#state !== 'open') return
    const isBusy = this.#requests.size > 0 || this.#blocks.isOpen
    const awaits = this.#ackBy !== Number.POSITIVE_INFINITY || this.#stalledSince !== Number.POSITIVE_INFINITY
    this.deadline = isBusy || awaits ? 0 : this.#idleSince + this.#host.limits.idleMs
  }

  /** Takes no more requests; ends when those under way are answered. */
  #leave(): void {
    if (this.#drainTimer !== null) clearTimeout(this.#drainTimer)
    this.#drainTimer = null
    if (this.#state !== 'open' || this.#isLeaving) return
    this.#isLeaving = true
    const { lastId } = this.#requests
    this.#requests.lastTaken = lastId
    this.#goaway(lastId, 'NO_ERROR', '')
    if (this.#requests.size === 0) this.#finish()
    else this.wake()
  }

  /** Ends our side and gives the viewer a moment to read it: closing over unread bytes would reset the connection. */
  #finish(): void {
    if (this.#state === 'lingering') return
    this.#state = 'lingering'
    this.#requests.loseAll('the connection ended')
    this.sender.output.flush(this.socket)
    this.deadline = Number.POSITIVE_INFINITY
    this.socket.setTimeout(this.#host.limits.sendStallMs)
    this.socket.end(() => {
      this.deadline = this.now() + this.#host.limits.lingerMs
    })
    if (this.socket.isPaused()) this.socket.resume()
  }

  /** The socket takes no more: from here on the viewer must take some within the limit, and all of it in some more. */
  #stalled(): void {
    if (this.#stalledSince !== Number.POSITIVE_INFINITY) return
    this.#stalledSince = this.now()
    this.socket.setTimeout(this.#host.limits.sendStallMs)
  }

  #onDrain(): void {
    this.#stalledSince = Number.POSITIVE_INFINITY
    this.socket.setTimeout(0)
    if (this.#state === 'lingering') return
    if (this.socket.isPaused()) this.socket.resume()
    this.#flush()
  }

  /** Without its side of the connection a viewer can neither open windows nor ask: it has gone. */
  #onEnd(): void {
    this.#finish()
  }

  #onClose(): void {
    if (this.#drainTimer !== null) clearTimeout(this.#drainTimer)
    this.#state = 'lingering'
    this.#requests.loseAll('the viewer closed the connection')
    this.#host.closed(this)
  }
}
