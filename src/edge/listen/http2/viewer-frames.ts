//! What each frame of a viewer means (RFC 9113 6, RFC 9218 7.1): whether it may come now and is well formed, and what it
//! does to the connection, its header blocks and its requests.
import type { FrameTaker } from './frame-reader.ts'
import { type ErrorName, FLAG, FRAME, FRAME_BYTES } from './frames.ts'
import type { HeadBlocks } from './head-blocks.ts'
import type { Http2LimitName, Http2RateName } from './limits.ts'
import type { Requests } from './requests.ts'
import type { Sender } from './sender.ts'
import { type SettingsTaker, ViewerSettings } from './settings.ts'

/** What frames need of their connection. */
export interface FramesOwner {
  readonly sender: Sender
  /** Frames are still read. */
  readonly isOpen: boolean
  /** Clock.monotonic() when the bytes that are being read were there. */
  readonly readAt: number
  /** Ends the connection (5.4.1). */
  fail(error: ErrorName, why: string, limit?: Http2LimitName): void
  /** One more of what has a budget. */
  spend(rate: Http2RateName): void
  /** So many bytes of DATA came; false when that is more than the window of the connection allows. */
  received(bytes: number): boolean
  /** Our settings are acknowledged. */
  acknowledged(): void
  /** A PING of ours is answered. */
  pinged(payload: Buffer): void
}

export class ViewerFrames implements FrameTaker, SettingsTaker {
  readonly #owner: FramesOwner
  readonly #sender: Sender
  readonly #blocks: HeadBlocks
  readonly #requests: Requests
  readonly #settings = new ViewerSettings()

  constructor(owner: FramesOwner, blocks: HeadBlocks, requests: Requests) {
    this.#owner = owner
    this.#sender = owner.sender
    this.#blocks = blocks
    this.#requests = requests
  }

  tooLong(): void {
    this.#owner.fail('FRAME_SIZE_ERROR', `a frame has more than ${FRAME_BYTES} bytes`)
  }

  frame(type: number, flags: number, id: number, bytes: Buffer, from: number, end: number): boolean {
    if (this.#blocks.isOpen && (type !== FRAME.continuation || id !== this.#blocks.id)) {
      this.#owner.fail('PROTOCOL_ERROR', 'a header block is interrupted')
    } else if (!this.#settings.haveCome && type !== FRAME.settings) {
      this.#owner.fail('PROTOCOL_ERROR', 'the first frame is not SETTINGS')
    } else this.#take(type, flags, id, bytes, from, end)
    return this.#owner.isOpen
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
        if (id !== 0) this.#owner.fail('PROTOCOL_ERROR', 'GOAWAY on a stream')
        else if (end - from < 8) this.#wrongSize('GOAWAY')
        else this.#owner.spend('controls')
        return
      case FRAME.pushPromise:
        return void this.#owner.fail('PROTOCOL_ERROR', 'a client does not push')
      default:
        // Unknown frames are ignored (4.1).
        return void this.#owner.spend('controls')
    }
  }

  #onHeaders(flags: number, id: number, bytes: Buffer, from: number, end: number): void {
    // Servers have the even ones (5.1.1).
    if ((id & 1) === 0) return void this.#owner.fail('PROTOCOL_ERROR', `HEADERS on stream ${id}`)
    let first = from
    let last = end
    if ((flags & FLAG.padded) !== 0) last -= bytes[first++] ?? 0
    let dependsOn = 0
    if ((flags & FLAG.priority) !== 0) {
      if (last - first < 5) return void this.#owner.fail('FRAME_SIZE_ERROR', 'HEADERS are too short')
      dependsOn = bytes.readUInt32BE(first) & 0x7f_ff_ff_ff
      first += 5
    }
    if (first > end || last < first) return void this.#owner.fail('PROTOCOL_ERROR', 'HEADERS have too much padding')
    if ((flags & FLAG.endHeaders) === 0) {
      this.#blocks.open(id, (flags & FLAG.endStream) !== 0, bytes.subarray(first, last), this.#owner.readAt)
    } else if (!this.#blocks.decode(bytes, first, last)) this.#wrongBlock()
    // RFC 7540 5.3.1: what its trees of priorities cannot mean; clients that still send them should know.
    else if (dependsOn === id) this.#requests.wrongHead(id, 'PROTOCOL_ERROR')
    else this.#requests.head(id, this.#blocks, (flags & FLAG.endStream) !== 0)
  }

  #onContinuation(flags: number, bytes: Buffer, from: number, end: number): void {
    const blocks = this.#blocks
    if (!blocks.isOpen) return void this.#owner.fail('PROTOCOL_ERROR', 'CONTINUATION without HEADERS')
    const limit = blocks.append(bytes.subarray(from, end))
    if (limit !== null)
      return void this.#owner.fail('ENHANCE_YOUR_CALM', `a header block is over the limit: ${limit}`, limit)
    if ((flags & FLAG.endHeaders) === 0) return
    const { id, endsStream } = blocks
    if (blocks.close()) this.#requests.head(id, blocks, endsStream)
    else this.#wrongBlock()
  }

  #onDataFrame(flags: number, id: number, bytes: Buffer, from: number, end: number): void {
    if (id === 0) return void this.#owner.fail('PROTOCOL_ERROR', 'DATA on stream 0')
    let first = from
    let last = end
    if ((flags & FLAG.padded) !== 0) last -= bytes[first++] ?? 0
    if (first > end || last < first) return void this.#owner.fail('PROTOCOL_ERROR', 'DATA have too much padding')
    if (!this.#owner.received(end - from))
      return void this.#owner.fail('FLOW_CONTROL_ERROR', 'more DATA than the window of the connection allows')
    this.#requests.data(id, bytes.subarray(first, last), end - from, (flags & FLAG.endStream) !== 0)
  }

  #onWindowUpdate(id: number, bytes: Buffer, from: number, end: number): void {
    if (end - from !== 4) return void this.#wrongSize('WINDOW_UPDATE')
    const count = bytes.readUInt32BE(from) & 0x7f_ff_ff_ff
    this.#owner.spend('controls')
    if (id === 0) {
      if (count === 0) this.#owner.fail('PROTOCOL_ERROR', 'WINDOW_UPDATE of nothing')
      else if (!this.#sender.grow(count))
        this.#owner.fail('FLOW_CONTROL_ERROR', 'the window of the connection is too large')
    } else if (!this.#requests.grow(id, count))
      this.#owner.fail('PROTOCOL_ERROR', `WINDOW_UPDATE on the idle stream ${id}`)
  }

  #onReset(id: number, length: number): void {
    if (id === 0) this.#owner.fail('PROTOCOL_ERROR', 'RST_STREAM on stream 0')
    else if (length !== 4) this.#wrongSize('RST_STREAM')
    else if (!this.#requests.reset(id)) this.#owner.fail('PROTOCOL_ERROR', `RST_STREAM on the idle stream ${id}`)
  }

  #onSettings(flags: number, id: number, bytes: Buffer, from: number, end: number): void {
    if (id !== 0) return void this.#owner.fail('PROTOCOL_ERROR', 'SETTINGS on a stream')
    if ((flags & FLAG.ack) !== 0) {
      if (end > from) this.#wrongSize('SETTINGS with ACK')
      else if (!this.#settings.haveCome) this.#owner.fail('PROTOCOL_ERROR', 'the first frame is not SETTINGS')
      else {
        this.#owner.acknowledged()
        this.#owner.spend('settings')
      }
      return
    }
    if ((end - from) % 6 !== 0) return void this.#wrongSize('SETTINGS')
    this.#owner.spend('settings')
    const wrong = this.#settings.read(bytes, from, end, this)
    if (wrong !== null) this.#owner.fail(wrong, 'a setting has a value that it may not have')
    else this.#sender.output.shortFrame(FRAME.settings, FLAG.ack, 0, null)
  }

  #onPing(flags: number, id: number, bytes: Buffer, from: number, end: number): void {
    if (id !== 0) return void this.#owner.fail('PROTOCOL_ERROR', 'PING on a stream')
    if (end - from !== 8) return void this.#wrongSize('PING')
    const payload = bytes.subarray(from, end)
    this.#owner.spend('pings')
    if ((flags & FLAG.ack) === 0) this.#sender.output.longFrame(FRAME.ping, FLAG.ack, 0, payload)
    else this.#owner.pinged(payload)
  }

  #onPriority(id: number, bytes: Buffer, from: number, end: number): void {
    this.#owner.spend('controls')
    if (id === 0) this.#owner.fail('PROTOCOL_ERROR', 'PRIORITY on stream 0')
    else if (end - from !== 5) this.#requests.fault(id, 'FRAME_SIZE_ERROR')
    else if ((bytes.readUInt32BE(from) & 0x7f_ff_ff_ff) === id) this.#requests.fault(id, 'PROTOCOL_ERROR')
  }

  /** RFC 9218 7.1 */
  #onPriorityUpdate(id: number, bytes: Buffer, from: number, end: number): void {
    this.#owner.spend('controls')
    if (id !== 0) return void this.#owner.fail('PROTOCOL_ERROR', 'PRIORITY_UPDATE on a stream')
    if (end - from < 4) return void this.#wrongSize('PRIORITY_UPDATE')
    const prioritized = bytes.readUInt32BE(from) & 0x7f_ff_ff_ff
    if ((prioritized & 1) === 0) this.#owner.fail('PROTOCOL_ERROR', `PRIORITY_UPDATE for stream ${prioritized}`)
    else this.#requests.prioritize(prioritized, bytes.toString('latin1', from + 4, end))
  }

  #wrongSize(what: string): void {
    this.#owner.fail('FRAME_SIZE_ERROR', `${what} has a wrong length`)
  }

  #wrongBlock(): void {
    this.#owner.fail('COMPRESSION_ERROR', 'a header block cannot be decoded')
  }

  // What settings ask for.

  tableBytes(bytes: number): void {
    this.#sender.heads.tableBytes(bytes)
  }

  initialWindow(bytes: number): boolean {
    const change = bytes - this.#sender.initialWindow
    this.#sender.initialWindow = bytes
    return this.#requests.resizeAll(change)
  }

  frameBytes(bytes: number): void {
    this.#sender.heads.frameBytes = bytes
  }
}
