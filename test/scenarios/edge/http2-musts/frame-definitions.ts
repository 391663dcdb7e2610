//! RFC 9113 sections 6.1 to 6.8, 6.10 and 7: frame by frame, and error codes. Flow control is in flow-control.ts.
import assert from 'node:assert/strict'
import {
  continuation,
  data,
  dependency,
  errorCode,
  FLAG,
  frame,
  goaway,
  headers,
  padded,
  ping,
  priority,
  reset,
  SETTING,
  settings,
  settingsAck,
  TYPE,
  WHOLE,
} from '../../../support/http2-frames.ts'
import { block } from '../../../support/http2-hpack.ts'
import { type Http2Wire, post, request, requestFields } from '../../../support/http2-wire.ts'
import {
  type AnyRow,
  answered,
  connectionError,
  ignored,
  other,
  type Row,
  read,
  row,
  streamError,
  watched,
  whole,
} from './row.ts'

const END = FLAG.END_STREAM
const head = block(...requestFields())

const DATA: readonly AnyRow[] = [
  watched('6.1', 'padding is zeros when sending, and shorter than the payload', 'zero-padding'),
  row('6.1', 'padding of DATA is not content', [post(1), data(1, padded('ok', 200), FLAG.PADDED | END)], answered()),
  row('6.1', 'a pad length of zero is allowed', [post(1), data(1, padded('ok', 0), FLAG.PADDED | END)], answered()),
  row('6.1', 'DATA may be padding alone', [post(1), data(1, padded('', 100), FLAG.PADDED), data(1, padded('ok', 1), FLAG.PADDED | END)], answered()),
  row('6.1', 'DATA without a byte may end the body', [post(1), data(1, 'ok'), data(1, '', END)], answered()),
  row('6.1', 'DATA on stream 0 is a connection error', [data(0, 'x')], connectionError('PROTOCOL_ERROR')),
  row('6.1', 'padding as long as the payload is a connection error', [post(1), data(1, padded('', 0, 1), FLAG.PADDED)], connectionError('PROTOCOL_ERROR')),
  row('6.1', 'padding longer than the payload is a connection error', [post(1), data(1, padded('abc', 2, 200), FLAG.PADDED | END)], connectionError('PROTOCOL_ERROR')),
  row('6.1', 'DATA on a stream that is neither open nor half-closed (local) is STREAM_CLOSED', [request(1, '/hold'), data(1, 'x')], streamError(1, 'STREAM_CLOSED')),
] // biome-ignore format: a table

const HEADERS: readonly AnyRow[] = [
  row('6.2', 'padding of HEADERS is no part of the block', [headers(1, padded(head, 255), WHOLE | FLAG.PADDED)], answered()),
  row('6.2', 'padding and priority together', [headers(1, padded(Buffer.concat([dependency(0), head]), 9), WHOLE | FLAG.PADDED | FLAG.PRIORITY)], answered()),
  row('6.2', 'a pad length of zero is allowed', [headers(1, padded(head, 0), WHOLE | FLAG.PADDED)], answered()),
  row('6.2', 'HEADERS without END_HEADERS go on in a CONTINUATION', [headers(1, head.subarray(0, 5), END), continuation(1, head.subarray(5))], answered()),
  row('6.2', 'END_STREAM counts though CONTINUATION follows', [headers(1, [], END), continuation(1, [], 0), continuation(1, head)], answered()),
  row('6.2', 'padding is left away before the block is continued', [headers(1, padded(head.subarray(0, 5), 7), END | FLAG.PADDED), continuation(1, head.subarray(5))], answered()),
  row('6.2', 'HEADERS on stream 0 are a connection error', [headers(0, head)], connectionError('PROTOCOL_ERROR')),
  row('6.2', 'padding as long as the payload is a connection error', [headers(1, padded(head, 0, head.length + 1), WHOLE | FLAG.PADDED)], connectionError('PROTOCOL_ERROR')),
  row('6.2', 'padding that reaches into the priority fields is a connection error', [headers(1, padded(dependency(0), 0, 3), WHOLE | FLAG.PADDED | FLAG.PRIORITY)], connectionError('PROTOCOL_ERROR', 'FRAME_SIZE_ERROR')),
  row('6.2', 'HEADERS without END_HEADERS and then another frame are a connection error', [headers(1, head, END), request(3)], connectionError('PROTOCOL_ERROR')),
] // biome-ignore format: a table

const PRIORITY: readonly AnyRow[] = [
  row('6.3', 'PRIORITY is taken in any state and changes none', [priority(1), priority(99), request(1), whole(1), priority(1), request(3)], answered(3)),
  row('6.3', 'PRIORITY on an idle stream does not open it', [priority(7), request(1), whole(1), request(7)], answered(7)),
  row('6.3', 'PRIORITY on stream 0 is a connection error', [priority(0)], connectionError('PROTOCOL_ERROR')),
  row('6.3', 'PRIORITY of another length than 5 is a stream error: 4', [request(1, '/hold'), frame(TYPE.PRIORITY, 0, 1, Buffer.alloc(4))], streamError(1, 'FRAME_SIZE_ERROR')),
  row('6.3', 'PRIORITY of another length than 5 is a stream error: 6', [request(1, '/hold'), frame(TYPE.PRIORITY, 0, 1, Buffer.alloc(6))], streamError(1, 'FRAME_SIZE_ERROR')),
  row('6.3', 'one of the wrong length on a stream that was reset adds no second RST_STREAM', [post(1), frame(TYPE.WINDOW_UPDATE, 0, 1, Buffer.alloc(4)), frame(TYPE.PRIORITY, 0, 1, Buffer.alloc(4))], streamError(1, 'PROTOCOL_ERROR')),
  row('6.3', 'one of the wrong length on a closed stream sends nothing on it', [request(1), whole(1), frame(TYPE.PRIORITY, 0, 1, Buffer.alloc(4))], connectionError('FRAME_SIZE_ERROR'), ignored),
  // No RST_STREAM may name an idle stream (6.4): the connection ends, or nothing comes of it.
  row('6.3', 'one of the wrong length on an idle stream resets no idle stream', [frame(TYPE.PRIORITY, 0, 5, Buffer.alloc(4))], connectionError('FRAME_SIZE_ERROR'), ignored),
] // biome-ignore format: a table

const dataAfterReset = (wire: Http2Wire): void => {
  const at = wire.frames.findLastIndex(({ type, stream }) => stream === 1 && type === TYPE.DATA)
  const ack = wire.frames.findLastIndex(({ type, flags }) => type === TYPE.SETTINGS && flags === FLAG.ACK)
  assert.ok(at < ack, 'DATA behind the acknowledgment of what came after RST_STREAM')
}
const RST_STREAM: readonly AnyRow[] = [
  { ...row('6.4', 'nothing is sent on a stream after its RST_STREAM was read', [request(1, '/size/1000000'), reset(1), settings(), read, frame(TYPE.WINDOW_UPDATE, 0, 0, [0, 0x10, 0, 0]), read, read], ignored), also: dataAfterReset },
  watched('6.4', 'nothing is sent on a stream after our RST_STREAM', 'after-reset'),
  watched('6.4', 'RST_STREAM and the others have the lengths of their types', 'fixed-length'),
  row('6.4', 'RST_STREAM ends a request without an answer', [request(1, '/hold'), reset(1), request(3)], answered(3)),
  row('6.4', 'RST_STREAM ends a body that is not whole', [post(1), data(1, 'half'), reset(1), request(3)], answered(3)),
  row('6.4', 'frames may follow on a stream that the server has reset', [post(1), frame(TYPE.WINDOW_UPDATE, 0, 1, [0, 0, 0, 0]), data(1, 'x'), data(1, 'y', END), request(3)], answered(3)),
  row('6.4', 'RST_STREAM on stream 0 is a connection error', [reset(0)], connectionError('PROTOCOL_ERROR')),
  row('6.4', 'RST_STREAM on an idle stream is a connection error', [reset(5)], connectionError('PROTOCOL_ERROR')),
  row('6.4', 'RST_STREAM on an idle stream of the server, below one of ours, is a connection error', [request(5, '/hold'), reset(2)], connectionError('PROTOCOL_ERROR')),
  row('6.4', 'RST_STREAM on an idle stream of the server is a connection error', [reset(2)], connectionError('PROTOCOL_ERROR')),
  row('6.4', 'RST_STREAM of another length than 4 is a connection error: 3', [request(1, '/hold'), frame(TYPE.RST_STREAM, 0, 1, Buffer.alloc(3))], connectionError('FRAME_SIZE_ERROR')),
  row('6.4', 'RST_STREAM of another length than 4 is a connection error: 5', [request(1, '/hold'), frame(TYPE.RST_STREAM, 0, 1, Buffer.alloc(5))], connectionError('FRAME_SIZE_ERROR')),
] // biome-ignore format: a table

const setting = (id: number, value: number): Row['send'] => [settings([[id, value]]), request(1)]
const SETTINGS: readonly AnyRow[] = [
  watched('6.5', 'SETTINGS are on stream 0', 'connection-frames'),
  row('6.5', 'SETTINGS may come at any time', [request(1), settings([[SETTING.ENABLE_PUSH, 0]]), post(3), settings(), data(3, 'ok', END)], answered(3)),
  row('6.5', 'a SETTINGS ACK with a payload is a connection error', [frame(TYPE.SETTINGS, FLAG.ACK, 0, Buffer.alloc(6))], connectionError('FRAME_SIZE_ERROR')),
  row('6.5', 'SETTINGS on a stream are a connection error', [frame(TYPE.SETTINGS, 0, 1, [])], connectionError('PROTOCOL_ERROR')),
  row('6.5', 'a length that is no multiple of 6 is a connection error', [frame(TYPE.SETTINGS, 0, 0, Buffer.alloc(7))], connectionError('FRAME_SIZE_ERROR')),
  { ...row('6.5', 'the last value of a setting in a frame is the one that counts', [settings([[SETTING.INITIAL_WINDOW_SIZE, 1], [SETTING.INITIAL_WINDOW_SIZE, 2]]), request(1), read, read], ignored), also: (wire) => assert.equal(wire.frames.filter(({ type }) => type === TYPE.DATA).reduce((sum, { payload }) => sum + payload.length, 0), 2) },
  other('6.5.1', 'the format of settings', 'no requirement of its own; lengths and order are in 6.5 and 6.5.3'),
  watched('6.5.2', 'its settings are within their bounds, and ENABLE_PUSH is never 1', 'settings-values'),
  watched('6.5.2', 'nothing is pushed, whatever ENABLE_PUSH says', 'no-push'),
  row('6.5.2', 'ENABLE_PUSH 0 is taken', setting(SETTING.ENABLE_PUSH, 0), answered()),
  row('6.5.2', 'ENABLE_PUSH 1 is taken of a client', setting(SETTING.ENABLE_PUSH, 1), answered()),
  row('6.5.2', 'ENABLE_PUSH 2 is a connection error', setting(SETTING.ENABLE_PUSH, 2), connectionError('PROTOCOL_ERROR')),
  row('6.5.2', 'ENABLE_PUSH 2^32-1 is a connection error', setting(SETTING.ENABLE_PUSH, 0xff_ff_ff_ff), connectionError('PROTOCOL_ERROR')),
  row('6.5.2', 'INITIAL_WINDOW_SIZE 2^31-1 is taken', setting(SETTING.INITIAL_WINDOW_SIZE, 0x7f_ff_ff_ff), answered()),
  row('6.5.2', 'INITIAL_WINDOW_SIZE 2^31 is a connection error of FLOW_CONTROL_ERROR', setting(SETTING.INITIAL_WINDOW_SIZE, 0x80_00_00_00), connectionError('FLOW_CONTROL_ERROR')),
  row('6.5.2', 'INITIAL_WINDOW_SIZE 2^32-1 is one too', setting(SETTING.INITIAL_WINDOW_SIZE, 0xff_ff_ff_ff), connectionError('FLOW_CONTROL_ERROR')),
  row('6.5.2', 'MAX_FRAME_SIZE 16,384 is taken', setting(SETTING.MAX_FRAME_SIZE, 16_384), answered()),
  row('6.5.2', 'MAX_FRAME_SIZE 2^24-1 is taken', setting(SETTING.MAX_FRAME_SIZE, 0xff_ff_ff), answered()),
  row('6.5.2', 'MAX_FRAME_SIZE 16,383 is a connection error', setting(SETTING.MAX_FRAME_SIZE, 16_383), connectionError('PROTOCOL_ERROR')),
  row('6.5.2', 'MAX_FRAME_SIZE 2^24 is a connection error', setting(SETTING.MAX_FRAME_SIZE, 0x1_00_00_00), connectionError('PROTOCOL_ERROR')),
  row('6.5.2', 'MAX_FRAME_SIZE 0 is a connection error', setting(SETTING.MAX_FRAME_SIZE, 0), connectionError('PROTOCOL_ERROR')),
  row('6.5.2', 'HEADER_TABLE_SIZE may be anything: 0', setting(SETTING.HEADER_TABLE_SIZE, 0), answered()),
  row('6.5.2', 'HEADER_TABLE_SIZE may be anything: 2^32-1', setting(SETTING.HEADER_TABLE_SIZE, 0xff_ff_ff_ff), answered()),
  row('6.5.2', 'MAX_CONCURRENT_STREAMS may be anything: 2^32-1', setting(SETTING.MAX_CONCURRENT_STREAMS, 0xff_ff_ff_ff), answered()),
  row('6.5.2', 'MAX_HEADER_LIST_SIZE is advice and may be anything', setting(SETTING.MAX_HEADER_LIST_SIZE, 0xff_ff_ff_ff), answered()),
  row('6.5.2', 'an unknown setting is ignored', setting(0xfe_fe, 0xff_ff_ff_ff), answered()),
  watched('6.5.3', 'each SETTINGS is acknowledged, in order, and none twice', 'settings-ack'),
  { ...row('6.5.3', 'several SETTINGS are each acknowledged at once', [settings(), settings([[SETTING.ENABLE_PUSH, 0]]), settings(), read], ignored), also: (wire) => assert.equal(wire.frames.filter(({ type, flags }) => type === TYPE.SETTINGS && flags === FLAG.ACK).length, 4) },
  row('6.5.3', 'values are in force before the acknowledgment: a stream behind it has the new window', [settings([[SETTING.INITIAL_WINDOW_SIZE, 200_000]]), frame(TYPE.WINDOW_UPDATE, 0, 0, [0, 2, 0, 0]), request(1, '/size/150000')], answered(1, 200, null)),
  row('6.5.3', 'an acknowledgment that nobody waits for is no error of the connection that must end it', [settingsAck(), settingsAck(), request(1)], answered(), connectionError('PROTOCOL_ERROR')),
] // biome-ignore format: a table

const PUSH: readonly AnyRow[] = [
  ...[0, 1, 2].map((stream) =>
    row('6.6', `PUSH_PROMISE of a client is a connection error: on stream ${stream}`, [post(1), frame(TYPE.PUSH_PROMISE, FLAG.END_HEADERS, stream, Buffer.concat([Buffer.from([0, 0, 0, 2]), head]))], connectionError('PROTOCOL_ERROR'))),
  watched('6.6', 'PUSH_PROMISE is not sent', 'no-push'),
] // biome-ignore format: a table

const pongs = (wire: Http2Wire): string[] =>
  wire.frames.filter(({ type }) => type === TYPE.PING).map(({ payload }) => payload.toString('latin1'))
const PING: readonly AnyRow[] = [
  watched('6.7', 'a PING is answered with the same bytes and ACK', 'ping-ack'),
  { ...row('6.7', 'each PING is answered', [ping('aaaaaaaa'), ping('bbbbbbbb'), ping(Buffer.alloc(8))], ignored), also: (wire) => assert.deepEqual(pongs(wire).slice(0, 3), ['aaaaaaaa', 'bbbbbbbb', '\0'.repeat(8)]) },
  { ...row('6.7', 'a PING ACK is not answered', [ping('unasked!', FLAG.ACK), ping('unasked!', FLAG.ACK)], ignored), also: (wire) => assert.ok(!pongs(wire).includes('unasked!')) },
  row('6.7', 'a PING in the middle of a body', [post(1), data(1, 'o'), ping(), data(1, 'k', END)], answered()),
  row('6.7', 'PING on a stream is a connection error', [request(1, '/hold'), frame(TYPE.PING, 0, 1, Buffer.alloc(8))], connectionError('PROTOCOL_ERROR')),
  row('6.7', 'PING of another length than 8 is a connection error: 0', [frame(TYPE.PING, 0, 0)], connectionError('FRAME_SIZE_ERROR')),
  row('6.7', 'PING of another length than 8 is a connection error: 9', [frame(TYPE.PING, 0, 0, Buffer.alloc(9))], connectionError('FRAME_SIZE_ERROR')),
  row('6.7', 'PING ACK of another length than 8 is one too', [frame(TYPE.PING, FLAG.ACK, 0, Buffer.alloc(6))], connectionError('FRAME_SIZE_ERROR')),
] // biome-ignore format: a table

const GOAWAY: readonly AnyRow[] = [
  watched('6.8', 'the last stream of a GOAWAY never grows', 'goaway-last'),
  row('6.8', 'GOAWAY on a stream is a connection error', [frame(TYPE.GOAWAY, 0, 1, Buffer.alloc(8))], connectionError('PROTOCOL_ERROR')),
  row('6.8', 'GOAWAY with debug data is taken, and what is under way is answered', [request(1, '/size/100000'), goaway(0, 'NO_ERROR', 'goodbye'), frame(TYPE.WINDOW_UPDATE, 0, 0, [0, 2, 0, 0]), frame(TYPE.WINDOW_UPDATE, 0, 1, [0, 2, 0, 0])], answered(1, 200, null)),
  row('6.8', 'PING is answered after GOAWAY of the client', [request(1), goaway(0), ping()], answered()),
  other('6.8', 'a receiver of GOAWAY opens no more streams', 'the server opens none'),
  other('6.8', 'debug data that is stored is to be protected', 'it is not stored'),
] // biome-ignore format: a table

const CONTINUATION: readonly AnyRow[] = [
  row('6.10', 'CONTINUATION may be empty, and many', [headers(1, [], END), ...Array.from({ length: 4 }, () => continuation(1, [], 0)), continuation(1, head)], answered()),
  row('6.10', 'CONTINUATION on stream 0 is a connection error', [headers(1, head, END), continuation(0, [])], connectionError('PROTOCOL_ERROR')),
  row('6.10', 'CONTINUATION on another stream is a connection error', [headers(1, head, END), continuation(3, [])], connectionError('PROTOCOL_ERROR')),
  row('6.10', 'CONTINUATION behind END_HEADERS is a connection error', [request(1, '/hold'), continuation(1, [])], connectionError('PROTOCOL_ERROR')),
  row('6.10', 'CONTINUATION behind a CONTINUATION with END_HEADERS is a connection error', [headers(1, [], END), continuation(1, head), continuation(1, [])], connectionError('PROTOCOL_ERROR')),
  row('6.10', 'CONTINUATION behind DATA is a connection error', [post(1), data(1, 'x'), continuation(1, [])], connectionError('PROTOCOL_ERROR')),
  row('6.10', 'CONTINUATION on an idle stream is a connection error', [continuation(1, head)], connectionError('PROTOCOL_ERROR')),
  row('6.10', 'any other frame behind one without END_HEADERS is a connection error', [headers(1, [], END), continuation(1, head, 0), ping()], connectionError('PROTOCOL_ERROR')),
  row('6.10', 'trailers may be continued', [post(1), data(1, 'ok'), headers(1, block(['x-a', '1']), END), continuation(1, block(['x-b', '2']))], answered()),
] // biome-ignore format: a table

const unknownCode = (type: number, stream: number, before = 0): Buffer => frame(type, 0, stream, Buffer.concat([Buffer.alloc(before), Buffer.from([0xde, 0xad, 0xbe, 0xef])])) // biome-ignore format: one line
const CODES: readonly AnyRow[] = [
  row('7', 'an unknown code in RST_STREAM is like any other', [request(1, '/hold'), unknownCode(TYPE.RST_STREAM, 1), request(3)], answered(3)),
  row('7', 'an unknown code in GOAWAY is like any other', [request(1), unknownCode(TYPE.GOAWAY, 0, 4)], answered()),
  ...['NO_ERROR', 'INTERNAL_ERROR', 'HTTP_1_1_REQUIRED', 'REFUSED_STREAM'].map((name) =>
    row('7', `RST_STREAM with ${name} of a client cancels`, [request(1, '/hold'), frame(TYPE.RST_STREAM, 0, 1, [0, 0, 0, errorCode(name as 'NO_ERROR')]), request(3)], answered(3))),
  watched('7', 'the codes that are sent are those of the registry', 'known-error'),
] // biome-ignore format: a table

export const FRAME_DEFINITIONS: readonly AnyRow[] = [
  ...DATA,
  ...HEADERS,
  ...PRIORITY,
  ...RST_STREAM,
  ...SETTINGS,
  ...PUSH,
  ...PING,
  ...GOAWAY,
  ...CONTINUATION,
  ...CODES,
]
