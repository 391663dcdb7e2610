//! The answer on one stream: its head goes out at once, its body when the windows and the turn of the stream allow.
import { LOGGED_AS, type RefusalCause, STATUS_OF } from '../refusal.ts'
import type { HeadParts, ViewerReply } from '../viewer.ts'
import { Patience } from './patience.ts'
import { DEFAULT_PRIORITY, type Priority } from './priority.ts'

export interface ReplyOwner {
  /** Writes the frames of a head; returns their bytes. */
  sendHead(id: number, head: string, parts: HeadParts | undefined, isLast: boolean): number
  sendTrailers(id: number, trailers: readonly string[]): number
  /** Writes a body whole if nothing is in its way; false when it has to wait. */
  sendAtOnce(reply: Reply, body: Uint8Array): boolean
  /** It has something to send, or its end. */
  wants(reply: Reply): void
  /** It has none any more. */
  rests(reply: Reply): void
  /** All of it has been written. */
  answered(reply: Reply): void
  /** It is given up; `cancelled` as of ViewerReply.abort. */
  abandoned(reply: Reply, cancelled: boolean): void
}

interface Piece {
  readonly bytes: Uint8Array
  /** Once, when the memory is no longer needed. */
  readonly onSent: (() => void) | null
}

/** Bytes that wait for the viewer, above which whoever writes is to stop. */
const WAITING_BYTES = 65_536

export class Reply implements ViewerReply {
  onDrain: (() => void) | null = null
  onAbort: (() => void) | null = null
  readonly closes = false
  bytesSent = 0
  refused: ViewerReply['refused'] = null
  readonly id: number
  /** The viewer's window for this stream (RFC 9113 6.9); less than nothing after its SETTINGS made it smaller. */
  window: number
  priority: Priority = DEFAULT_PRIORITY
  /** It is in the scheduler's lists. */
  scheduled = false
  /** Null until it has to wait for a window of its own. */
  #patience: Patience | null = null
  readonly #patienceMs: number
  /** Bytes of the body that wait. */
  waiting = 0
  readonly #owner: ReplyOwner
  #state: 'waiting' | 'streaming' | 'ending' | 'done' | 'gone' = 'waiting'
  /** Null until something has to wait. */
  #pieces: Piece[] | null = null
  /** Of the first piece, already sent. */
  #offset = 0
  #trailers: readonly string[] | null = null
  #isBehind = false

  /** `patienceMs`: how long a viewer may let an answer wait for a window. */
  constructor(owner: ReplyOwner, id: number, window: number, patienceMs: number) {
    this.#owner = owner
    this.id = id
    this.window = window
    this.#patienceMs = patienceMs
  }

  /** Clock.monotonic() at which the viewer has let it wait for too long. */
  get deadline(): number {
    return this.#patience?.deadline ?? Number.POSITIVE_INFINITY
  }

  /** It waits, and has no window. */
  block(now: number): void {
    this.#patience ??= new Patience(this.#patienceMs)
    this.#patience.begin(now)
  }

  unblock(now: number): void {
    this.#patience?.end(now)
  }

  get gone(): boolean {
    return this.#state === 'gone'
  }

  /** True while not a byte of the answer is written. */
  get untouched(): boolean {
    return this.#state === 'waiting'
  }

  /** Nothing more will be written. */
  get over(): boolean {
    return this.#state === 'done' || this.#state === 'gone'
  }

  /** Only its end, which needs no window, is to be sent. */
  get endsNow(): boolean {
    return this.#state === 'ending' && this.waiting === 0
  }

  whole(head: string, body: Uint8Array | null, onSent: (() => void) | null, parts?: HeadParts): void {
    if (this.#state !== 'waiting') return void onSent?.()
    const isEmpty = body === null || body.length === 0
    this.bytesSent += this.#owner.sendHead(this.id, head, parts, isEmpty)
    if (isEmpty) {
      this.#state = 'done'
      onSent?.()
      this.#owner.answered(this)
      return
    }
    this.bytesSent += body.length
    if (this.#owner.sendAtOnce(this, body)) {
      this.#state = 'done'
      onSent?.()
      this.#owner.answered(this)
      return
    }
    this.#state = 'ending'
    this.#keep(body, onSent)
    this.#owner.wants(this)
  }

  head(head: string): void {
    if (this.#state !== 'waiting') return
    this.#state = 'streaming'
    this.bytesSent += this.#owner.sendHead(this.id, head, undefined, false)
  }

  write(chunk: Uint8Array, onSent?: () => void): boolean {
    // A viewer that has gone takes everything: the caller learns it from onAbort and need not wait.
    if (this.#state !== 'streaming' || chunk.length === 0) {
      onSent?.()
      return this.#state !== 'streaming' || !this.#isBehind
    }
    this.bytesSent += chunk.length
    this.#keep(chunk, onSent ?? null)
    this.#owner.wants(this)
    this.#isBehind = this.waiting >= WAITING_BYTES
    return !this.#isBehind
  }

  interim(head: string): void {
    if (this.#state === 'waiting') this.bytesSent += this.#owner.sendHead(this.id, head, undefined, false)
  }

  end(trailers: readonly string[] = []): void {
    if (this.#state !== 'streaming') return
    this.#state = 'ending'
    if (trailers.length > 0) this.#trailers = trailers
    this.#owner.wants(this)
  }

  abort(cancelled = false): void {
    if (this.#state === 'done' || this.#state === 'gone') return
    this.#state = 'gone'
    this.#letGo()
    this.#owner.abandoned(this, cancelled)
  }

  /** The listener has answered in our stead, with so many bytes. */
  refuse(cause: RefusalCause, bytes: number): void {
    this.refused = { status: STATUS_OF[cause], detailed: LOGGED_AS[cause] ?? 'InvalidRequest' }
    this.bytesSent += bytes
    this.lost()
  }

  /** The stream is no more. */
  lost(): void {
    if (this.#state === 'done' || this.#state === 'gone') return
    const isTold = this.#state !== 'ending'
    this.#state = 'gone'
    this.#letGo()
    if (isTold) this.onAbort?.()
  }

  /** The next bytes, at most `count`, into `into` at `at`; to be called with something waiting. */
  fill(into: Uint8Array, at: number, count: number): number {
    let filled = 0
    const pieces = this.#pieces!
    while (filled < count && pieces.length > 0) {
      const { bytes, onSent } = pieces[0]!
      const taken = Math.min(count - filled, bytes.length - this.#offset)
      into.set(taken === bytes.length ? bytes : bytes.subarray(this.#offset, this.#offset + taken), at + filled)
      filled += taken
      this.#offset += taken
      if (this.#offset === bytes.length) {
        pieces.shift()
        this.#offset = 0
        onSent?.()
      }
    }
    this.waiting -= filled
    this.#patience?.taken(filled)
    return filled
  }

  /** The frame that may be the last was written; `wasLast` when it said so. */
  advanced(wasLast: boolean): void {
    if (wasLast) this.#finish()
    else if (this.#isBehind && this.waiting < WAITING_BYTES / 2) {
      this.#isBehind = false
      this.onDrain?.()
    }
  }

  /** True when a frame that takes all that waits is the last of the stream. */
  get lastWithData(): boolean {
    return this.#state === 'ending' && this.#trailers === null
  }

  /** Sends the end of a body that has been sent: trailers, or nothing. Returns whether trailers ended it. */
  sendTrailers(): boolean {
    if (this.#trailers === null) return false
    this.bytesSent += this.#owner.sendTrailers(this.id, this.#trailers)
    return true
  }

  #finish(): void {
    this.#state = 'done'
    this.onAbort = null
    this.#owner.answered(this)
  }

  #keep(bytes: Uint8Array, onSent: (() => void) | null): void {
    this.#pieces ??= []
    this.#pieces.push({ bytes, onSent })
    this.waiting += bytes.length
  }

  #letGo(): void {
    this.#owner.rests(this)
    const pieces = this.#pieces ?? []
    this.#pieces = null
    this.waiting = 0
    this.#offset = 0
    for (const { onSent } of pieces) onSent?.()
  }
}
