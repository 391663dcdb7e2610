//! RFC 9113 sections 3 (starting) and 4 (frames).
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import {
  continuation,
  DEFAULT_FRAME,
  data,
  dependency,
  FLAG,
  frame,
  headers,
  PREFACE,
  ping,
  priority,
  readSettings,
  reset,
  SETTING,
  settings,
  settingsAck,
  TYPE,
  WHOLE,
  windowUpdate,
} from '../../../support/http2-frames.ts'
import { block, indexed, literal } from '../../../support/http2-hpack.ts'
import type { OurServer } from '../../../support/http2-server.ts'
import { type Http2Wire, post, request, requestFields } from '../../../support/http2-wire.ts'
import {
  type AnyRow,
  answered,
  connectionError,
  ended,
  other,
  type Row,
  read,
  row,
  streamError,
  watched,
  whole,
} from './row.ts'

const bare = (of: Row): Row => ({ ...of, bare: true })

async function agreesOn(server: OurServer, offered: string[] | undefined): Promise<string | false | null> {
  const socket = connectTls({ host: '127.0.0.1', port: server.port, servername: 'localhost', ca: server.ca, ...(offered === undefined ? {} : { ALPNProtocols: offered }) }) // biome-ignore format: one line
  await once(socket, 'secureConnect')
  const agreed = socket.alpnProtocol
  socket.destroy()
  return agreed
}

const STARTING: readonly AnyRow[] = [
  {
    section: '3.1',
    must: 'h2 is what ALPN agrees on where the client offers it',
    run: async (server) => assert.equal(await agreesOn(server, ['h2', 'http/1.1']), 'h2'),
  },
  {
    section: '3.2',
    must: 'over TLS the protocol is negotiated by ALPN: without it, or with http/1.1 alone, HTTP/2 is not spoken',
    run: async (server) => {
      assert.equal(await agreesOn(server, ['http/1.1']), 'http/1.1')
      assert.equal(await agreesOn(server, undefined), false)
    },
  },
  other('3.1', 'h2c names HTTP/2 over cleartext TCP', 'viewers speak HTTP/2 over TLS alone, as with CloudFront'),
  other('3.3', 'HTTP/2 over cleartext TCP with prior knowledge', 'viewers speak HTTP/2 over TLS alone'),
  watched('3.4', "the server's preface is a SETTINGS frame, the first that it sends", 'settings-first'),
  watched('3.4', 'the SETTINGS of the preface are acknowledged', 'settings-ack'),
  bare(row('3.4', 'an empty SETTINGS behind the preface is enough', [PREFACE, settings(), request(1)], answered())),
  bare(row('3.4', 'frames may follow the preface at once', [Buffer.concat([PREFACE, settings(), request(1), request(3)])], answered(3))),
  bare(row('3.4', 'the preface may come byte by byte', [
    ...[...PREFACE].map((byte) => async (wire: Http2Wire) => { wire.send(Buffer.from([byte])); await new Promise(setImmediate) }),
    settings(), request(1),
  ], answered())),
  bare(row('3.4', 'a preface that is none is a connection error', [Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')], ended)),
  bare(row('3.4', 'a preface with one wrong byte is a connection error', [PREFACE.subarray(0, 23), Buffer.from('x'), settings()], ended)),
  bare(row('3.4', 'a preface that is not followed by SETTINGS is a connection error', [PREFACE, ping()], connectionError('PROTOCOL_ERROR'), ended)),
  bare(row('3.4', 'a request in the place of the SETTINGS is a connection error', [PREFACE, request(1)], connectionError('PROTOCOL_ERROR'), ended)),
  bare(row('3.4', 'an acknowledgment is not the SETTINGS of the preface', [PREFACE, settingsAck()], connectionError('PROTOCOL_ERROR'), ended)),
] // biome-ignore format: a table

const UNKNOWN = 0xbe
const largest = (wire: Http2Wire): number => {
  const first = wire.frames.find(({ type, flags }) => type === TYPE.SETTINGS && flags === 0)
  return (
    readSettings(first?.payload ?? Buffer.alloc(0)).find(([id]) => id === SETTING.MAX_FRAME_SIZE)?.[1] ?? DEFAULT_FRAME
  )
}
/** A frame one byte longer than the server takes; what it carries is right but for its size. */
const tooLong = (type: number, flags: number, stream: number) => (wire: Http2Wire) => {
  const most = largest(wire)
  const head = type === TYPE.HEADERS || type === TYPE.CONTINUATION ? block(...requestFields()) : Buffer.alloc(0)
  const rest = most + 1 - head.length
  const filler =
    head.length === 0 ? Buffer.alloc(rest) : Buffer.concat([literal('x', 'y'.repeat(rest - 10)), Buffer.alloc(10)])
  wire.send(frame(type, flags, stream, Buffer.concat([head, filler]).subarray(0, most + 1)))
}
const noFlags: readonly (readonly [name: string, frames: readonly Buffer[]])[] = [
  ['DATA', [post(1), frame(TYPE.DATA, 0xf6 | FLAG.END_STREAM, 1, 'ok')]],
  ['HEADERS', [frame(TYPE.HEADERS, 0xd2 | WHOLE, 1, block(...requestFields()))]],
  ['PRIORITY', [request(1), frame(TYPE.PRIORITY, 0xff, 3, dependency(0))]],
  ['RST_STREAM', [request(1), request(3, '/hold'), frame(TYPE.RST_STREAM, 0xff, 3, [0, 0, 0, 8])]],
  ['SETTINGS', [frame(TYPE.SETTINGS, 0xfe, 0), request(1)]],
  ['PING', [frame(TYPE.PING, 0xfe, 0, 'pingpong'), request(1)]],
  ['WINDOW_UPDATE', [frame(TYPE.WINDOW_UPDATE, 0xff, 0, [0, 0, 0, 1]), request(1)]],
  ['CONTINUATION', [headers(1, [], FLAG.END_STREAM), frame(TYPE.CONTINUATION, 0xfb | FLAG.END_HEADERS, 1, block(...requestFields()))]],
] // biome-ignore format: a table
const reservedBits: readonly (readonly [name: string, frames: readonly Buffer[]])[] = [
  ['DATA', [post(1), frame(TYPE.DATA, FLAG.END_STREAM, 1, 'ok', { reserved: true })]],
  ['HEADERS', [frame(TYPE.HEADERS, WHOLE, 1, block(...requestFields()), { reserved: true })]],
  ['SETTINGS', [frame(TYPE.SETTINGS, 0, 0, [], { reserved: true }), request(1)]],
  ['PING', [frame(TYPE.PING, 0, 0, 'pingpong', { reserved: true }), request(1)]],
  ['WINDOW_UPDATE', [frame(TYPE.WINDOW_UPDATE, 0, 0, [0x80, 0, 0, 1], { reserved: true }), request(1)]],
  ['an unknown frame', [frame(UNKNOWN, 0, 0, 'x', { reserved: true }), request(1)]],
] // biome-ignore format: a table
/** Of type, flags, stream and payload: too short or too long for what the type is. */
const WRONG_LENGTHS: readonly (readonly [name: string, type: number, flags: number, stream: number, payload: Buffer])[] = [
  ['SETTINGS of 5 bytes', TYPE.SETTINGS, 0, 0, Buffer.alloc(5)],
  ['PING of 7 bytes', TYPE.PING, 0, 0, Buffer.alloc(7)],
  ['GOAWAY of 7 bytes', TYPE.GOAWAY, 0, 0, Buffer.alloc(7)],
  ['WINDOW_UPDATE of 3 bytes on the connection', TYPE.WINDOW_UPDATE, 0, 0, Buffer.alloc(3)],
  ['RST_STREAM of 3 bytes', TYPE.RST_STREAM, 0, 1, Buffer.alloc(3)],
  ['HEADERS with PRIORITY and 4 bytes', TYPE.HEADERS, WHOLE | FLAG.PRIORITY, 3, Buffer.alloc(4)],
] // biome-ignore format: a table

const FRAMES: readonly AnyRow[] = [
  watched('4.1', 'the reserved bit stays unset when sending', 'reserved-bit'),
  watched('4.1', 'unused flags stay unset when sending', 'unused-flags'),
  ...noFlags.map(([name, frames]) => row('4.1', `flags without a meaning for ${name} are ignored`, frames, answered())),
  ...reservedBits.map(([name, frames]) => row('4.1', `the reserved bit of ${name} is ignored`, frames, answered())),
  row('4.1', 'frames of unknown types are discarded, on the connection, on idle, open and closed streams', [
    frame(UNKNOWN, 0xff, 0, 'x'), frame(0xff, 0, 0), frame(UNKNOWN, 0, 5, 'x'), frame(UNKNOWN, 0, 2, 'x'),
    post(1), frame(UNKNOWN, 1, 1, 'x'), data(1, 'ok', FLAG.END_STREAM), whole(1), frame(UNKNOWN, 0, 1, 'x'),
  ], answered()),
  row('4.2', 'payloads of 16,384 bytes are read: DATA', [post(1), data(1, Buffer.alloc(16_384)), data(1, 'x', FLAG.END_STREAM)], answered(1, 200, null)),
  row('4.2', 'payloads of 16,384 bytes are read: HEADERS', [
    frame(TYPE.HEADERS, WHOLE, 1, Buffer.concat([block(...requestFields()), literal('x', 'y'.repeat(16_384 - block(...requestFields()).length - 6))])),
  ], answered()),
  row('4.2', 'payloads of 16,384 bytes are read: unknown frames', [frame(UNKNOWN, 0, 0, Buffer.alloc(16_384)), request(1)], answered()),
  row('4.2', 'a SETTINGS frame of many unknown settings is read', [settings(Array.from({ length: 30 }, () => [0xf0f0, 1] as const)), request(1)], answered()),
  watched('4.2', "no payload is longer than the client's SETTINGS_MAX_FRAME_SIZE", 'frame-size'),
  { ...row('4.2', 'a long answer comes in frames that the client takes', [windowUpdate(0, 200_000), request(1, '/size/100000')], answered(1, 200, null)), settings: [[SETTING.INITIAL_WINDOW_SIZE, 200_000]] },
  { ...row('4.2', 'a larger SETTINGS_MAX_FRAME_SIZE of the client may be used', [windowUpdate(0, 200_000), request(1, '/size/100000')], answered(1, 200, null)), settings: [[SETTING.INITIAL_WINDOW_SIZE, 200_000], [SETTING.MAX_FRAME_SIZE, 0xff_ff_ff]] },
  row('4.2', 'DATA over SETTINGS_MAX_FRAME_SIZE is FRAME_SIZE_ERROR', [post(1), read, tooLong(TYPE.DATA, 0, 1)], connectionError('FRAME_SIZE_ERROR'), streamError(1, 'FRAME_SIZE_ERROR')),
  row('4.2', 'HEADERS over it are a connection error', [read, tooLong(TYPE.HEADERS, WHOLE, 1)], connectionError('FRAME_SIZE_ERROR')),
  row('4.2', 'a CONTINUATION over it is a connection error', [read, headers(1, [], FLAG.END_STREAM), (wire) => tooLong(TYPE.CONTINUATION, FLAG.END_HEADERS, 1)(wire)], connectionError('FRAME_SIZE_ERROR')),
  row('4.2', 'SETTINGS over it are a connection error', [read, tooLong(TYPE.SETTINGS, 0, 0)], connectionError('FRAME_SIZE_ERROR')),
  row('4.2', 'an unknown frame over it on stream 0 is a connection error', [read, tooLong(UNKNOWN, 0, 0)], connectionError('FRAME_SIZE_ERROR')),
  row('4.2', 'a length that promises more than it takes is refused before it comes', [frame(TYPE.DATA, 0, 1, [], { length: 0xff_ff_ff })], connectionError('FRAME_SIZE_ERROR', 'PROTOCOL_ERROR')),
  ...WRONG_LENGTHS.map(([name, ...of]) => row('4.2', `a frame that cannot hold what it must is FRAME_SIZE_ERROR: ${name}`, [request(1, '/hold'), frame(...of)], connectionError('FRAME_SIZE_ERROR'))),
  row('4.2', 'a frame that cannot hold what it must is FRAME_SIZE_ERROR: DATA with PADDED and no pad length', [post(1), frame(TYPE.DATA, FLAG.PADDED, 1)], connectionError('FRAME_SIZE_ERROR', 'PROTOCOL_ERROR'), streamError(1, 'FRAME_SIZE_ERROR')),
  row('4.2', 'a frame that cannot hold what it must is FRAME_SIZE_ERROR: HEADERS with PADDED and no pad length', [frame(TYPE.HEADERS, WHOLE | FLAG.PADDED, 1)], connectionError('FRAME_SIZE_ERROR', 'PROTOCOL_ERROR')),
] // biome-ignore format: a table

/** A head that the dynamic table decides: `seen` shows whether the table was kept. */
const keeping = (stream: number, path: string, name: string): Buffer =>
  headers(stream, Buffer.concat([block(...requestFields(path)), literal(name, 'kept', { as: 'indexing' })]))
const again = (stream: number): Buffer =>
  headers(stream, Buffer.concat([block(...requestFields('/seen')), indexed(62)]))
const keptField = (wire: Http2Wire) => assert.match(wire.answer(3)?.body.toString() ?? '', /"x-kept","kept"/)

const inBetween: readonly (readonly [name: string, frame: Buffer])[] = [
  ['DATA', data(1, 'x')],
  ['HEADERS of another stream', request(3)],
  ['HEADERS of the same stream', request(1)],
  ['PRIORITY', priority(1)],
  ['RST_STREAM', reset(1)],
  ['SETTINGS', settings()],
  ['a SETTINGS ACK', settingsAck()],
  ['PING', ping()],
  ['WINDOW_UPDATE', windowUpdate(0, 1)],
  ['CONTINUATION of another stream', continuation(3, [])],
  ['an unknown frame', frame(UNKNOWN, 0, 1)],
]

const FIELD_BLOCKS: readonly AnyRow[] = [
  ...inBetween.map(([name, between]) =>
    row('4.3', `nothing may come between the frames of a field block: ${name}`, [headers(1, block(...requestFields()), FLAG.END_STREAM), between], connectionError('PROTOCOL_ERROR'))),
  watched('4.3', 'a field block is sent without anything in between', 'contiguous-block'),
  row('4.3', 'the fragments of a block are put together, wherever it is cut', [
    ...[...block(...requestFields())].map((byte, at, all) =>
      at === 0 ? headers(1, [byte], FLAG.END_STREAM) : continuation(1, [byte], at === all.length - 1 ? FLAG.END_HEADERS : 0)),
  ], answered()),
  row('4.3', 'a decoding error is a connection error of COMPRESSION_ERROR', [headers(1, [0x80])], connectionError('COMPRESSION_ERROR')),
  row('4.3', 'a decoding error in trailers is one too', [post(1), headers(1, [0xff, 0xff, 0xff, 0xff, 0xff, 0x0f])], connectionError('COMPRESSION_ERROR')),
  row('4.3', 'a block that ends in the middle of a field is one too', [headers(1, block(...requestFields()).subarray(0, -1))], connectionError('COMPRESSION_ERROR')),
  row('4.3', 'each block stands alone: half a field is not continued by the next', [headers(1, block(...requestFields()).subarray(0, -1)), headers(3, [0x2f])], connectionError('COMPRESSION_ERROR')),
  { ...row('4.3', 'the block of a malformed request still changes the table', [headers(1, Buffer.concat([block(...requestFields(), ['Upper', 'x']), literal('x-kept', 'kept', { as: 'indexing' })])), again(3)], answered(3, 200, null)), also: keptField },
  { ...row('4.3', 'the block of trailers on a stream that we reset still changes the table', [
    post(1, '/hold'), reset(1), headers(1, literal('x-kept', 'kept', { as: 'indexing' })), again(3),
  ], answered(3, 200, null), connectionError('STREAM_CLOSED')), also: (wire) => wire.over || keptField(wire) },
  { ...row('4.3', 'the block of a request that is handed on changes the table', [keeping(1, '/', 'x-kept'), again(3)], answered(3, 200, null)), also: keptField },
  watched('4.3', 'every block that is sent can be decoded', 'block-decodes'),
  { ...row('4.3.1', 'a reduced SETTINGS_HEADER_TABLE_SIZE is followed by a size update', [request(1), whole(1)], answered()), settings: [[SETTING.HEADER_TABLE_SIZE, 0]] },
  { ...row('4.3.1', 'one that is reduced later is followed by a size update too', [
    request(1), whole(1), settings([[SETTING.HEADER_TABLE_SIZE, 100]]), read, request(3), whole(3), settings([[SETTING.HEADER_TABLE_SIZE, 0]]), request(5),
  ], answered(5)), settings: [[SETTING.HEADER_TABLE_SIZE, 65_536]] },
  { ...row('4.3.1', 'one that goes down and up is followed by a size update', [
    request(1), whole(1), settings([[SETTING.HEADER_TABLE_SIZE, 0]]), settings([[SETTING.HEADER_TABLE_SIZE, 4_096]]), request(3), whole(3), request(5),
  ], answered(5)), settings: [] },
  watched('4.3.1', 'the encoder keeps to the table size of the client', 'table-size'),
] // biome-ignore format: a table

export const STARTING_AND_FRAMES: readonly AnyRow[] = [...STARTING, ...FRAMES, ...FIELD_BLOCKS]
