//! One HTTP/2 viewer connection (RFC 9113): its preface, settings and frames, its times and limits, and its end. Frames are
//! cut by frame-reader.ts, header blocks read by head-blocks.ts, requests kept by requests.ts, answers sent by sender.ts.
import type { Socket } from 'node:net'
import type { ViewerEnds } from '../ends.ts'
import type { ViewerTls } from '../viewer.ts'
import { type ConnectionHost, ViewerSocket } from '../viewer-socket.ts'
import { Budgets } from './budgets.ts'
import { FrameReader, type FrameTaker } from './frame-reader.ts'
import {
  ERROR,
  type ErrorName,
  FLAG,
  FRAME,
  FRAME_BYTES,
  PREFACE,
  SETTING,
  STREAM_ID_MAX,
  WINDOW_BYTES,
} from './frames.ts'
import { HeadBlocks } from './head-blocks.ts'
import { HTTP2_LIMITS, type Http2LimitName, type Http2RateName } from './limits.ts'
import { Requests, type RequestsOwner } from './requests.ts'
import { Sender } from './sender.ts'
import { type SettingsTaker, settingsPayload, ViewerSettings } from './settings.ts'

/** Payload of the PING whose answer tells that the viewer has seen the first GOAWAY of a drain. */
const DRAIN_PING = Buffer.from('draining', 'latin1')

/**
 * The time limit of a socket begins anew with every byte, read or written: a viewer that takes nothing and goes on to speak
 * is cut when what one write holds has not gone in so many of them.
 */
const WRITE_STALLS = 4

export class Http2Connection extends ViewerSocket implements FrameTaker, RequestsOwner, SettingsTaker {
  deadline: number
  readonly sender: Sender
  readAt: number
  readonly #host: ConnectionHost
  readonly #reader = new FrameReader(this, FRAME_BYTES)
  readonly #blocks: HeadBlocks
  readonly #requests: Requests
  readonly #settings = new ViewerSettings()
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

  /** Two GOAWAY frames (RFC 9113 6.8): the first says that no more are wanted, the second which were taken. */
  drain(): void {
    if (this.#state === 'preface') this.socket.destroySoon()
    if (this.#state !== 'open' || this.#drainTimer !== null || this.#isLeaving) return
    this.#goaway(STREAM_ID_MAX, 'NO_ERROR', '')
    this.#frame(FRAME.ping, 0, DRAIN_PING)
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

  // What settings ask for.

  tableBytes(bytes: number): void {
    this.sender.heads.tableBytes(bytes)
  }

  initialWindow(bytes: number): boolean {
    const change = bytes - this.sender.initialWindow
    this.sender.initialWindow = bytes
    return this.#requests.resizeAll(change)
  }

  frameBytes(bytes: number): void {
    this.sender.heads.frameBytes = bytes
  }

  // Bytes and frames.

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

  tooLong(): void {
    this.fail('FRAME_SIZE_ERROR', `a frame has more than ${FRAME_BYTES} bytes`)
  }

  frame(type: number, flags: number, id: number, bytes: Buffer, from: number, end: number): boolean {
    if (this.#blocks.isOpen && (type !== FRAME.continuation || id !== this.#blocks.id)) {
      this.fail('PROTOCOL_ERROR', 'a header block is interrupted')
    } else if (!this.#settings.haveCome && type !== FRAME.settings) {
      this.fail('PROTOCOL_ERROR', 'the first frame is not SETTINGS')
    } else this.#take(type, flags, id, bytes, from, end)
    return this.#state === 'open'
  }

  #take(type: number, flags: number, id: number, bytes: Buffer, from: number, end: number): void {
    switch (type) {
      case FRAME.headers:
        return void this.#onHeaders(flags, id, bytes, from, end)
      case FRAME.data:
        return void this.#onDataFrame(flags, id, bytes, from, end)
      case FRAME.windowUpdate:
        return void this.#onWindowUpdate(id, bytes, from, end)
      case FRAME.rstStream:
        return void this.#onReset(id, end - from)
      case FRAME.settings:
        return void this.#onSettings(flags, id, bytes, from, end)
      case FRAME.ping:
        return void this.#onPing(flags, id, bytes, from, end)
      case FRAME.continuation:
        return void this.#onContinuation(flags, bytes, from, end)
      case FRAME.priority:
        return void this.#onPriority(id, bytes, from, end)
      case FRAME.priorityUpdate:
        return void this.#onPriorityUpdate(id, bytes, from, end)
      case FRAME.goaway:
        if (id !== 0) this.fail('PROTOCOL_ERROR', 'GOAWAY on a stream')
        else if (end - from < 8) this.#wrongSize('GOAWAY')
        else this.spend('controls')
        return
      case FRAME.pushPromise:
        return void this.fail('PROTOCOL_ERROR', 'a client does not push')
      default:
        // Unknown frames are ignored (4.1).
        return void this.spend('controls')
    }
  }

  #onHeaders(flags: number, id: number, bytes: Buffer, from: number, end: number): void {
    // Servers have the even ones (5.1.1).
    if ((id & 1) === 0) return void this.fail('PROTOCOL_ERROR', `HEADERS on stream ${id}`)
    let first = from
    let last = end
    if ((flags & FLAG.padded) !== 0) last -= bytes[first++] ?? 0
    let dependsOn = 0
    if ((flags & FLAG.priority) !== 0) {
      if (last - first < 5) return void this.fail('FRAME_SIZE_ERROR', 'HEADERS are too short')
      dependsOn = bytes.readUInt32BE(first) & 0x7f_ff_ff_ff
      first += 5
    }
    if (first > end || last < first) return void this.fail('PROTOCOL_ERROR', 'HEADERS have too much padding')
    if ((flags & FLAG.endHeaders) === 0) {
      this.#blocks.open(id, (flags & FLAG.endStream) !== 0, bytes.subarray(first, last), this.readAt)
    } else if (!this.#blocks.decode(bytes, first, last)) this.#wrongBlock()
    // RFC 7540 5.3.1: what its trees of priorities cannot mean; clients that still send them should know.
    else if (dependsOn === id) this.#requests.wrongHead(id, 'PROTOCOL_ERROR')
    else this.#requests.head(id, this.#blocks, (flags & FLAG.endStream) !== 0)
  }

  #onContinuation(flags: number, bytes: Buffer, from: number, end: number): void {
    const blocks = this.#blocks
    if (!blocks.isOpen) return void this.fail('PROTOCOL_ERROR', 'CONTINUATION without HEADERS')
    const limit = blocks.append(bytes.subarray(from, end))
    if (limit !== null) return void this.fail('ENHANCE_YOUR_CALM', `a header block is over the limit: ${limit}`, limit)
    if ((flags & FLAG.endHeaders) === 0) return
    const { id, endsStream } = blocks
    if (blocks.close()) this.#requests.head(id, blocks, endsStream)
    else this.#wrongBlock()
  }

  #onDataFrame(flags: number, id: number, bytes: Buffer, from: number, end: number): void {
    if (id === 0) return void this.fail('PROTOCOL_ERROR', 'DATA on stream 0')
    let first = from
    let last = end
    if ((flags & FLAG.padded) !== 0) last -= bytes[first++] ?? 0
    if (first > end || last < first) return void this.fail('PROTOCOL_ERROR', 'DATA have too much padding')
    this.#window -= end - from
    if (this.#window < 0)
      return void this.fail('FLOW_CONTROL_ERROR', 'more DATA than the window of the connection allows')
    this.#requests.data(id, bytes.subarray(first, last), end - from, (flags & FLAG.endStream) !== 0)
  }

  #onWindowUpdate(id: number, bytes: Buffer, from: number, end: number): void {
    if (end - from !== 4) return void this.#wrongSize('WINDOW_UPDATE')
    const count = bytes.readUInt32BE(from) & 0x7f_ff_ff_ff
    this.spend('controls')
    if (id === 0) {
      if (count === 0) this.fail('PROTOCOL_ERROR', 'WINDOW_UPDATE of nothing')
      else if (!this.sender.grow(count)) this.fail('FLOW_CONTROL_ERROR', 'the window of the connection is too large')
    } else if (!this.#requests.grow(id, count)) this.fail('PROTOCOL_ERROR', `WINDOW_UPDATE on the idle stream ${id}`)
  }

  #onReset(id: number, length: number): void {
    if (id === 0) this.fail('PROTOCOL_ERROR', 'RST_STREAM on stream 0')
    else if (length !== 4) this.#wrongSize('RST_STREAM')
    else if (!this.#requests.reset(id)) this.fail('PROTOCOL_ERROR', `RST_STREAM on the idle stream ${id}`)
  }

  #onSettings(flags: number, id: number, bytes: Buffer, from: number, end: number): void {
    if (id !== 0) return void this.fail('PROTOCOL_ERROR', 'SETTINGS on a stream')
    if ((flags & FLAG.ack) !== 0) {
      if (end > from) this.#wrongSize('SETTINGS with ACK')
      else if (!this.#settings.haveCome) this.fail('PROTOCOL_ERROR', 'the first frame is not SETTINGS')
      else {
        this.#ackBy = Number.POSITIVE_INFINITY
        this.spend('settings')
      }
      return
    }
    if ((end - from) % 6 !== 0) return void this.#wrongSize('SETTINGS')
    this.spend('settings')
    const wrong = this.#settings.read(bytes, from, end, this)
    if (wrong !== null) this.fail(wrong, 'a setting has a value that it may not have')
    else this.sender.output.shortFrame(FRAME.settings, FLAG.ack, 0, null)
  }

  #onPing(flags: number, id: number, bytes: Buffer, from: number, end: number): void {
    if (id !== 0) return void this.fail('PROTOCOL_ERROR', 'PING on a stream')
    if (end - from !== 8) return void this.#wrongSize('PING')
    const payload = bytes.subarray(from, end)
    this.spend('pings')
    if ((flags & FLAG.ack) === 0) this.#frame(FRAME.ping, FLAG.ack, payload)
    else if (this.#drainTimer !== null && payload.equals(DRAIN_PING)) this.#leave()
  }

  #onPriority(id: number, bytes: Buffer, from: number, end: number): void {
    this.spend('controls')
    if (id === 0) this.fail('PROTOCOL_ERROR', 'PRIORITY on stream 0')
    else if (end - from !== 5) this.#requests.fault(id, 'FRAME_SIZE_ERROR')
    else if ((bytes.readUInt32BE(from) & 0x7f_ff_ff_ff) === id) this.#requests.fault(id, 'PROTOCOL_ERROR')
  }

  /** RFC 9218 7.1 */
  #onPriorityUpdate(id: number, bytes: Buffer, from: number, end: number): void {
    this.spend('controls')
    if (id !== 0) return void this.fail('PROTOCOL_ERROR', 'PRIORITY_UPDATE on a stream')
    if (end - from < 4) return void this.#wrongSize('PRIORITY_UPDATE')
    const prioritized = bytes.readUInt32BE(from) & 0x7f_ff_ff_ff
    if ((prioritized & 1) === 0) this.fail('PROTOCOL_ERROR', `PRIORITY_UPDATE for stream ${prioritized}`)
    else this.#requests.prioritize(prioritized, bytes.toString('latin1', from + 4, end))
  }

  #wrongSize(what: string): void {
    this.fail('FRAME_SIZE_ERROR', `${what} has a wrong length`)
  }

  #wrongBlock(): void {
    this.fail('COMPRESSION_ERROR', 'a header block cannot be decoded')
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
    this.#frame(FRAME.settings, 0, payload)
    this.#window = connectionWindowBytes
    this.sender.output.shortFrame(FRAME.windowUpdate, 0, 0, connectionWindowBytes - WINDOW_BYTES)
    this.sender.flush()
  }

  /** A frame of the connection. */
  #frame(type: number, flags: number, payload: Uint8Array): void {
    const { output } = this.sender
    output.reserve(payload.length + 9)
    output.frameHead(payload.length, type, flags, 0)
    output.bytes.set(payload, output.at)
    output.at += payload.length
  }

  #goaway(lastId: number, error: ErrorName, why: string): void {
    const payload = Buffer.alloc(8 + why.length)
    payload.writeUInt32BE(lastId, 0)
    payload.writeUInt32BE(ERROR[error], 4)
    payload.write(why, 8, 'latin1')
    this.#frame(FRAME.goaway, 0, payload)
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
