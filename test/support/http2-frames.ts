//! HTTP/2 frames for tests (RFC 9113 4 and 6), written and read without any of src/edge, so that no mistake is shared. The
//! writer writes what it is told, right or wrong.

export const TYPE = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
  /** RFC 9218 7.1 */
  PRIORITY_UPDATE: 16,
} as const

export const FLAG = { NONE: 0, ACK: 1, END_STREAM: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const
/** A request without a body in one frame. */
export const WHOLE = FLAG.END_HEADERS | FLAG.END_STREAM

/** RFC 9113 7; the place in the list is the code. */
export const ERRORS = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const
export type ErrorName = (typeof ERRORS)[number]
export const errorCode = (name: ErrorName): number => ERRORS.indexOf(name)
export const errorName = (code: number): string => ERRORS[code] ?? `code ${code}`

/** RFC 9113 6.5.2, RFC 8441 3, RFC 9218 2.1 */
export const SETTING = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
  ENABLE_CONNECT_PROTOCOL: 8,
  NO_RFC7540_PRIORITIES: 9,
} as const

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
export const MAX_WINDOW = 0x7f_ff_ff_ff
export const DEFAULT_WINDOW = 65_535
export const DEFAULT_FRAME = 16_384

type Bytes = Uint8Array | string | readonly number[]
const bytesOf = (from: Bytes): Buffer => (typeof from === 'string' ? Buffer.from(from, 'latin1') : Buffer.from(from))

/** Any frame; `lie` gives the header another length, or sets the reserved bit. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Bytes = [],
  lie: { length?: number; reserved?: boolean } = {},
): Buffer {
  const body = bytesOf(payload)
  const head = Buffer.alloc(9)
  head.writeUIntBE(lie.length ?? body.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE((stream | (lie.reserved ? 0x80_00_00_00 : 0)) >>> 0, 5)
  return Buffer.concat([head, body])
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

/** A payload with the pad length in front and so many zeros behind; `says` lies about how many. */
export const padded = (payload: Bytes, padding: number, says = padding): Buffer =>
  Buffer.concat([Buffer.from([says]), bytesOf(payload), Buffer.alloc(padding)])

/** The fields of a priority signal (RFC 9113 6.3): weight as on the wire, one less than meant. */
export const dependency = (on: number, weight = 15, exclusive = false): Buffer =>
  Buffer.concat([uint32((on | (exclusive ? 0x80_00_00_00 : 0)) >>> 0), Buffer.from([weight])])

export const data = (stream: number, bytes: Bytes = [], flags: number = FLAG.NONE): Buffer =>
  frame(TYPE.DATA, flags, stream, bytes)
export const headers = (stream: number, block: Bytes, flags: number = WHOLE): Buffer =>
  frame(TYPE.HEADERS, flags, stream, block)
export const continuation = (stream: number, block: Bytes, flags: number = FLAG.END_HEADERS): Buffer =>
  frame(TYPE.CONTINUATION, flags, stream, block)
export const priority = (stream: number, on = 0): Buffer => frame(TYPE.PRIORITY, FLAG.NONE, stream, dependency(on))
export const reset = (stream: number, code: ErrorName = 'CANCEL'): Buffer =>
  frame(TYPE.RST_STREAM, FLAG.NONE, stream, uint32(errorCode(code)))
export const windowUpdate = (stream: number, increment: number): Buffer =>
  frame(TYPE.WINDOW_UPDATE, FLAG.NONE, stream, uint32(increment))
export const ping = (payload: Bytes = '12345678', flags: number = FLAG.NONE): Buffer =>
  frame(TYPE.PING, flags, 0, payload)
export const goaway = (last: number, code: ErrorName | number = 'NO_ERROR', debug: Bytes = []): Buffer =>
  frame(
    TYPE.GOAWAY,
    FLAG.NONE,
    0,
    Buffer.concat([uint32(last), uint32(typeof code === 'number' ? code : errorCode(code)), bytesOf(debug)]),
  )
export const settingsAck = (): Buffer => frame(TYPE.SETTINGS, FLAG.ACK, 0)

export type Settings = readonly (readonly [id: number, value: number])[]
export function settings(values: Settings = []): Buffer {
  const payload = Buffer.alloc(values.length * 6)
  for (const [at, [id, value]] of values.entries()) {
    payload.writeUInt16BE(id, at * 6)
    payload.writeUInt32BE(value >>> 0, at * 6 + 2)
  }
  return frame(TYPE.SETTINGS, FLAG.NONE, 0, payload)
}

export function readSettings(payload: Buffer): Settings {
  return Array.from({ length: Math.floor(payload.length / 6) }, (_, at) => [
    payload.readUInt16BE(at * 6),
    payload.readUInt32BE(at * 6 + 2),
  ])
}

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly reserved: boolean
  readonly stream: number
  readonly payload: Buffer
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  #held: Buffer[] = []
  #bytes = 0

  push(bytes: Buffer): Frame[] {
    this.#held.push(bytes)
    this.#bytes += bytes.length
    const frames: Frame[] = []
    if (this.#bytes < 9) return frames
    let all = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held)
    while (all.length >= 9 && all.length >= 9 + all.readUIntBE(0, 3)) {
      const end = 9 + all.readUIntBE(0, 3)
      const id = all.readUInt32BE(5)
      frames.push({
        type: all[3]!,
        flags: all[4]!,
        reserved: id >= 0x80_00_00_00,
        stream: id & MAX_WINDOW,
        payload: all.subarray(9, end),
      })
      all = all.subarray(end)
    }
    this.#held = [all]
    this.#bytes = all.length
    return frames
  }

  /** Bytes of a frame that has not come to its end. */
  get rest(): number {
    return this.#bytes
  }
}

/** What a frame carries between its padding and priority fields. */
export function contentOf({ type, flags, payload }: Frame): Buffer {
  let from = 0
  let to = payload.length
  if ((type === TYPE.DATA || type === TYPE.HEADERS) && flags & FLAG.PADDED) {
    to -= payload[0] ?? 0
    from = 1
  }
  if (type === TYPE.HEADERS && flags & FLAG.PRIORITY) from += 5
  return payload.subarray(from, Math.max(from, to))
}
