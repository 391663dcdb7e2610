//! RFC 9113 section 5: streams and multiplexing. The state machine of 5.1 has a table of its own (states.ts).
import assert from 'node:assert/strict'
import {
  continuation,
  data,
  dependency,
  FLAG,
  frame,
  goaway,
  headers,
  ping,
  priority,
  readSettings,
  reset,
  SETTING,
  settings,
  TYPE,
  WHOLE,
  windowUpdate,
} from '../../../support/http2-frames.ts'
import { block } from '../../../support/http2-hpack.ts'
import { type Http2Wire, post, request, requestFields } from '../../../support/http2-wire.ts'
import {
  type AnyRow,
  answered,
  connectionError,
  ignored,
  other,
  read,
  row,
  streamError,
  watched,
  whole,
} from './row.ts'

const mostStreams = (wire: Http2Wire): number => {
  const first = wire.frames.find(({ type, flags }) => type === TYPE.SETTINGS && flags === 0)
  const most = readSettings(first?.payload ?? Buffer.alloc(0)).find(
    ([id]) => id === SETTING.MAX_CONCURRENT_STREAMS,
  )?.[1]
  assert.ok(most !== undefined && most >= 100 && most <= 1_000, `MAX_CONCURRENT_STREAMS ${most}`)
  return most
}
/** As many as may be open at once, and none is answered. */
const fill = (wire: Http2Wire): void =>
  wire.send(...Array.from({ length: mostStreams(wire) }, (_, at) => request(2 * at + 1, '/hold')))
const oneMore = (wire: Http2Wire): void => wire.send(request(9_001, '/more'))

export const STREAMS: readonly AnyRow[] = [
  watched('5.1', 'nothing is sent on a stream after its end but RST_STREAM, WINDOW_UPDATE and PRIORITY', 'after-end'),
  watched('5.1.1', 'the server sends on streams that the client opened; streams of its own would be even', 'stream-id'),
  row('5.1.1', 'a stream of an even number is a connection error', [request(2)], connectionError('PROTOCOL_ERROR')),
  row('5.1.1', 'a stream with a number below one that was opened is a connection error', [request(5), whole(5), request(3)], connectionError('PROTOCOL_ERROR', 'STREAM_CLOSED')),
  row('5.1.1', 'a number that was used is not used again', [request(1), whole(1), request(1)], connectionError('STREAM_CLOSED', 'PROTOCOL_ERROR')),
  row('5.1.1', 'numbers may be skipped', [request(1), request(7), request(1_001)], answered(1_001)),
  row('5.1.1', 'a skipped stream is closed: PRIORITY and WINDOW_UPDATE on it are no error', [request(7), whole(7), priority(3), windowUpdate(5, 1)], ignored),
  row('5.1.1', 'the last number can be used', [request(0x7f_ff_ff_ff)], answered(0x7f_ff_ff_ff)),
  row('5.1.1', 'stream 0 cannot be opened', [request(0)], connectionError('PROTOCOL_ERROR')),
  { ...row('5.1.2', 'streams over SETTINGS_MAX_CONCURRENT_STREAMS are PROTOCOL_ERROR or REFUSED_STREAM', [read, fill, oneMore], streamError(9_001, 'REFUSED_STREAM', 'PROTOCOL_ERROR')), also: (wire) => wire.send(reset(1)) },
  { ...row('5.1.2', 'a stream that has ended does not count any more', [read, fill, read, reset(1), oneMore], answered(9_001)), also: (wire) => assert.equal(wire.answer(1)?.reset, null) },
  { ...row('5.1.2', 'a stream without the end of its request counts', [
    read, (wire) => wire.send(...Array.from({ length: mostStreams(wire) }, (_, at) => post(2 * at + 1))), oneMore,
  ], streamError(9_001, 'REFUSED_STREAM', 'PROTOCOL_ERROR')), also: (wire) => wire.send(reset(1)) },
  { ...row('5.1.2', 'the most streams that the client takes bind a server that pushes; answers are not bound', [request(1)], answered()), settings: [[SETTING.MAX_CONCURRENT_STREAMS, 0]] },
  watched('5.2.1', 'a sender respects the windows of the receiver: of the stream', 'stream-window'),
  watched('5.2.1', 'a sender respects the windows of the receiver: of the connection', 'connection-window'),
  { ...row('5.2.1', 'the window at the beginning is 65,535 bytes, of a stream and of the connection', [request(1, '/size/100000'), read, read], ignored), also: (wire) => {
    const sent = wire.frames.filter(({ type }) => type === TYPE.DATA).reduce((sum, { payload }) => sum + payload.length, 0)
    assert.equal(sent, 65_535)
  } },
  { ...row('5.2.1', 'only DATA is flow controlled: heads come with no window at all', [request(1, '/status/204')], answered(1, 204, '')), settings: [[SETTING.INITIAL_WINDOW_SIZE, 0]] },
  { ...row('5.2.2', 'what comes is read at once: an answer that waits for a window holds up no other', [
    request(1, '/size/100000'), read, request(3, '/status/204'), whole(3), ping(), windowUpdate(1, 100_000), windowUpdate(0, 100_000),
  ], answered(1, 200, null)) },
  other('5.2.3', 'timely WINDOW_UPDATE', 'advice about performance; that bodies go on arriving is in 6.9'),
  other('5.3.1', 'the priority scheme of RFC 7540', 'history; no requirement'),
  row('5.3.2', 'priority signals of RFC 7540 may be ignored and are no error', [
    priority(1, 0), priority(11, 7), priority(13, 11), frame(TYPE.HEADERS, WHOLE | FLAG.PRIORITY, 15, Buffer.concat([dependency(11, 255, true), block(...requestFields())])),
  ], answered(15)),
  row('5.3.2', 'a stream that depends on itself is one of RFC 7540, PROTOCOL_ERROR there, and begun', [
    frame(TYPE.HEADERS, WHOLE | FLAG.PRIORITY, 3, Buffer.concat([dependency(3), block(...requestFields())])), reset(3), windowUpdate(3, 5), request(5),
  ], streamError(3, 'PROTOCOL_ERROR'), answered(3)),
  { ...row('5.4.1', 'GOAWAY names the last stream, and the connection is closed', [request(1), request(3), whole(3), data(0)], connectionError('PROTOCOL_ERROR')), also: (wire) => assert.equal(wire.goaway?.last, 3) },
  { ...row('5.4.1', 'a connection error that follows other frames in one write is reported', [request(1), ping(), frame(TYPE.PING, 0, 0, 'short')], connectionError('FRAME_SIZE_ERROR')), also: (wire) => assert.equal(wire.goaway?.last, 1) },
  { ...row('5.4.1', 'frames behind a connection error are not looked at', [data(0), request(1, '/after')], connectionError('PROTOCOL_ERROR')), also: (_, server) => assert.ok(server.served.every(({ target }) => target !== '/after')) },
  row('5.4.2', 'a stream error leaves other streams alone', [post(1), post(3), windowUpdate(1, 0), data(3, 'ok', FLAG.END_STREAM)], answered(3)),
  row('5.4.2', 'frames that were on their way are taken after a stream error', [
    post(1), windowUpdate(1, 0), data(1, 'late'), windowUpdate(1, 5), data(1, 'later', FLAG.END_STREAM),
  ], streamError(1, 'PROTOCOL_ERROR')),
  row('5.4.2', 'RST_STREAM on a stream that we reset is not answered', [post(1), windowUpdate(1, 0), read, reset(1), read], streamError(1, 'PROTOCOL_ERROR')),
  watched('5.4.2', 'RST_STREAM is never answered with RST_STREAM', 'reset-for-reset'),
  other('5.4.3', 'what becomes of streams when TCP ends', 'a rule for clients that try again'),
  watched('5.5', 'only frame types that are known are sent', 'known-type'),
  row('5.5', 'unknown settings are ignored', [settings([[0x99, 7], [0xffff, 0xff_ff_ff_ff], [0, 1]]), request(1)], answered()),
  row('5.5', 'unknown frames are discarded, also on half-closed streams', [request(1, '/hold'), frame(0x42, 0xff, 1, 'x'), request(3)], answered(3)),
  row('5.5', 'an unknown frame in a field block is a connection error', [headers(1, [], FLAG.END_STREAM), frame(0x42, 0, 1, 'x')], connectionError('PROTOCOL_ERROR')),
  row('5.5', 'one between CONTINUATIONs is one too', [headers(1, [], FLAG.END_STREAM), continuation(1, [], 0), frame(0x42, 0, 0)], connectionError('PROTOCOL_ERROR')),
  row('5.5', 'extensions that are registered and not negotiated are ignored: ALTSVC, ORIGIN, a PRIORITY_UPDATE', [
    frame(10, 0, 0, [0, 0]), frame(12, 0, 0), frame(TYPE.PRIORITY_UPDATE, 0, 0, Buffer.concat([Buffer.from([0, 0, 0, 1]), Buffer.from('u=1')])), request(1),
  ], answered()),
  row('5.5', 'an extension that changes the protocol needs a setting of both: extended CONNECT is malformed without', [
    headers(1, block([':method', 'CONNECT'], [':protocol', 'websocket'], [':scheme', 'https'], [':authority', 'localhost'], [':path', '/'])),
  ], { kind: 'malformed', stream: 1 }),
  row('5.4.1', 'GOAWAY of the client does not end what it has asked for', [request(1), goaway(0), request(3)], answered(1)),
] // biome-ignore format: a table
