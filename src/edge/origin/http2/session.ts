//! One HTTP/2 connection to an origin: how many streams it takes, and when it takes no more of them.

import type { ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { nodeHttp2 } from '../../../lib/node-http.ts'
import type { Http2Call } from './call.ts'

/** Streams at a time on one connection, where the origin allows more. */
export const STREAMS_MAX = 100
/**
 * Bytes that an origin may send ahead on one stream before it is read: what a stalled viewer costs. (The window of the
 * connection is opened by Node as bytes come: a stream that is held up holds up no other.)
 */
const STREAM_WINDOW_BYTES = 256 * 1024
/** Header fields of one answer, and bytes of them as SETTINGS_MAX_HEADER_LIST_SIZE counts: over it Node ends the stream. */
const FIELDS_MAX = 512
const HEADER_LIST_BYTES_MAX = 64 * 1024
/** What an origin that was silent for too long has to answer a ping. Milliseconds. */
const PING_MS = 5_000

export interface SessionTimes {
  /** Milliseconds without a stream after which it is closed. */
  readonly keepaliveMs: number
  /** Milliseconds after which it takes no more streams. */
  readonly lifetimeMs: number
}

export class OriginSession {
  readonly #session: ClientHttp2Session
  readonly #calls = new Set<Http2Call>()
  readonly #times: SessionTimes
  readonly #lifetime: NodeJS.Timeout
  #idle: NodeJS.Timeout | null = null
  #retired = false
  /** The origin's SETTINGS are here. */
  #settled = false
  /** A ping has not been answered yet. */
  #asked = false

  /** `onRoom` is called when it takes another stream, or will take none any more. */
  constructor(socket: Socket, authority: string, times: SessionTimes, onRoom: () => void) {
    this.#times = times
    const session = nodeHttp2().connect(`https://${authority}`, {
      createConnection: () => socket,
      maxHeaderListPairs: FIELDS_MAX,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxHeaderListSize: HEADER_LIST_BYTES_MAX,
      },
    })
    this.#session = session
    this.#lifetime = setTimeout(() => {
      this.#retire()
      onRoom()
    }, times.lifetimeMs)
    // Each of its streams tells of its end by itself.
    session.on('error', () => {})
    session.on('remoteSettings', () => {
      this.#settled = true
      onRoom()
    })
    session.on('goaway', () => {
      this.#retire()
      onRoom()
    })
    session.on('close', () => {
      this.#retire()
      clearTimeout(this.#lifetime)
      if (this.#idle !== null) clearTimeout(this.#idle)
      onRoom()
    })
    this.#rest()
  }

  /** It will take no more streams. */
  get retired(): boolean {
    return this.#retired || this.#session.closed || this.#session.destroyed
  }

  /** How many streams it will take is not known yet. */
  get isNew(): boolean {
    return !(this.#settled || this.retired)
  }

  /** Streams that it takes now. Of more than the origin allows Node would keep some waiting, for how long nobody knows. */
  get room(): number {
    if (this.retired || this.#asked) return 0
    const allowed = this.#settled ? (this.#session.remoteSettings.maxConcurrentStreams ?? STREAMS_MAX) : 1
    return Math.max(0, Math.min(STREAMS_MAX, allowed) - this.#calls.size)
  }

  has(call: Http2Call): boolean {
    return this.#calls.has(call)
  }

  get streams(): number {
    return this.#calls.size
  }

  begin(call: Http2Call): void {
    if (this.#idle !== null) clearTimeout(this.#idle)
    this.#idle = null
    this.#calls.add(call)
    call.begin(this.#session)
  }

  /** The call's stream is over. */
  ended(call: Http2Call): void {
    if (this.#calls.delete(call) && this.#calls.size === 0) this.#rest()
  }

  /** A stream waited in vain. Whoever holds a connection to a host that has gone would go on to wait: it is asked. */
  probe(onRoom: () => void): void {
    if (this.#asked || this.retired) return
    this.#asked = true
    const timer = setTimeout(() => this.#session.destroy(), PING_MS)
    this.#session.ping((error) => {
      clearTimeout(timer)
      this.#asked = false
      if (error === null) onRoom()
    })
  }

  destroy(): void {
    this.#session.destroy()
  }

  #retire(): void {
    this.#retired = true
    if (this.#calls.size === 0) this.#session.close()
  }

  #rest(): void {
    if (this.retired) this.#session.close()
    else this.#idle = setTimeout(() => this.#session.close(), this.#times.keepaliveMs)
  }
}
