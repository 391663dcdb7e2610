//! What a server must keep to in every frame that it sends (RFC 9113, RFC 7541), watched on a whole connection: each rule
//! counts how often it was looked at, and each breach is told with its frame.
import {
  contentOf,
  DEFAULT_FRAME,
  DEFAULT_WINDOW,
  ERRORS,
  FLAG,
  type Frame,
  readSettings,
  SETTING,
  type Settings,
  TYPE,
} from './http2-frames.ts'
import { type Field, HpackDecoder } from './http2-hpack.ts'

/** Section and rule, in our words. */
export const RULES = {
  'settings-first': ['3.4', "the server's first frame is SETTINGS without ACK"],
  'frame-size': ['4.2', "no payload is longer than the client's SETTINGS_MAX_FRAME_SIZE"],
  'reserved-bit': ['4.1', 'the reserved bit is never set'],
  'unused-flags': ['4.1', 'no flag is set that the frame type does not define'],
  'known-type': ['5.5', 'no frame type is sent that was not negotiated'],
  'zero-padding': ['6.1', 'padding is zeros, and shorter than the payload'],
  'contiguous-block': ['4.3', 'nothing comes between the frames of a field block'],
  'block-decodes': ['4.3', 'every field block is valid HPACK'],
  'table-size': ['4.3.1', 'the encoder keeps to SETTINGS_HEADER_TABLE_SIZE, with a size update where it was reduced'],
  'stream-id': ['5.1.1', 'frames of streams are on streams that the client opened'],
  'after-end': ['5.1', 'nothing but RST_STREAM, WINDOW_UPDATE or PRIORITY follows END_STREAM'],
  'after-reset': ['6.4', 'nothing follows an RST_STREAM that the server sent'],
  'reset-for-reset': ['5.4.2', 'an RST_STREAM is not answered with RST_STREAM, nor is anything sent after it was read'],
  'stream-window': ['6.9.1', 'no DATA is longer than what the window of the stream has left'],
  'connection-window': ['6.9.1', 'no DATA is longer than what the window of the connection has left'],
  'fixed-length': ['6.4', 'RST_STREAM, PING, WINDOW_UPDATE, PRIORITY and SETTINGS have the lengths of their types'],
  'connection-frames': ['6.5', 'SETTINGS, PING and GOAWAY are on stream 0; DATA, HEADERS and RST_STREAM never are'],
  'settings-values': ['6.5.2', 'its settings are within their bounds, and ENABLE_PUSH is never 1'],
  'settings-ack': ['6.5.3', 'a SETTINGS ACK is empty, and there is one for each SETTINGS and no more'],
  'ping-ack': ['6.7', 'a PING ACK repeats the bytes of a PING that is not yet answered, in order'],
  'no-push': ['8.4', 'PUSH_PROMISE is never sent'],
  'goaway-last': ['6.8', 'the last stream of a GOAWAY never grows, and is one that the client opened'],
  'window-increment': ['6.9', 'increments are 1 to 2^31-1'],
  'known-error': ['7', 'error codes are those of the registry'],
  'message-order': ['8.1', 'interim heads, one final head, DATA, at most one trailer section'],
  'interim-end': ['8.1', 'an interim head does not end the stream'],
  'trailer-end': ['8.1', 'a trailer section ends the stream and has no pseudo-header field'],
  'content-length': ['8.1.1', 'content-length is the sum of DATA, where the answer has content'],
  'field-names': ['8.2', 'field names are in lower case and have no forbidden character'],
  'field-values': ['8.2.1', 'field values have no NUL, CR, LF and no blank at their ends'],
  'no-connection-fields': ['8.2.2', 'no field is specific to a connection'],
  'status-alone': ['8.3.2', ':status is there once, first, of three digits, and no other pseudo-header field is'],
  'no-101': ['8.6', 'there is no 101'],
} as const
export type Rule = keyof typeof RULES

const FLAGS_OF: Readonly<Record<number, number>> = {
  [TYPE.DATA]: FLAG.END_STREAM | FLAG.PADDED,
  [TYPE.HEADERS]: FLAG.END_STREAM | FLAG.END_HEADERS | FLAG.PADDED | FLAG.PRIORITY,
  [TYPE.SETTINGS]: FLAG.ACK,
  [TYPE.PING]: FLAG.ACK,
  [TYPE.CONTINUATION]: FLAG.END_HEADERS,
}
const LENGTH_OF: Readonly<Record<number, number>> = { [TYPE.RST_STREAM]: 4, [TYPE.PING]: 8, [TYPE.WINDOW_UPDATE]: 4, [TYPE.PRIORITY]: 5 } // biome-ignore format: a table
const OF_CONNECTION: readonly number[] = [TYPE.SETTINGS, TYPE.PING, TYPE.GOAWAY]
const OF_STREAM: readonly number[] = [TYPE.DATA, TYPE.HEADERS, TYPE.RST_STREAM, TYPE.CONTINUATION, TYPE.PRIORITY]
const CONNECTION_FIELDS = ['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade']

/** One answer as it comes. */
export interface Answer {
  readonly interim: Field[][]
  status: number
  headers: Field[]
  trailers: Field[] | null
  body: Buffer
  /** END_STREAM has come. */
  ended: boolean
  /** Code of the RST_STREAM that came. */
  reset: number | null
}

interface Stream {
  readonly answer: Answer
  /** Of the request; empty until its header block is whole. */
  method: string
  /** What the server may still send on it, as far as we have told. */
  window: number
  /** SETTINGS that we had sent when we sent RST_STREAM; infinite when we have not, null once it has surely been read. */
  cancelledAt: number | null
  readonly pieces: Buffer[]
}

const blank = (text: string): boolean => /^[ \t]|[ \t]$/.test(text)

export class Http2Observer {
  readonly breaches: string[] = []
  readonly looked = new Map<Rule, number>()
  readonly streams = new Map<number, Stream>()
  readonly #hpack = new HpackDecoder()
  readonly #ours = new HpackDecoder()
  #ourBlock: { readonly stream: number; readonly parts: Buffer[] } | null = null
  #first = true
  #block: { readonly head: Frame; readonly parts: Buffer[] } | null = null
  /** Settings that we sent and that are not acknowledged. */
  readonly #unacknowledged: Settings[] = []
  /** In force: acknowledged. */
  #initialWindow = DEFAULT_WINDOW
  #frameSize = DEFAULT_FRAME
  #window = DEFAULT_WINDOW
  readonly #pings: string[] = []
  #settingsSent = 0
  #acknowledged = 0
  #lastOpened = 0
  #goneAway = Number.POSITIVE_INFINITY

  #check(rule: Rule, holds: boolean, detail: () => string): void {
    this.looked.set(rule, (this.looked.get(rule) ?? 0) + 1)
    if (!holds) this.breaches.push(`${RULES[rule][0]} ${RULES[rule][1]}: ${detail()}`)
  }

  /** A header block of ours, in so far as it is one. */
  #ourFields({ stream, parts }: { readonly stream: number; readonly parts: readonly Buffer[] }): void {
    let method = 'GET'
    try {
      method = this.#ours.decode(Buffer.concat(parts)).find(([name]) => name === ':method')?.[1] ?? method
    } catch {
      // Wrong on purpose.
    }
    const on = this.streams.get(stream)
    if (on !== undefined && on.method === '') on.method = method
  }

  /** A request of ours: its method is known when its block is whole. */
  #opens(stream: number): void {
    if (stream % 2 === 0 || stream <= this.#lastOpened) return
    this.#lastOpened = stream
    const answer: Answer = {
      interim: [],
      status: 0,
      headers: [],
      trailers: null,
      body: Buffer.alloc(0),
      ended: false,
      reset: null,
    }
    const window = this.#initialWindow
    this.streams.set(stream, { answer, method: '', window, cancelledAt: Number.POSITIVE_INFINITY, pieces: [] })
  }

  sent(frame: Frame): void {
    const { type, flags, stream, payload } = frame
    if (type === TYPE.SETTINGS && !(flags & FLAG.ACK)) {
      this.#settingsSent++
      this.#unacknowledged.push(readSettings(payload))
    } else if (type === TYPE.PING && !(flags & FLAG.ACK)) this.#pings.push(payload.toString('latin1'))
    else if (type === TYPE.HEADERS || (type === TYPE.CONTINUATION && this.#ourBlock !== null)) {
      if (type === TYPE.HEADERS) {
        this.#opens(stream)
        this.#ourBlock = { stream, parts: [] }
      }
      this.#ourBlock?.parts.push(contentOf(frame))
      if (!(flags & FLAG.END_HEADERS) || this.#ourBlock === null) return
      this.#ourFields(this.#ourBlock)
      this.#ourBlock = null
    } else if (type === TYPE.WINDOW_UPDATE && payload.length === 4) {
      const increment = payload.readUInt32BE() & 0x7f_ff_ff_ff
      const on = this.streams.get(stream)
      if (stream === 0) this.#window += increment
      else if (on !== undefined) on.window += increment
    } else if (type === TYPE.RST_STREAM) {
      const on = this.streams.get(stream)
      if (on !== undefined && on.answer.reset === null) on.cancelledAt = this.#settingsSent
    }
  }

  received(frame: Frame): void {
    const { type, flags, stream, payload } = frame
    const told = () => `type ${type}, flags ${flags}, stream ${stream}, ${payload.length} bytes`
    if (this.#first) this.#check('settings-first', type === TYPE.SETTINGS && !(flags & FLAG.ACK), told)
    this.#first = false
    this.#check('reserved-bit', !frame.reserved, told)
    this.#check('known-type', type <= TYPE.CONTINUATION, told)
    this.#check('unused-flags', (flags & ~(FLAGS_OF[type] ?? 0)) === 0, told)
    this.#check('no-push', type !== TYPE.PUSH_PROMISE, told)
    this.#check('frame-size', payload.length <= this.#largest(SETTING.MAX_FRAME_SIZE, this.#frameSize), told)
    this.#check('connection-frames', !(OF_CONNECTION.includes(type) ? stream !== 0 : OF_STREAM.includes(type) && stream === 0), told) // biome-ignore format: one line
    if (LENGTH_OF[type] !== undefined) this.#check('fixed-length', payload.length === LENGTH_OF[type], told)
    if (flags & FLAG.PADDED && (type === TYPE.DATA || type === TYPE.HEADERS)) {
      const padding = payload[0] ?? 0
      const zeros = payload.subarray(payload.length - padding).every((byte) => byte === 0)
      this.#check('zero-padding', padding < payload.length && zeros, told)
    }
    const within = type === TYPE.CONTINUATION && this.#block?.head.stream === stream
    this.#check('contiguous-block', this.#block === null ? type !== TYPE.CONTINUATION : within, told)
    if (stream !== 0) this.#ofStream(frame, told)
    if (type === TYPE.SETTINGS) this.#settings(frame, told)
    else if (type === TYPE.PING) this.#ping(frame, told)
    else if (type === TYPE.GOAWAY) this.#goaway(payload, told)
    else if (type === TYPE.WINDOW_UPDATE)
      this.#check('window-increment', payload.length === 4 && payload.readUInt32BE() > 0, told)
    else if (type === TYPE.HEADERS) this.#take({ head: frame, parts: [contentOf(frame)] }, flags)
    else if (type === TYPE.CONTINUATION && this.#block !== null) {
      this.#block.parts.push(payload)
      this.#take(this.#block, flags)
    } else if (type === TYPE.DATA) this.#data(frame, told)
  }

  #take(block: { readonly head: Frame; readonly parts: Buffer[] }, flags: number): void {
    this.#block = flags & FLAG.END_HEADERS ? null : block
    if (this.#block === null) this.#fields(block.head, Buffer.concat(block.parts))
  }

  /** The largest value that may be in force at the server: acknowledged, or on its way. */
  #largest(id: number, inForce: number): number {
    const coming = this.#unacknowledged.flatMap((values) =>
      values.filter(([of]) => of === id).map(([, value]) => value),
    )
    return Math.max(inForce, ...coming)
  }

  #ofStream({ type, stream, payload }: Frame, told: () => string): void {
    const on = this.streams.get(stream)
    this.#check('stream-id', on !== undefined, told)
    if (on === undefined) return
    const { answer } = on
    const closes = type === TYPE.RST_STREAM || type === TYPE.WINDOW_UPDATE || type === TYPE.PRIORITY
    if (type !== TYPE.CONTINUATION) this.#check('after-end', !answer.ended || closes, told)
    this.#check('after-reset', answer.reset === null, told)
    this.#check('reset-for-reset', on.cancelledAt !== null, told)
    if (type !== TYPE.RST_STREAM || payload.length !== 4) return
    answer.reset = payload.readUInt32BE()
    this.#check('known-error', answer.reset < ERRORS.length, told)
  }

  #settings({ flags, payload }: Frame, told: () => string): void {
    if (flags & FLAG.ACK) {
      const values = this.#unacknowledged.shift()
      this.#check('settings-ack', payload.length === 0 && values !== undefined, told)
      for (const [id, value] of values ?? []) this.#inForce(id, value)
      // Unlike a PING, it does not overtake what was sent before it: an RST_STREAM in front of it has been read.
      this.#acknowledged++
      for (const on of this.streams.values())
        if (on.cancelledAt !== null && on.cancelledAt < this.#acknowledged) on.cancelledAt = null
      return
    }
    this.#check('fixed-length', payload.length % 6 === 0, told)
    const bounds: Readonly<Record<number, readonly [least: number, most: number]>> = {
      [SETTING.ENABLE_PUSH]: [0, 0],
      [SETTING.INITIAL_WINDOW_SIZE]: [0, 0x7f_ff_ff_ff],
      [SETTING.MAX_FRAME_SIZE]: [DEFAULT_FRAME, 0xff_ff_ff],
      [SETTING.ENABLE_CONNECT_PROTOCOL]: [0, 1],
      [SETTING.NO_RFC7540_PRIORITIES]: [0, 1],
    }
    for (const [id, value] of readSettings(payload)) {
      const [least, most] = bounds[id] ?? [0, 0xff_ff_ff_ff]
      this.#check('settings-values', value >= least && value <= most, () => `setting ${id} = ${value}`)
    }
  }

  #inForce(id: number, value: number): void {
    if (id === SETTING.MAX_FRAME_SIZE) this.#frameSize = value
    else if (id === SETTING.HEADER_TABLE_SIZE) this.#hpack.setLimit(value)
    else if (id === SETTING.INITIAL_WINDOW_SIZE) {
      for (const on of this.streams.values()) on.window += value - this.#initialWindow
      this.#initialWindow = value
    }
  }

  #ping({ flags, payload }: Frame, told: () => string): void {
    if (!(flags & FLAG.ACK)) return
    this.#check('ping-ack', this.#pings.shift() === payload.toString('latin1'), told)
  }

  #goaway(payload: Buffer, told: () => string): void {
    this.#check('fixed-length', payload.length >= 8, told)
    if (payload.length < 8) return
    const last = payload.readUInt32BE() & 0x7f_ff_ff_ff
    const fits = last <= this.#lastOpened || (last === 0x7f_ff_ff_ff && payload.readUInt32BE(4) === 0)
    this.#check('goaway-last', last <= this.#goneAway && fits, () => `${told()}, last ${last}`)
    this.#check('known-error', payload.readUInt32BE(4) < ERRORS.length, told)
    this.#goneAway = last
  }

  #data(frame: Frame, told: () => string): void {
    const on = this.streams.get(frame.stream)
    const { length } = frame.payload
    this.#check('connection-window', length === 0 || length <= this.#window, () => `${told()}, left ${this.#window}`)
    this.#window -= length
    if (on === undefined) return
    const coming = this.#largest(SETTING.INITIAL_WINDOW_SIZE, this.#initialWindow) - this.#initialWindow
    const left = on.window + coming
    this.#check('stream-window', length === 0 || length <= left, () => `${told()}, left ${left}`)
    on.window -= length
    this.#check('message-order', on.answer.status >= 200 && on.answer.trailers === null, told)
    on.pieces.push(contentOf(frame))
    if (frame.flags & FLAG.END_STREAM) this.#end(on)
  }

  #fields(head: Frame, bytes: Buffer): void {
    let fields: Field[]
    try {
      const owed = this.#hpack.updateOwed
      fields = this.#hpack.decode(bytes)
      if (owed) this.#check('table-size', true, () => '')
      this.#check('block-decodes', true, () => '')
    } catch (error) {
      this.#check('block-decodes', false, () => `stream ${head.stream}: ${(error as Error).message}`)
      return
    }
    const on = this.streams.get(head.stream)
    if (on === undefined) return
    const told = () => `stream ${head.stream}: ${JSON.stringify(fields)}`
    for (const [name, value] of fields) {
      this.#check('field-names', /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name), told)
      this.#check('field-values', !/[\0\r\n]/.test(value) && !blank(value), told)
      this.#check('no-connection-fields', !CONNECTION_FIELDS.includes(name), told)
    }
    const { answer } = on
    const end = (head.flags & FLAG.END_STREAM) !== 0
    if (answer.status >= 200) {
      this.#check('message-order', answer.trailers === null, told)
      this.#check('trailer-end', end && fields.every(([name]) => !name.startsWith(':')), told)
      answer.trailers = fields
    } else {
      const pseudo = fields.filter(([name]) => name.startsWith(':'))
      const first = fields[0]?.[0] === ':status' && /^\d{3}$/.test(fields[0][1])
      this.#check('status-alone', pseudo.length === 1 && first, told)
      answer.status = Number(fields[0]?.[1])
      this.#check('no-101', answer.status !== 101, told)
      if (answer.status < 200) {
        this.#check('interim-end', !end, told)
        answer.interim.push(fields)
      } else answer.headers = fields
    }
    if (end) this.#end(on)
  }

  #end({ answer, method, pieces }: Stream): void {
    answer.ended = true
    answer.body = Buffer.concat(pieces)
    const length = answer.headers.find(([name]) => name === 'content-length')?.[1]
    const content = method !== 'HEAD' && answer.status !== 204 && answer.status !== 304
    if (length !== undefined && content)
      this.#check('content-length', Number(length) === answer.body.length, () => `${length}, got ${answer.body.length}`)
    if (!content) this.#check('message-order', answer.body.length === 0, () => `${answer.body.length} bytes of content`)
  }
}
