//! What goes out on a connection: heads at once, bodies within the viewer's windows and in their order, all that one turn
//! has made in one write. Flow control of RFC 9113 5.2, of our side.
import type { Socket } from 'node:net'
import { FLAG, FRAME, FRAME_BYTES, FRAME_HEAD_BYTES, WINDOW_BYTES, WINDOW_BYTES_MAX } from './frames.ts'
import { HeadWriter } from './head-writer.ts'
import type { Http2Limits } from './limits.ts'
import { Output, writeFrameHead } from './output.ts'
import { Patience } from './patience.ts'
import type { Reply } from './reply.ts'
import { Scheduler } from './scheduler.ts'

/** A frame with less than this, for the window had no more, is a dribble. */
const DRIBBLE_BYTES = 256

export interface SenderHooks {
  now(): number
  /** The socket takes no more for now. */
  stalled(): void
  /** A frame went out that is hardly worth its head. */
  dribbled(): void
  /** A frame went out that carries something. */
  worked(): void
}

export class Sender {
  readonly output = new Output()
  readonly heads = new HeadWriter(this.output, FRAME_BYTES)
  /** The window of a stream that begins now. */
  initialWindow = WINDOW_BYTES
  readonly #socket: Socket
  readonly #limits: Http2Limits
  readonly #hooks: SenderHooks
  readonly #scheduler = new Scheduler<Reply>()
  /** The viewer's window for the connection. */
  #window = WINDOW_BYTES

  readonly #patience: Patience

  /** `patienceMs`: how long the viewer may keep the window of the connection closed. */
  constructor(socket: Socket, limits: Http2Limits, patienceMs: number, hooks: SenderHooks) {
    this.#patience = new Patience(patienceMs)
    this.#socket = socket
    this.#limits = limits
    this.#hooks = hooks
  }

  /** Clock.monotonic() at which the viewer has kept the window of the connection closed for too long. */
  get deadline(): number {
    return this.#patience.deadline
  }

  sendAtOnce(reply: Reply, body: Uint8Array): boolean {
    const { length } = body
    const fits =
      length <= this.heads.frameBytes &&
      length <= this.#window &&
      length <= reply.window &&
      this.#scheduler.size === 0 &&
      this.output.at + length < this.#limits.outputBytes &&
      !this.#socket.writableNeedDrain
    if (!fits) return false
    this.#window -= length
    this.output.data(reply.id, body, true)
    this.#hooks.worked()
    return true
  }

  /** It has bytes that wait, or only its end to send. */
  wants(reply: Reply): void {
    if (reply.endsNow) this.#sendEnd(reply)
    else if (reply.waiting > 0 && !reply.scheduled) {
      if (reply.window > 0) this.#schedule(reply)
      else reply.block(this.#hooks.now())
    }
  }

  rests(reply: Reply): void {
    if (!reply.scheduled) return
    reply.scheduled = false
    this.#scheduler.remove(reply)
  }

  /** It has another place in the order from now on. */
  reprioritize(reply: Reply, priority: Reply['priority']): void {
    const { scheduled } = reply
    this.rests(reply)
    reply.priority = priority
    if (scheduled) this.#schedule(reply)
  }

  /** The connection's window grows; false when it would be too large. */
  grow(bytes: number): boolean {
    this.#window += bytes
    if (this.#window > 0) this.#patience.end(this.#hooks.now())
    return this.#window <= WINDOW_BYTES_MAX
  }

  /** The window of a stream changes; false when it would be too large. */
  resize(reply: Reply, bytes: number): boolean {
    reply.window += bytes
    if (reply.window > WINDOW_BYTES_MAX) return false
    if (reply.window <= 0) this.rests(reply)
    else {
      reply.unblock(this.#hooks.now())
      this.wants(reply)
    }
    return true
  }

  /** Fills the output as far as windows and the socket allow, and writes it. */
  flush(): void {
    do {
      this.#pump()
      this.output.flush(this.#socket)
    } while (this.#scheduler.size > 0 && this.#window > 0 && !this.#socket.writableNeedDrain)
    if (this.#socket.writableNeedDrain) this.#hooks.stalled()
    if (this.#window <= 0 && this.#scheduler.size > 0) this.#patience.begin(this.#hooks.now())
  }

  #schedule(reply: Reply): void {
    reply.scheduled = true
    this.#scheduler.add(reply)
  }

  #pump(): void {
    const { output } = this
    while (this.#window > 0 && !this.#socket.writableNeedDrain) {
      const room = this.#limits.outputBytes - output.at - FRAME_HEAD_BYTES
      if (room <= 0) return
      const reply = this.#scheduler.next()
      if (reply === null) return
      this.#sendPiece(reply, Math.min(this.heads.frameBytes, room, this.#window, reply.window, reply.waiting))
    }
  }

  #sendPiece(reply: Reply, count: number): void {
    const { output } = this
    output.reserve(FRAME_HEAD_BYTES + count)
    const begin = output.at
    output.at += FRAME_HEAD_BYTES + reply.fill(output.bytes, begin + FRAME_HEAD_BYTES, count)
    this.#window -= count
    reply.window -= count
    this.#patience.taken(count)
    reply.bytesSent += FRAME_HEAD_BYTES
    const isDry = reply.waiting === 0
    const isLast = isDry && reply.lastWithData
    writeFrameHead(output.bytes, begin, count, FRAME.data, isLast ? FLAG.endStream : 0, reply.id)
    if (isDry || reply.window <= 0) this.rests(reply)
    if (!isDry && reply.window <= 0) reply.block(this.#hooks.now())
    if (count < DRIBBLE_BYTES && !isDry) this.#hooks.dribbled()
    else this.#hooks.worked()
    if (isDry && !isLast && reply.endsNow) this.#sendEnd(reply)
    else reply.advanced(isLast)
  }

  #sendEnd(reply: Reply): void {
    if (!reply.sendTrailers()) {
      this.output.shortFrame(FRAME.data, FLAG.endStream, reply.id, null)
      reply.bytesSent += FRAME_HEAD_BYTES
    }
    reply.advanced(true)
  }
}
