//! The requests of a connection: from decoded heads and DATA frames to the pipeline, and the states of their streams until
//! they are read and answered (RFC 9113 5.1, 8.1).
import type { RefusalCause, RefusedLine } from '../refusal.ts'
import type { HeadParts, ViewerRequest } from '../viewer.ts'
import type { ConnectionHost, ViewerSocket } from '../viewer-socket.ts'
import { ClosedStreams } from './closed-streams.ts'
import { ERROR, type ErrorName, FRAME } from './frames.ts'
import type { DecodedBlock } from './head-blocks.ts'
import { HTTP2_LIMITS, type Http2LimitName, type Http2RateName } from './limits.ts'
import { Priorities } from './priorities.ts'
import { Reply, type ReplyOwner } from './reply.ts'
import { RequestHeads, trailersOf } from './request-head.ts'
import type { Sender } from './sender.ts'
import { Stream, type StreamOwner } from './stream.ts'

/** What requests need of their connection. */
export interface RequestsOwner {
  readonly sender: Sender
  readonly viewer: ViewerSocket
  now(): number
  /** Clock.monotonic() when the bytes that are being read were there. */
  readonly readAt: number
  /** Ends the connection (5.4.1). */
  fail(error: ErrorName, why: string, limit?: Http2LimitName): void
  /** One more of what has a budget. */
  spend(rate: Http2RateName): void
  /** Something useful was done. */
  earn(): void
  /** There is something to be written. */
  wake(): void
  /** Bytes of bodies may be sent again. */
  credit(bytes: number): void
  /** The last stream is over. */
  idle(): void
  count(limit: Http2LimitName): void
}

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
/** Bytes of trailers of a request, as behind a chunked body. */
const TRAILER_BYTES_MAX = 8_192
/** Smaller DATA frames are hardly worth their heads. */
const SMALL_DATA_BYTES = 16
/** An empty message of gRPC: its flag and its length. */
const GRPC_MESSAGE_BYTES_MIN = 5

export class Requests implements ReplyOwner, StreamOwner {
  /** The highest stream that the viewer began. */
  lastId = 0
  /** Streams above it are not taken any more. */
  lastTaken = Number.POSITIVE_INFINITY
  readonly priorities = new Priorities()
  readonly #owner: RequestsOwner
  readonly #host: ConnectionHost
  readonly #sender: Sender
  readonly #heads: RequestHeads
  readonly #streams = new Map<number, Stream>()
  readonly #closed = new ClosedStreams()
  /** A request has been taken already. */
  #used = false

  constructor(owner: RequestsOwner, host: ConnectionHost) {
    this.#owner = owner
    this.#host = host
    this.#sender = owner.sender
    this.#heads = new RequestHeads(host.limits)
  }

  get size(): number {
    return this.#streams.size
  }

  // Frames of the viewer.

  /** A whole header block. */
  head(id: number, block: DecodedBlock, isLast: boolean): void {
    if (id > this.lastId) {
      this.#advance(id)
      if (id > this.lastTaken) this.#refuseStream(id)
      else if (this.#streams.size >= HTTP2_LIMITS.concurrentStreams) {
        this.#owner.count('concurrentStreams')
        this.#owner.spend('faults')
        this.#refuseStream(id)
      } else this.#begin(id, block, isLast)
      return
    }
    const stream = this.#streams.get(id)
    if (stream === undefined) this.#late(id, 'HEADERS')
    else if (!stream.isOpen) this.#fault(id, 'STREAM_CLOSED')
    else {
      const trailers = isLast && !block.overBounds ? trailersOf(block.fields, TRAILER_BYTES_MAX) : null
      if (trailers === null) this.#fault(id, 'PROTOCOL_ERROR')
      else this.#finish(stream, trailers)
    }
  }

  /** A header block whose frame is wrong: the stream is begun, and ends. */
  wrongHead(id: number, error: ErrorName): void {
    if (id > this.lastId) this.#advance(id)
    this.#fault(id, error)
  }

  /** A DATA frame of `length` bytes with its padding; `data` is what it carries. */
  data(id: number, data: Buffer, length: number, isLast: boolean): void {
    const stream = this.#streams.get(id)
    if (stream === undefined) {
      this.#owner.credit(length)
      if (id > this.lastId) this.#owner.fail('PROTOCOL_ERROR', `DATA on the idle stream ${id}`)
      else this.#late(id, 'DATA')
      return
    }
    stream.window -= length
    if (!stream.isOpen || stream.window < 0) {
      this.#owner.credit(length)
      this.#fault(id, stream.isOpen ? 'FLOW_CONTROL_ERROR' : 'STREAM_CLOSED')
      return
    }
    if (data.length < (stream.isUnhurried ? GRPC_MESSAGE_BYTES_MIN : SMALL_DATA_BYTES) && !isLast)
      this.#owner.spend('empties')
    else this.#owner.earn()
    if (length > data.length) this.opensWindow(stream, length - data.length)
    if (data.length > 0) {
      // It has declared that it has none (8.1.1).
      if (stream.body === null) {
        this.#owner.credit(data.length)
        return void this.#fault(id, 'PROTOCOL_ERROR')
      }
      this.#release(stream, true)
      if (this.#streams.get(id) !== stream) {
        // Answered and over without it.
        this.#owner.credit(data.length)
        return
      }
      if (!stream.take(data)) {
        this.#owner.credit(data.length)
        this.#fault(id, 'PROTOCOL_ERROR')
        return
      }
    }
    if (isLast) this.#finish(stream, [])
  }

  /** RST_STREAM; false on an idle stream. */
  reset(id: number): boolean {
    if (this.#isIdle(id)) return false
    const stream = this.#streams.get(id)
    if (stream === undefined) this.#owner.spend('controls')
    else {
      this.#owner.spend('resets')
      this.#lose(stream, 'the viewer reset the stream')
    }
    return true
  }

  /** WINDOW_UPDATE; false on an idle stream. */
  grow(id: number, bytes: number): boolean {
    if (this.#isIdle(id)) return false
    const stream = this.#streams.get(id)
    if (stream === undefined) return true
    if (bytes === 0) this.#fault(id, 'PROTOCOL_ERROR')
    else if (!this.#sender.resize(stream.reply, bytes)) this.#fault(id, 'FLOW_CONTROL_ERROR')
    return true
  }

  /** SETTINGS_INITIAL_WINDOW_SIZE has changed by so many bytes; false when a window becomes too large. */
  resizeAll(bytes: number): boolean {
    for (const { reply } of this.#streams.values()) if (!this.#sender.resize(reply, bytes)) return false
    return true
  }

  prioritize(id: number, text: string): void {
    const priority = this.priorities.update(id, text, id > this.lastId)
    const stream = this.#streams.get(id)
    if (stream !== undefined && priority !== null) this.#sender.reprioritize(stream.reply, priority)
  }

  /** A stream error for what a frame of it says (5.4.2); of the connection where there is none to reset (5.1, 6.4). */
  fault(id: number, error: ErrorName): void {
    if (this.#streams.has(id)) this.#fault(id, error)
    else if (this.#closed.wasReset(id)) this.#owner.spend('faults')
    else this.#owner.fail(error, `a wrong PRIORITY on stream ${id}, which cannot be reset`)
  }

  /** Looks for what takes too long. */
  sweep(now: number): void {
    for (const stream of [...this.#streams.values()]) {
      if (stream.deadline <= now) this.#bodyOverdue(stream)
      else if (stream.reply.deadline <= now) {
        this.#resetFrame(stream.id, 'CANCEL')
        this.#lose(stream, 'the viewer did not take the answer')
      }
    }
  }

  /** The connection is no more. */
  loseAll(why: string): void {
    for (const stream of [...this.#streams.values()]) this.#lose(stream, why)
  }

  // What replies ask for.

  sendHead(id: number, head: string, parts: HeadParts | undefined, isLast: boolean): number {
    this.#owner.wake()
    return this.#sender.heads.write(id, head, parts, isLast)
  }

  sendTrailers(id: number, trailers: readonly string[]): number {
    return this.#sender.heads.trailers(id, trailers)
  }

  sendAtOnce(reply: Reply, body: Uint8Array): boolean {
    return this.#sender.sendAtOnce(reply, body)
  }

  wants(reply: Reply): void {
    this.#sender.wants(reply)
    this.#owner.wake()
  }

  rests(reply: Reply): void {
    this.#sender.rests(reply)
  }

  answered(reply: Reply): void {
    const stream = this.#streams.get(reply.id)
    if (stream === undefined) return
    stream.body?.discard()
    if (stream.isOpen) stream.linger(this.#host.limits.lingerMs)
    else this.#forget(stream)
  }

  abandoned(reply: Reply, cancelled: boolean): void {
    const stream = this.#streams.get(reply.id)
    this.#resetFrame(reply.id, cancelled ? 'CANCEL' : 'INTERNAL_ERROR')
    if (stream === undefined) return
    this.#forget(stream)
    stream.body?.discard()
  }

  // What bodies ask for.

  now(): number {
    return this.#owner.now()
  }

  opensWindow(stream: Stream, bytes: number): void {
    this.#owner.credit(bytes)
    // Nobody wants more of a request that is answered.
    if (stream.reply.over) return
    stream.owed += bytes
    if (!stream.isOpen || stream.owed < HTTP2_LIMITS.streamWindowBytes / 2) return
    this.#sender.output.shortFrame(FRAME.windowUpdate, 0, stream.id, stream.owed)
    stream.window += stream.owed
    stream.owed = 0
    this.#owner.wake()
  }

  continues(stream: Stream): void {
    if (!stream.continueOwed) return
    stream.continueOwed = false
    stream.reply.interim(CONTINUE)
  }

  // Begin and end.

  /** Never begun; the even ones would be ours (5.1.1). */
  #isIdle(id: number): boolean {
    return id > this.lastId || (id & 1) === 0
  }

  /** A stream is begun; those below it cannot be any more (5.1.1). */
  #advance(id: number): void {
    if (id > this.lastId + 2) this.#closed.addGap(this.lastId + 1, id - 1)
    this.lastId = id
  }

  #begin(id: number, block: DecodedBlock, isLast: boolean): void {
    const heads = this.#heads
    const outcome = heads.read(block)
    if (outcome === 'malformed') return void this.#fault(id, 'PROTOCOL_ERROR')
    const reply = new Reply(this, id, this.#sender.initialWindow, this.#host.limits.sendStallMs)
    if (outcome !== 'whole') return void this.#refuse(reply, outcome, isLast, heads.refusedLine)
    const headers = heads.headers!
    const { contentLength, expectContinue } = headers.facts
    if (isLast && contentLength > 0) return void this.#fault(id, 'PROTOCOL_ERROR')
    this.#owner.earn()
    const { method, target } = heads
    const request: ViewerRequest = {
      method,
      path: target.path,
      query: target.query,
      httpVersion: '2.0',
      headers,
      body: null,
      connection: this.#owner.viewer,
      reused: this.#used,
      startedAt: this.#owner.readAt,
    }
    this.#used = true
    reply.priority = this.priorities.of(id, headers)
    if (isLast) {
      this.#hand(request, reply)
      if (!reply.over) this.#streams.set(id, new Stream(this, reply, null, this.#host.limits))
      return
    }
    const length = contentLength < 0 ? null : contentLength
    const ahead = { length, window: HTTP2_LIMITS.streamWindowBytes }
    const stream = new Stream(this, reply, ahead, this.#host.limits)
    stream.continueOwed = expectContinue && length !== 0
    stream.held = request
    this.#streams.set(id, stream)
    // Without a body, or perhaps without: what follows tells whether it is well formed (8.1.1).
    if (length === 0 || (length === null && (method === 'GET' || method === 'HEAD'))) return
    this.#release(stream, true)
  }

  /** Hands a held request on, now that it is known whether it has a body. */
  #release(stream: Stream, hasBody: boolean): void {
    const { held, body, reply } = stream
    if (held === null) return
    stream.held = null
    this.#hand(hasBody && body !== null ? { ...held, body } : held, reply)
  }

  #hand(request: ViewerRequest, reply: Reply): void {
    try {
      this.#host.handler(request, reply)
    } catch {
      if (reply.untouched) this.#refuse(reply, 'internal', true, 'told')
      else reply.abort()
    }
  }

  /** The viewer has ended its side. */
  #finish(stream: Stream, trailers: readonly string[]): void {
    if (!stream.finish(trailers)) return void this.#fault(stream.id, 'PROTOCOL_ERROR')
    if (stream.reply.over) this.#forget(stream)
    else this.#release(stream, false)
  }

  /** The listener's own answer to what is not a request it may pass on. */
  #refuse(reply: Reply, cause: RefusalCause, isLast: boolean, line: RefusedLine | 'told' | null): number {
    const { head, body } = this.#host.refuse(this.#owner.viewer, cause, line)
    // It is answered like any other: its body may have to wait.
    const ahead = isLast ? null : { length: null, window: HTTP2_LIMITS.streamWindowBytes }
    const stream = new Stream(this, reply, ahead, this.#host.limits)
    // What comes of the request is thrown away, and may come.
    stream.body?.discard()
    if (!this.#streams.has(reply.id)) this.#streams.set(reply.id, stream)
    reply.whole(head, body, null)
    return reply.bytesSent
  }

  #bodyOverdue(stream: Stream): void {
    const { reply } = stream
    if (reply.over) {
      // The rest of the request is of no use (8.1). Clients that read this together with the answer take it for an error.
      this.#resetFrame(stream.id, 'NO_ERROR')
      this.#forget(stream)
    } else if (reply.untouched) {
      stream.held = null
      stream.reply = new Reply(this, stream.id, reply.window, this.#host.limits.sendStallMs)
      reply.refuse('body-timeout', this.#refuse(stream.reply, 'body-timeout', false, 'told'))
      stream.body?.fail('the request body did not arrive in time')
    } else {
      this.#resetFrame(stream.id, 'CANCEL')
      this.#lose(stream, 'the request body did not arrive in time')
    }
  }

  /** A stream error that the viewer has caused (5.4.2). */
  #fault(id: number, error: ErrorName): void {
    const stream = this.#streams.get(id)
    this.#resetFrame(id, error)
    if (stream !== undefined) this.#lose(stream, `the viewer broke the rules: ${error}`)
    this.#owner.spend('faults')
  }

  /** A frame on a stream that is no more. */
  #late(id: number, what: string): void {
    if (this.#closed.wasReset(id)) return
    if (this.#closed.wasSkipped(id))
      this.#owner.fail('PROTOCOL_ERROR', `${what} on stream ${id}, which was passed over`)
    else this.#owner.fail('STREAM_CLOSED', `${what} on the closed stream ${id}`)
  }

  #refuseStream(id: number): void {
    this.#resetFrame(id, 'REFUSED_STREAM')
  }

  #resetFrame(id: number, error: ErrorName): void {
    this.#closed.addReset(id)
    this.#sender.output.shortFrame(FRAME.rstStream, 0, id, ERROR[error])
    this.#owner.wake()
  }

  #lose(stream: Stream, why: string): void {
    stream.held = null
    this.#forget(stream)
    stream.reply.lost()
    stream.body?.fail(why)
    stream.body?.discard()
  }

  #forget(stream: Stream): void {
    stream.isOpen = false
    this.#sender.rests(stream.reply)
    this.#streams.delete(stream.id)
    if (this.#streams.size === 0) this.#owner.idle()
  }
}
