//! RFC 9113 6.9: WINDOW_UPDATE and the arithmetic of windows, both ways.
import assert from 'node:assert/strict'
import { patterned } from '../../../support/http2-answers.ts'
import {
  DEFAULT_WINDOW,
  data,
  FLAG,
  frame,
  MAX_WINDOW,
  padded,
  readSettings,
  SETTING,
  settings,
  TYPE,
  windowUpdate,
} from '../../../support/http2-frames.ts'
import { type Http2Wire, post, request } from '../../../support/http2-wire.ts'
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
} from './row.ts'

const END = FLAG.END_STREAM
/** Bytes of DATA that have come on a stream. */
const came = (wire: Http2Wire, on: number): number =>
  wire.frames
    .filter(({ type, stream }) => type === TYPE.DATA && stream === on)
    .reduce((sum, { payload }) => sum + payload.length, 0)
const exactly =
  (on: number, bytes: number): Row['also'] =>
  (wire) =>
    assert.equal(came(wire, on), bytes)
const until = (on: number, bytes: number) => (wire: Http2Wire) =>
  wire.until(() => came(wire, on) >= bytes, `${bytes} bytes`)
const wholeBody =
  (on: number, bytes: number): Row['also'] =>
  (wire) =>
    assert.ok(wire.answer(on)!.body.equals(patterned(bytes)))

/** What the server lets a client send: its INITIAL_WINDOW_SIZE, and what it has added to the connection. */
const theirWindows = (wire: Http2Wire): { stream: number; connection: number } => {
  const first = wire.frames.find(({ type, flags }) => type === TYPE.SETTINGS && flags === 0)
  const stream = readSettings(first!.payload).find(([id]) => id === SETTING.INITIAL_WINDOW_SIZE)?.[1] ?? DEFAULT_WINDOW
  const more = wire.frames
    .filter((of) => of.type === TYPE.WINDOW_UPDATE && of.stream === 0)
    .map(({ payload }) => payload.readUInt32BE())
  return { stream, connection: DEFAULT_WINDOW + more.reduce((sum, one) => sum + one, 0) }
}
const pieces = (bytes: number): number[] => {
  const sizes = Array.from({ length: Math.floor(bytes / 16_384) }, () => 16_384)
  return bytes % 16_384 === 0 ? sizes : [...sizes, bytes % 16_384]
}
/** More DATA than the window of the stream, at once: no WINDOW_UPDATE can come in time to a handler that does not read. */
const overStreamWindow = (wire: Http2Wire): void => {
  const { stream } = theirWindows(wire)
  wire.send(post(1, '/hold'), ...pieces(stream).map((size) => data(1, Buffer.alloc(size))), data(1, 'x'))
}
/** Many streams, none over its own window, together over that of the connection. */
const overConnectionWindow = (wire: Http2Wire): void => {
  const { stream, connection } = theirWindows(wire)
  const frames: Buffer[] = []
  for (let id = 1, left = connection + 1; left > 0; id += 2) {
    const share = Math.min(left, stream)
    frames.push(post(id, '/hold'), ...pieces(share).map((size) => data(id, Buffer.alloc(size))))
    left -= share
  }
  wire.send(...frames)
}

const small = (window: number, ...send: Row['send']): Pick<Row, 'settings' | 'send'> => ({
  settings: [[SETTING.INITIAL_WINDOW_SIZE, window]],
  send,
})

const UPDATES: readonly AnyRow[] = [
  row('6.9', 'WINDOW_UPDATE of 0 on a stream is a stream error', [post(1), windowUpdate(1, 0)], streamError(1, 'PROTOCOL_ERROR')),
  row('6.9', 'WINDOW_UPDATE of 0 on the connection is a connection error', [windowUpdate(0, 0)], connectionError('PROTOCOL_ERROR')),
  row('6.9', 'an increment whose reserved bit alone is set is 0', [windowUpdate(0, 0x80_00_00_00)], connectionError('PROTOCOL_ERROR')),
  row('6.9', 'WINDOW_UPDATE on a half-closed (remote) stream is no error', [request(1, '/hold'), windowUpdate(1, 5)], ignored),
  row('6.9', 'WINDOW_UPDATE on a closed stream is no error', [request(1), (wire) => wire.answered(1), windowUpdate(1, 5), windowUpdate(1, MAX_WINDOW)], ignored),
  row('6.9', 'WINDOW_UPDATE on an idle stream of the server is a connection error', [request(5, '/hold'), windowUpdate(2, 5)], connectionError('PROTOCOL_ERROR')),
  row('6.9', 'WINDOW_UPDATE on an idle stream is a connection error', [windowUpdate(3, 5)], connectionError('PROTOCOL_ERROR')),
  row('6.9', 'WINDOW_UPDATE of another length than 4 is a connection error: 3', [frame(TYPE.WINDOW_UPDATE, 0, 0, Buffer.alloc(3))], connectionError('FRAME_SIZE_ERROR')),
  row('6.9', 'WINDOW_UPDATE of another length than 4 is a connection error: 5, on a stream', [request(1, '/hold'), frame(TYPE.WINDOW_UPDATE, 0, 1, Buffer.alloc(5))], connectionError('FRAME_SIZE_ERROR')),
  watched('6.9', 'increments are 1 to 2^31-1', 'window-increment'),
  row('6.9', 'DATA in error still counts against the window of the connection, which is given back', [
    post(1), windowUpdate(1, 0), read,
    async (wire) => {
      const most = 3 * theirWindows(wire).connection
      for (let sent = 0; sent < most; sent += 16_384) {
        assert.ok(await wire.until(() => theirWindows(wire).connection - sent >= 16_384, 'the window of the connection'), wire.told())
        wire.send(data(1, Buffer.alloc(16_384)))
      }
    },
  ], streamError(1, 'PROTOCOL_ERROR')),
] // biome-ignore format: a table

const WINDOWS: readonly AnyRow[] = [
  watched('6.9.1', 'no DATA is longer than the window of its stream', 'stream-window'),
  watched('6.9.1', 'no DATA is longer than the window of the connection', 'connection-window'),
  { ...row('6.9.1', 'a window of 1 lets 1 byte through', []), ...small(1, request(1, '/size/10'), read, read), expect: [ignored], also: exactly(1, 1) },
  { ...row('6.9.1', 'each WINDOW_UPDATE lets through what it adds', []), ...small(0, request(1, '/size/10'), read, windowUpdate(1, 3), until(1, 3), windowUpdate(1, 4), until(1, 7), read), expect: [ignored], also: exactly(1, 7) },
  { ...row('6.9.1', 'a body comes whole byte by byte', []), ...small(0, request(1, '/size/20'), ...Array.from({ length: 20 }, (_, at) => [windowUpdate(1, 1), until(1, at + 1)]).flat()), expect: [answered(1, 200, null)], also: wholeBody(1, 20) },
  { ...row('6.9.1', 'a body without bytes ends without a window', []), ...small(0, request(1, '/size/0')), expect: [answered(1, 200, '')] },
  { ...row('6.9.1', 'the end of a streamed body needs no window', []), ...small(5, request(1, '/stream/5')), expect: [answered(1, 200, null)] },
  { ...row('6.9.1', 'trailers need no window', []), ...small(2, request(1, '/trailers')), expect: [answered()], also: (wire) => assert.equal(wire.answer(1)!.trailers?.length, 2) },
  row('6.9.1', 'the window of a stream may be 2^31-1', [request(1, '/hold'), windowUpdate(1, MAX_WINDOW - DEFAULT_WINDOW)], ignored),
  row('6.9.1', 'one byte more is FLOW_CONTROL_ERROR of the stream', [request(1, '/hold'), windowUpdate(1, MAX_WINDOW - DEFAULT_WINDOW), windowUpdate(1, 1)], streamError(1, 'FLOW_CONTROL_ERROR')),
  row('6.9.1', 'in one step too', [request(1, '/hold'), windowUpdate(1, MAX_WINDOW)], streamError(1, 'FLOW_CONTROL_ERROR')),
  row('6.9.1', 'on a stream that still sends its body too', [post(1), windowUpdate(1, MAX_WINDOW)], streamError(1, 'FLOW_CONTROL_ERROR')),
  row('6.9.1', 'the window of the connection may be 2^31-1', [windowUpdate(0, MAX_WINDOW - DEFAULT_WINDOW), request(1)], answered(), connectionError('FLOW_CONTROL_ERROR')),
  row('6.9.1', 'one byte more is FLOW_CONTROL_ERROR of the connection', [windowUpdate(0, MAX_WINDOW - DEFAULT_WINDOW), windowUpdate(0, 1)], connectionError('FLOW_CONTROL_ERROR')),
  row('6.9.1', 'in one step too', [windowUpdate(0, MAX_WINDOW)], connectionError('FLOW_CONTROL_ERROR')),
  row('6.9.1', 'DATA over the window of a stream is refused', [read, overStreamWindow], streamError(1, 'FLOW_CONTROL_ERROR'), connectionError('FLOW_CONTROL_ERROR')),
  row('6.9.1', 'DATA over the window of the connection is refused', [read, overConnectionWindow], connectionError('FLOW_CONTROL_ERROR')),
  row('6.9.1', 'padding counts against the windows: what it took is given back', [
    read,
    async (wire) => {
      wire.send(post(1, '/echo'))
      const { stream, connection } = theirWindows(wire)
      const added = (on: number) => wire.frames.filter((of) => of.type === TYPE.WINDOW_UPDATE && of.stream === on).reduce((sum, { payload }) => sum + payload.readUInt32BE(), 0)
      const [before] = [added(0)]
      let sent = 0
      // Two windows of padding, as fast as they are given back.
      while (sent < 2 * Math.min(stream, connection)) {
        const allowed = () => Math.min(stream + added(1), connection + added(0) - before) - sent
        assert.ok(await wire.until(() => allowed() >= 272, 'a window'), wire.told())
        const count = Math.min(64, Math.floor(allowed() / 272))
        wire.send(...Array.from({ length: count }, () => data(1, padded('x'.repeat(16), 255), FLAG.PADDED)))
        sent += count * 272
      }
      wire.send(data(1, 'ok', END))
    },
  ], answered(1, 200, null)),
] // biome-ignore format: a table

const INITIAL: readonly AnyRow[] = [
  { ...row('6.9.2', 'a larger initial window opens streams that wait', []), ...small(0, windowUpdate(0, 100_000), request(1, '/size/1000'), read, settings([[SETTING.INITIAL_WINDOW_SIZE, 1_000]])), expect: [answered(1, 200, null)] },
  { ...row('6.9.2', 'a smaller one takes from streams that are open, below zero too', []), ...small(1_000,
    request(1, '/size/5000'), until(1, 1_000), settings([[SETTING.INITIAL_WINDOW_SIZE, 200]]), read, windowUpdate(1, 800), read, read), expect: [ignored], also: exactly(1, 1_000) },
  { ...row('6.9.2', 'once it is above zero again, no more than that comes', []), ...small(1_000,
    request(1, '/size/5000'), until(1, 1_000), settings([[SETTING.INITIAL_WINDOW_SIZE, 0]]), read, windowUpdate(1, 1_007), until(1, 1_007), read), expect: [ignored], also: exactly(1, 1_007) },
  { ...row('6.9.2', 'SETTINGS do not change the window of the connection', []), ...small(MAX_WINDOW, request(1, '/size/100000'), until(1, DEFAULT_WINDOW), read), expect: [ignored], also: exactly(1, DEFAULT_WINDOW) },
  { ...row('6.9.2', 'a change that brings a window over 2^31-1 is a connection error', []), ...small(100, request(1, '/hold'), windowUpdate(1, MAX_WINDOW - 100), settings([[SETTING.INITIAL_WINDOW_SIZE, 101]])), expect: [connectionError('FLOW_CONTROL_ERROR')] },
  { ...row('6.9.2', 'to 2^31-1 exactly it is none', []), ...small(100, request(1, '/hold'), windowUpdate(1, MAX_WINDOW - 101), settings([[SETTING.INITIAL_WINDOW_SIZE, 101]])), expect: [ignored] },
  { ...row('6.9.2', 'before SETTINGS come the window is 65,535', [request(1, '/size/70000'), until(1, DEFAULT_WINDOW), read], ignored), also: exactly(1, DEFAULT_WINDOW) },
  other('6.9.3', 'a receiver that reduces its window must still take what was sent before', 'the server sends its SETTINGS once, before any stream'),
] // biome-ignore format: a table

export const FLOW_CONTROL: readonly AnyRow[] = [...UPDATES, ...WINDOWS, ...INITIAL]
