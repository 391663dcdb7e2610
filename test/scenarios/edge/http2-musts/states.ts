//! RFC 9113 5.1: what each frame does in each state that a stream can have at a server. Reserved states need a push, which
//! nobody sends here.
import {
  continuation,
  data,
  dependency,
  FLAG,
  frame,
  headers,
  reset,
  TYPE,
  windowUpdate,
} from '../../../support/http2-frames.ts'
import { block } from '../../../support/http2-hpack.ts'
import { post, request, requestFields } from '../../../support/http2-wire.ts'
import {
  type AnyRow,
  answered,
  connectionError,
  type Expected,
  ignored,
  other,
  read,
  row,
  type Step,
  streamError,
  whole,
} from './row.ts'

const FRAMES = {
  DATA: data(1, 'x'),
  'DATA with END_STREAM': data(1, 'ok', FLAG.END_STREAM),
  HEADERS: headers(1, block(...requestFields()), FLAG.END_HEADERS),
  'trailers with END_STREAM': headers(1, block(['x-checksum', '1'])),
  PRIORITY: frame(TYPE.PRIORITY, 0, 1, dependency(0)),
  RST_STREAM: reset(1),
  SETTINGS: frame(TYPE.SETTINGS, 0, 1),
  PUSH_PROMISE: frame(TYPE.PUSH_PROMISE, FLAG.END_HEADERS, 1, Buffer.concat([Buffer.from([0, 0, 0, 2]), block(...requestFields())])),
  PING: frame(TYPE.PING, 0, 1, '12345678'),
  GOAWAY: frame(TYPE.GOAWAY, 0, 1, Buffer.alloc(8)),
  WINDOW_UPDATE: windowUpdate(1, 10),
  CONTINUATION: continuation(1, block(['x', 'y'])),
  unknown: frame(0xbe, 0, 1, 'x'),
} as const // biome-ignore format: a table
type FrameName = keyof typeof FRAMES

/** What brings stream 1 into a state. */
const STATES = {
  idle: [],
  open: [post(1, '/echo')],
  'half-closed (remote)': [request(1, '/hold')],
  'half-closed (local)': [post(1, '/early'), (wire) => wire.until(() => (wire.answer(1)?.ended ?? false) || wire.answer(1)?.reset === 0, 'the answer')],
  'closed by both ends': [request(1), whole(1)],
  'closed by our RST_STREAM': [request(1, '/hold'), read, reset(1), read],
  'closed by its RST_STREAM': [post(1, '/hold'), windowUpdate(1, 0), read],
} as const satisfies Record<string, readonly Step[]> // biome-ignore format: a table
type State = keyof typeof STATES

const PROTOCOL = [connectionError('PROTOCOL_ERROR')]
/** Of stream 0 alone, or never of a client, whatever the state. */
const ALWAYS: Partial<Record<FrameName, readonly Expected[]>> = {
  SETTINGS: PROTOCOL,
  PUSH_PROMISE: PROTOCOL,
  PING: PROTOCOL,
  GOAWAY: PROTOCOL,
  CONTINUATION: PROTOCOL,
}
const CLOSED = [streamError(1, 'STREAM_CLOSED'), connectionError('STREAM_CLOSED')]
/** 5.1 "closed": a connection error is allowed, and so is to take it without a word. */
const CLOSED_OR_TAKEN = [connectionError('STREAM_CLOSED'), ignored, streamError(1, 'STREAM_CLOSED')]
const NOTHING = [ignored]
/** RST_STREAM(PROTOCOL_ERROR) that brought it there, and no other. */
const AS_IT_WAS = [streamError(1, 'PROTOCOL_ERROR')]

const OUTCOMES: Readonly<Record<State, Partial<Record<FrameName, readonly Expected[]>>>> = {
  idle: {
    DATA: PROTOCOL,
    'DATA with END_STREAM': PROTOCOL,
    'trailers with END_STREAM': [{ kind: 'malformed', stream: 1 }],
    HEADERS: NOTHING,
    PRIORITY: NOTHING,
    RST_STREAM: PROTOCOL,
    WINDOW_UPDATE: PROTOCOL,
    unknown: NOTHING,
  },
  open: {
    DATA: NOTHING,
    'DATA with END_STREAM': [answered()],
    HEADERS: [{ kind: 'malformed', stream: 1 }],
    'trailers with END_STREAM': [answered(1, 200, '')],
    PRIORITY: NOTHING,
    RST_STREAM: NOTHING,
    WINDOW_UPDATE: NOTHING,
    unknown: NOTHING,
  },
  'half-closed (remote)': {
    DATA: [streamError(1, 'STREAM_CLOSED')],
    'DATA with END_STREAM': [streamError(1, 'STREAM_CLOSED')],
    HEADERS: CLOSED,
    'trailers with END_STREAM': CLOSED,
    PRIORITY: NOTHING,
    RST_STREAM: NOTHING,
    WINDOW_UPDATE: NOTHING,
    unknown: NOTHING,
  },
  // The server has answered and the client goes on sending: whatever the server does with the rest of the body, it has
  // told the client nothing else than that (RST_STREAM with NO_ERROR, 8.1), or takes it.
  'half-closed (local)': {
    DATA: [answered()],
    'DATA with END_STREAM': [answered()],
    'trailers with END_STREAM': [answered()],
    PRIORITY: [answered()],
    RST_STREAM: [answered()],
    WINDOW_UPDATE: [answered()],
    unknown: [answered()],
  },
  'closed by both ends': {
    DATA: CLOSED,
    'DATA with END_STREAM': CLOSED,
    HEADERS: CLOSED,
    'trailers with END_STREAM': CLOSED,
    PRIORITY: NOTHING,
    RST_STREAM: NOTHING,
    WINDOW_UPDATE: NOTHING,
    unknown: NOTHING,
  },
  // It was closed by us: 5.1 lets the server take it for a connection error, 6.1 for a stream error.
  'closed by our RST_STREAM': {
    DATA: CLOSED_OR_TAKEN,
    'DATA with END_STREAM': CLOSED_OR_TAKEN,
    HEADERS: CLOSED,
    'trailers with END_STREAM': CLOSED,
    PRIORITY: NOTHING,
    RST_STREAM: NOTHING,
    WINDOW_UPDATE: NOTHING,
    unknown: NOTHING,
  },
  // Frames that we sent before we knew are taken.
  'closed by its RST_STREAM': {
    DATA: AS_IT_WAS,
    'DATA with END_STREAM': AS_IT_WAS,
    'trailers with END_STREAM': AS_IT_WAS,
    PRIORITY: AS_IT_WAS,
    RST_STREAM: AS_IT_WAS,
    WINDOW_UPDATE: AS_IT_WAS,
    unknown: AS_IT_WAS,
  },
}

const stateRows = (state: State): AnyRow[] =>
  Object.entries({ ...OUTCOMES[state], ...ALWAYS }).map(([name, expect]) =>
    row('5.1', `${name} on a stream that is ${state}`, [...STATES[state], FRAMES[name as FrameName]], ...expect),
  )

export const STATE_TABLE: readonly AnyRow[] = [
  ...(Object.keys(STATES) as State[]).flatMap(stateRows),
  other('5.1', 'reserved (local) and reserved (remote)', 'a stream is reserved by PUSH_PROMISE, which this server neither sends nor takes'),
] // biome-ignore format: a table
