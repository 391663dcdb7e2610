//! A raw HTTP/2 client for tests: it sends frames as they are given to it, keeps what comes, and has every frame of the
//! server watched (http2-observer.ts). It acknowledges SETTINGS, unless told otherwise, answers PING, and does nothing else by
//! itself.
import { once } from 'node:events'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import {
  errorName,
  FLAG,
  type Frame,
  FrameReader,
  headers,
  PREFACE,
  ping,
  type Settings,
  settings,
  settingsAck,
  TYPE,
  WHOLE,
} from './http2-frames.ts'
import { block, type Field } from './http2-hpack.ts'
import { type Answer, Http2Observer } from './http2-observer.ts'

/** Milliseconds; on a loaded machine. */
const PATIENCE_MS = 20_000

export interface WireOptions {
  readonly port: number
  /** PEM that vouches for the server; whoever it is, when absent. */
  readonly ca?: string
  readonly servername?: string
  /** False: its SETTINGS are not acknowledged. */
  readonly acknowledges?: boolean
  /** What is waited for and has not come by then will not come. */
  readonly patienceMs?: number
}

export class Http2Wire {
  readonly socket: TLSSocket
  readonly observer = new Http2Observer()
  readonly frames: Frame[] = []
  /** The last GOAWAY. */
  goaway: { readonly last: number; readonly code: number } | null = null
  /** The server has ended the connection, or it broke. */
  over = false
  readonly #waiting = new Set<() => void>()
  readonly #sent = new FrameReader()
  readonly #received = new FrameReader()
  readonly #acknowledges: boolean
  readonly #patienceMs: number
  /** What was sent of the preface; null once it is whole. */
  #preface: Buffer | null = Buffer.alloc(0)
  /** Our first frame is out. */
  #begun = false
  #acksOwed = 0
  #pings = 0
  #pongs = new Set<string>()

  private constructor(socket: TLSSocket, acknowledges: boolean, patienceMs: number) {
    this.socket = socket
    this.#patienceMs = patienceMs
    this.#acknowledges = acknowledges
    socket.on('data', (bytes: Buffer) => {
      for (const frame of this.#received.push(bytes)) this.#take(frame)
      this.#wake()
    })
    const over = () => {
      this.over = true
      this.#wake()
    }
    for (const event of ['end', 'error', 'close']) socket.on(event, over)
  }

  /** Secured and agreed on `h2`; the preface is the caller's: `start`. */
  static async connect({
    port,
    ca,
    servername = 'localhost',
    acknowledges = true,
    patienceMs = PATIENCE_MS,
  }: WireOptions): Promise<Http2Wire> {
    const trust = ca === undefined ? { rejectUnauthorized: false } : { ca }
    const socket = connectTls({ host: '127.0.0.1', port, servername, ALPNProtocols: ['h2'], ...trust })
    await once(socket, 'secureConnect')
    if (socket.alpnProtocol !== 'h2') throw new Error(`ALPN agreed on ${socket.alpnProtocol}`)
    socket.setNoDelay()
    return new Http2Wire(socket, acknowledges, patienceMs)
  }

  /** The preface and the first SETTINGS, with frames behind them in the same write. */
  start(values: Settings = [], ...more: readonly Buffer[]): this {
    this.send(PREFACE, settings(values), ...more)
    return this
  }

  /** Frames, in one write. */
  send(...frames: readonly Buffer[]): void {
    this.#note(...frames)
    this.socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames))
    this.#acknowledge()
  }

  #note(...frames: readonly Buffer[]): void {
    let bytes: Buffer = Buffer.concat(frames)
    if (this.#preface !== null) {
      this.#preface = Buffer.concat([this.#preface, bytes])
      if (!this.#preface.subarray(0, PREFACE.length).equals(PREFACE)) return
      bytes = this.#preface.subarray(PREFACE.length)
      this.#preface = null
    }
    for (const frame of this.#sent.push(bytes)) {
      this.#begun = true
      this.observer.sent(frame)
    }
  }

  #take(frame: Frame): void {
    this.frames.push(frame)
    this.observer.received(frame)
    const { type, flags, payload } = frame
    if (type === TYPE.SETTINGS && !(flags & FLAG.ACK) && this.#acknowledges) {
      this.#acksOwed++
      this.#acknowledge()
    }
    if (type === TYPE.PING && flags & FLAG.ACK) this.#pongs.add(payload.toString('latin1'))
    else if (type === TYPE.PING && !this.socket.destroyed) this.send(ping(payload, FLAG.ACK))
    else if (type === TYPE.GOAWAY && payload.length >= 8)
      this.goaway = { last: payload.readUInt32BE() & 0x7f_ff_ff_ff, code: payload.readUInt32BE(4) }
  }

  /** Not before our own first frame. */
  #acknowledge(): void {
    for (; this.#begun && this.#acksOwed > 0 && !this.socket.destroyed; this.#acksOwed--) {
      this.observer.sent({ type: TYPE.SETTINGS, flags: FLAG.ACK, reserved: false, stream: 0, payload: Buffer.alloc(0) })
      this.socket.write(settingsAck())
    }
  }

  #wake(): void {
    for (const look of this.#waiting) look()
  }

  /** True once `test` holds, false when the connection is over and it does not. */
  until(test: () => boolean, what = 'something'): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const done = (outcome: boolean): void => {
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(outcome)
      }
      const look = (): void => {
        if (test()) done(true)
        else if (this.over) done(false)
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(look)
        reject(new Error(`waited in vain for ${what}; got ${this.told()}`))
      }, this.#patienceMs)
      this.#waiting.add(look)
      look()
    })
  }

  /** True once the server has read all that was sent before; false when the connection ended instead. */
  async pong(): Promise<boolean> {
    const mark = `mark${String(this.#pings++).padStart(4, '0')}`
    if (!this.over) this.send(ping(mark))
    return await this.until(() => this.#pongs.has(mark), `the answer to PING ${mark}`)
  }

  answer(stream: number): Answer | undefined {
    return this.observer.streams.get(stream)?.answer
  }

  /** The answer, once it or the connection has ended. */
  async answered(stream: number): Promise<Answer> {
    const ended = () => {
      const answer = this.answer(stream)
      return answer !== undefined && (answer.ended || answer.reset !== null)
    }
    if (await this.until(ended, `the answer on stream ${stream}`)) return this.answer(stream)!
    throw new Error(`no answer on stream ${stream}: ${this.told()}`)
  }

  /** Resolves when the server has ended the connection. */
  async ended(): Promise<void> {
    await this.until(() => this.over, 'the end of the connection')
  }

  close(): void {
    this.socket.destroy()
  }

  /** What came, for people. */
  told(): string {
    const names = Object.entries(TYPE)
    const frames = this.frames.slice(-20).map(({ type, stream, payload }) => {
      const name = names.find(([, of]) => of === type)?.[0] ?? `type ${type}`
      const code =
        type === TYPE.RST_STREAM || type === TYPE.GOAWAY ? payload.readUInt32BE(payload.length >= 8 ? 4 : 0) : null
      return `${name}(${stream}${code === null ? '' : `, ${errorName(code)}`})`
    })
    return `${frames.join(' ')}${this.over ? ' end' : ''}`
  }
}

/** The head of a request, pseudo-header fields first. */
export const requestFields = (path = '/', method = 'GET', fields: readonly Field[] = []): Field[] => [
  [':method', method],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', path],
  ...fields,
]

/** A request without a body, or with one to come (`flags` without END_STREAM). */
export const request = (stream: number, path = '/', flags: number = WHOLE, fields: readonly Field[] = []): Buffer =>
  headers(stream, block(...requestFields(path, 'GET', fields)), flags)

export const post = (stream: number, path = '/echo', fields: readonly Field[] = []): Buffer =>
  headers(stream, block(...requestFields(path, 'POST', fields)), FLAG.END_HEADERS)
