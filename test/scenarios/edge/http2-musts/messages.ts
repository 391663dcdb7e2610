//! RFC 9113 section 8: HTTP in HTTP/2.
import assert from 'node:assert/strict'
import {
  continuation,
  data,
  FLAG,
  frame,
  headers,
  reset,
  SETTING,
  TYPE,
  windowUpdate,
} from '../../../support/http2-frames.ts'
import { block, type Field } from '../../../support/http2-hpack.ts'
import type { Http2Wire } from '../../../support/http2-wire.ts'
import { post, request, requestFields } from '../../../support/http2-wire.ts'
import {
  type AnyRow,
  answered,
  malformed,
  other,
  type Row,
  read,
  refused,
  row,
  streamError,
  watched,
  whole,
} from './row.ts'

const END = FLAG.END_STREAM
/** A whole request with these fields behind the pseudo-header fields. */
const withFields = (...fields: readonly Field[]): Buffer => request(1, '/', undefined, fields)
/** A whole request of these fields alone. */
const only = (...fields: readonly Field[]): Buffer => headers(1, block(...fields))
const METHOD: Field = [':method', 'GET']
const SCHEME: Field = [':scheme', 'https']
const AUTHORITY: Field = [':authority', 'localhost']
const PATH: Field = [':path', '/']

interface Seen {
  readonly method: string
  readonly target: string
  readonly fields: readonly string[]
}
const seen = (wire: Http2Wire, stream = 1): Seen => JSON.parse(wire.answer(stream)!.body.toString()) as Seen
const field = ({ fields }: Seen, name: string): string[] =>
  fields.filter((_, at) => at % 2 === 1 && fields[at - 1]!.toLowerCase() === name)
const sees =
  (name: string, values: readonly string[]): Row['also'] =>
  (wire) =>
    assert.deepEqual(field(seen(wire), name), values)
const target =
  (path: string): Row['also'] =>
  (wire) =>
    assert.equal(seen(wire).target, path)

const FRAMING: readonly AnyRow[] = [
  row('8.1', 'a request may be HEADERS alone', [request(1)], answered()),
  row('8.1', 'HEADERS, DATA, DATA', [post(1), data(1, 'o'), data(1, 'k', END)], answered()),
  row('8.1', 'HEADERS, DATA, trailers', [post(1), data(1, 'ok'), headers(1, block(['x-checksum', '1']))], answered()),
  row('8.1', 'HEADERS and trailers', [post(1), headers(1, block(['x-checksum', '1']))], answered(1, 200, '')),
  row('8.1', 'requests may be interleaved', [post(1), post(3), data(3, 'o'), data(1, 'o'), data(3, 'k', END), data(1, 'k', END), whole(1)], answered(3)),
  row('8.1', 'trailers with a pseudo-header field are malformed', [post(1), data(1, 'x'), headers(1, block([':path', '/']))], malformed()),
  row('8.1', 'trailers that do not end the stream are malformed', [post(1), data(1, 'x'), headers(1, block(['x', 'y']), FLAG.END_HEADERS)], malformed()),
  row('8.1', 'nothing follows trailers', [post(1, '/hold'), headers(1, block(['x', 'y'])), data(1, 'x')], streamError(1, 'STREAM_CLOSED')),
  watched('8.1', 'an answer is interim heads, one head, DATA, at most one trailer section', 'message-order'),
  watched('8.1', 'an interim head does not end the stream', 'interim-end'),
  watched('8.1', 'trailers end the stream and have no pseudo-header field', 'trailer-end'),
  { ...row('8.1', 'interim heads come before the answer', [request(1, '/hints')], answered()), also: (wire) => assert.equal(wire.answer(1)!.interim.length, 1) },
  { ...row('8.1', 'trailers of an answer come in a HEADERS frame', [request(1, '/trailers')], answered()), also: (wire) => assert.deepEqual(wire.answer(1)!.trailers, [['x-checksum', '1'], ['x-second', '2']]) },
  { ...row('8.1', 'an answer that is whole before the request may end it with NO_ERROR, and with nothing else', [post(1, '/early'), whole(1), read, read], answered()), also: (wire) => assert.ok([null, 0].includes(wire.answer(1)!.reset), `${wire.answer(1)!.reset}`) },
  row('8.1', 'an answer that comes before the body is not lost when the body goes on', [post(1, '/early'), ...Array.from({ length: 20 }, () => data(1, Buffer.alloc(1_000))), data(1, '', END)], answered()),
] // biome-ignore format: a table

const withLength = (length: string, method = 'POST'): Buffer => headers(1, block(...requestFields('/echo', method, [['content-length', length]])), FLAG.END_HEADERS) // biome-ignore format: one line
const MALFORMED: readonly AnyRow[] = [
  row('8.1.1', 'content-length is the sum of DATA', [withLength('2'), data(1, 'o'), data(1, 'k', END)], answered()),
  row('8.1.1', 'padding does not count', [withLength('2'), data(1, Buffer.concat([Buffer.from([9]), Buffer.from('ok'), Buffer.alloc(9)]), END | FLAG.PADDED)], answered()),
  row('8.1.1', 'less DATA than content-length is malformed', [withLength('5'), data(1, 'ok', END)], malformed()),
  row('8.1.1', 'less with trailers too', [withLength('5'), data(1, 'ok'), headers(1, block(['x', 'y']))], malformed()),
  row('8.1.1', 'more DATA than content-length is malformed', [withLength('1'), data(1, 'ok', END)], malformed()),
  row('8.1.1', 'more in a second frame too', [withLength('2'), data(1, 'ok'), data(1, 'x', END)], malformed()),
  row('8.1.1', 'content-length without a body is malformed', [headers(1, block(...requestFields('/', 'POST', [['content-length', '5']])))], malformed()),
  row('8.1.1', 'content-length 0 without a body is right', [headers(1, block(...requestFields('/echo', 'POST', [['content-length', '0']])))], answered(1, 200, '')),
  row('8.1.1', 'content-length 0 with DATA is malformed', [withLength('0'), data(1, 'x', END)], malformed()),
  ...['abc', '-1', '+5', '5, 5', '5 5', '0x5', '1e1', '99999999999999999999', ''].map((length) =>
    row('8.1.1', `content-length "${length}" is malformed`, [withLength(length), data(1, 'hello', END)], refused())),
  row('8.1.1', 'two content-lengths that differ are malformed', [headers(1, block(...requestFields('/echo', 'POST', [['content-length', '5'], ['content-length', '6']])), FLAG.END_HEADERS), data(1, 'hello', END)], refused()),
  watched('8.1.1', "an answer's content-length is the sum of its DATA", 'content-length'),
  row('8.1.1', 'an answer without content may have a content-length: HEAD', [headers(1, block(...requestFields('/size/100', 'HEAD')))], answered(1, 200, '')),
  row('8.1.1', 'an answer without content: 304', [request(1, '/status/304')], answered(1, 304, '')),
  row('8.1.1', 'an answer without content: 204', [request(1, '/status/204')], answered(1, 204, '')),
] // biome-ignore format: a table

const code = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`
/** One of each range at its ends, and what matters for HTTP/1.1 behind us. */
const BAD_IN_NAME = [0x00, 0x01, 0x09, 0x0a, 0x0d, 0x1f, 0x20, 0x3a, 0x41, 0x5a, 0x7f, 0x80, 0xff]
/** Delimiters that RFC 9110 5.1 does not allow in a token (SHOULD of 8.2.1). */
const NOT_IN_TOKEN = ['"', '(', ')', ',', '/', ';', '<', '=', '>', '?', '@', '[', '\\', ']', '{', '}']
const BAD_IN_VALUE = [0x00, 0x0a, 0x0d]
/** RFC 9110 5.5 forbids other controls (SHOULD of 8.2.1). */
const CONTROLS = [0x01, 0x08, 0x0b, 0x0c, 0x1f, 0x7f]
const FIELDS: readonly AnyRow[] = [
  watched('8.2', 'field names are in lower case when sending', 'field-names'),
  row('8.2', 'a field name with a capital is malformed', [withFields(['X-Upper', 'x'])], malformed()),
  row('8.2', 'a pseudo-header field with a capital is malformed', [only([':Method', 'GET'], SCHEME, AUTHORITY, PATH)], malformed()),
  ...BAD_IN_NAME.map((byte) => row('8.2.1', `a field name with ${code(byte)} is malformed`, [withFields([`x${String.fromCharCode(byte)}y`, 'v'])], malformed())),
  ...NOT_IN_TOKEN.map((char) => row('8.2.1', `a field name with ${char} is malformed`, [withFields([`x${char}y`, 'v'])], malformed())),
  row('8.2.1', 'a field without a name is malformed', [withFields(['', 'v'])], malformed()),
  row('8.2.1', 'every character of a token may be in a field name', [withFields(["!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz", 'v'])], answered()),
  ...BAD_IN_VALUE.flatMap((byte) => [`${String.fromCharCode(byte)}v`, `v${String.fromCharCode(byte)}v`, `v${String.fromCharCode(byte)}`].map((value, at) =>
    row('8.2.1', `a field value with ${code(byte)} ${['first', 'within', 'last'][at]} is malformed`, [withFields(['x', value])], malformed()))),
  ...CONTROLS.map((byte) => row('8.2.1', `a field value with ${code(byte)} is malformed`, [withFields(['x', `v${String.fromCharCode(byte)}v`])], malformed())),
  ...[' v', '\tv', 'v ', 'v\t', ' '].map((value) => row('8.2.1', `a field value with a blank at an end is malformed: ${JSON.stringify(value)}`, [withFields(['x', value])], malformed())),
  { ...row('8.2.1', 'blanks within a value, an empty value and bytes above 0x7f are right', [request(1, '/seen', undefined, [['x', 'a\tb c'], ['y', ''], ['z', '\x80\xff']])], answered(1, 200, null)), also: (wire) => {
    sees('x', ['a\tb c'])!(wire, undefined as never)
    sees('y', [''])!(wire, undefined as never)
  } },
  row('8.2.1', 'a line break that would make another field of HTTP/1.1 is malformed', [withFields(['x', 'a\r\nx-injected: 1'])], malformed()),
  row('8.2.1', 'a line break in the path is malformed', [only(METHOD, SCHEME, AUTHORITY, [':path', '/ HTTP/1.1\r\nx: y'])], refused()),
  row('8.2.1', 'a line break in the authority is malformed', [only(METHOD, SCHEME, [':authority', 'localhost\r\nx: y'], PATH)], refused()),
  row('8.2.1', 'a line break in the method is malformed', [only([':method', 'GET / HTTP/1.1\r\nx: y'], SCHEME, AUTHORITY, PATH)], refused()),
  row('8.2.1', 'trailers are held to it too: the name', [post(1), data(1, 'ok'), headers(1, block(['X-Upper', '1']))], malformed()),
  row('8.2.1', 'trailers are held to it too: the value', [post(1), data(1, 'ok'), headers(1, block(['x', 'a\nb']))], malformed()),
  watched('8.2.1', 'field values that are sent have no NUL, CR, LF, nor blanks at their ends', 'field-values'),
  watched('8.2.2', 'no field that is sent is specific to a connection', 'no-connection-fields'),
  ...[['connection', 'keep-alive'], ['connection', 'close'], ['proxy-connection', 'keep-alive'], ['keep-alive', 'timeout=5'], ['transfer-encoding', 'chunked'], ['transfer-encoding', 'identity'], ['upgrade', 'websocket'], ['upgrade', 'h2c'], ['te', 'gzip'], ['te', 'trailers, deflate'], ['te', 'trailers;q=1']].map(([name, value]) =>
    row('8.2.2', `${name}: ${value} is malformed`, [withFields([name!, value!])], malformed())),
  row('8.2.2', 'te: trailers is right', [withFields(['te', 'trailers'])], answered()),
  row('8.2.2', 'a connection field in trailers is malformed', [post(1), data(1, 'ok'), headers(1, block(['transfer-encoding', 'chunked']))], malformed()),
  { ...row('8.2.3', 'crumbs of cookies are put together with "; "', [request(1, '/seen', undefined, [['cookie', 'a=b'], ['x', 'y'], ['cookie', 'c=d'], ['cookie', 'e=f; g=h']])], answered(1, 200, null)), also: sees('cookie', ['a=b; c=d; e=f; g=h']) },
  { ...row('8.2.3', 'one cookie field stays as it is', [request(1, '/seen', undefined, [['cookie', 'a=b; c=d']])], answered(1, 200, null)), also: sees('cookie', ['a=b; c=d']) },
] // biome-ignore format: a table

const CONTROL_DATA: readonly AnyRow[] = [
  row('8.3', 'an undefined pseudo-header field is malformed', [only(METHOD, SCHEME, AUTHORITY, PATH, [':test', 'x'])], malformed()),
  row('8.3', 'a pseudo-header field of answers is malformed in a request', [only(METHOD, SCHEME, AUTHORITY, PATH, [':status', '200'])], malformed()),
  row('8.3', 'a pseudo-header field without a name is malformed', [only(METHOD, SCHEME, AUTHORITY, PATH, [':', 'x'])], malformed()),
  ...[METHOD, SCHEME, AUTHORITY, PATH].flatMap((last) => [
    row('8.3', `${last[0]} behind a regular field is malformed`, [only(...[METHOD, SCHEME, AUTHORITY, PATH].filter((of) => of !== last), ['x', 'y'], last)], malformed()),
    row('8.3', `${last[0]} twice is malformed`, [only(METHOD, SCHEME, AUTHORITY, PATH, last)], malformed()),
  ]),
  row('8.3', 'the order of pseudo-header fields does not matter', [only(PATH, AUTHORITY, SCHEME, METHOD)], answered()),
  ...[METHOD, SCHEME, PATH].map((missing) =>
    row('8.3.1', `a request without ${missing[0]} is malformed`, [only(...[METHOD, SCHEME, AUTHORITY, PATH].filter((of) => of !== missing))], malformed())),
  row('8.3.1', 'a request without a field at all is malformed', [headers(1, [])], malformed()),
  row('8.3.1', 'an empty :path is malformed', [only(METHOD, SCHEME, AUTHORITY, [':path', ''])], malformed()),
  row('8.3.1', 'an empty :method is malformed', [only([':method', ''], SCHEME, AUTHORITY, PATH)], refused()),
  row('8.3.1', 'a :method that is no token is malformed', [only([':method', 'G T'], SCHEME, AUTHORITY, PATH)], refused()),
  row('8.3.1', 'an empty :scheme is malformed', [only(METHOD, [':scheme', ''], AUTHORITY, PATH)], refused()),
  row('8.3.1', 'a :path without a slash is malformed', [only(METHOD, SCHEME, AUTHORITY, [':path', 'x'])], refused()),
  row('8.3.1', 'an absolute URL is no :path', [only(METHOD, SCHEME, AUTHORITY, [':path', 'https://localhost/'])], refused()),
  row('8.3.1', 'a :path with a blank is malformed', [only(METHOD, SCHEME, AUTHORITY, [':path', '/a b'])], refused()),
  row('8.3.1', 'a :path with a fragment is malformed', [only(METHOD, SCHEME, AUTHORITY, [':path', '/a#b'])], refused()),
  row('8.3.1', ':path * is for OPTIONS alone', [only(METHOD, SCHEME, AUTHORITY, [':path', '*'])], refused()),
  { ...row('8.3.1', ':path is path and query as they are', [request(1, '/seen?a=b&c=%20//..;x')], answered(1, 200, null)), also: target('/seen?a=b&c=%20//..;x') },
  { ...row('8.3.1', ':authority becomes Host', [only(METHOD, SCHEME, [':authority', 'localhost:8443'], [':path', '/seen'])], answered(1, 200, null)), also: sees('host', ['localhost:8443']) },
  { ...row('8.3.1', 'a Host that says the same is one Host', [only(METHOD, SCHEME, AUTHORITY, [':path', '/seen'], ['host', 'localhost'])], answered(1, 200, null)), also: sees('host', ['localhost']) },
  { ...row('8.3.1', 'Host in the place of :authority is taken', [only(METHOD, SCHEME, [':path', '/seen'], ['host', 'localhost'])], answered(1, 200, null)), also: sees('host', ['localhost']) },
  row('8.3.1', 'neither :authority nor Host is malformed: the target has no authority', [only(METHOD, SCHEME, PATH)], refused()),
  row('8.3.1', 'a Host that says something else than :authority is malformed', [only(METHOD, SCHEME, AUTHORITY, PATH, ['host', 'other.example'])], refused()),
  row('8.3.1', 'two Hosts are malformed', [only(METHOD, SCHEME, PATH, ['host', 'localhost'], ['host', 'localhost'])], refused()),
  row('8.3.1', 'an :authority with user information is malformed', [only(METHOD, SCHEME, [':authority', 'user:pass@localhost'], PATH)], refused()),
  row('8.3.1', 'an empty :authority is malformed', [only(METHOD, SCHEME, [':authority', ''], PATH)], refused()),
  row('8.3.1', 'an :authority with a path is malformed', [only(METHOD, SCHEME, [':authority', 'localhost/x'], PATH)], refused()),
  watched('8.3.2', ':status is there once, first, and no other pseudo-header field', 'status-alone'),
] // biome-ignore format: a table

const PUSH_REASON = 'this server pushes nothing (CloudFront does not either)'
const REST: readonly AnyRow[] = [
  row('8.4', 'PUSH_PROMISE of a client is a connection error', [post(1), frame(TYPE.PUSH_PROMISE, FLAG.END_HEADERS, 1, [0, 0, 0, 2])], { kind: 'connection-error', codes: ['PROTOCOL_ERROR'] }),
  watched('8.4', 'nothing is pushed', 'no-push'),
  other('8.4.1', 'promised requests are safe, cacheable, without content, for an authority of the server', PUSH_REASON),
  other('8.4.2', 'pushed answers', PUSH_REASON),
  row('8.5', 'CONNECT with :scheme and :path is malformed', [only([':method', 'CONNECT'], SCHEME, AUTHORITY, PATH)], refused()),
  row('8.5', 'CONNECT without :authority is malformed', [only([':method', 'CONNECT'])], refused()),
  // Well-formed, and of a method that CloudFront does not know: refused as one stream, never a tunnel.
  row('8.5', 'CONNECT as it should be opens no tunnel', [headers(1, block([':method', 'CONNECT'], [':authority', 'localhost:443']))], refused()),
  watched('8.6', 'there is no 101', 'no-101'),
  row('8.6', 'Upgrade is malformed', [withFields(['upgrade', 'websocket'])], malformed()),
  { ...row('8.7', 'REFUSED_STREAM is for requests that were not handed on', [
    read, (wire) => wire.send(...Array.from({ length: 178 }, (_, at) => request(2 * at + 1, `/hold?${at}`))), read,
  ], streamError(355, 'REFUSED_STREAM')), also: (wire, server) => {
    wire.send(reset(1))
    const refused = [...wire.observer.streams].filter(([, { answer }]) => answer.reset === 7).map(([id]) => `/hold?${(id - 1) / 2}`)
    assert.ok(refused.every((path) => server.served.every((one) => one.target !== path)), 'refused and handed on')
  } },
  other('8.8', 'examples', 'no requirement'),
  { ...row('8.1.1', 'a request that is reset by its viewer before its end is never a whole one', [post(1, '/echo?cut'), data(1, 'half'), read, reset(1), read], { kind: 'ignored' }), also: (_, server) => assert.ok(server.served.every((one) => one.target !== '/echo?cut')) },
  { ...row('8.1', 'a long answer is cut into DATA frames and is whole', [windowUpdate(0, 1_000_000), request(1, '/size/500000')], answered(1, 200, null)), settings: [[SETTING.INITIAL_WINDOW_SIZE, 1_000_000]], also: (wire) => assert.equal(wire.answer(1)!.body.length, 500_000) },
  { ...row('8.1', 'the body of a request that is refused may go on until the answer has gone out', [
    headers(1, block(METHOD, SCHEME, AUTHORITY, [':path', 'no-slash']), FLAG.END_HEADERS), data(1, Buffer.alloc(9_000)), read, data(1, Buffer.alloc(9_000), END), windowUpdate(1, 100),
  ], answered(1, 400, 'refused')), settings: [[SETTING.INITIAL_WINDOW_SIZE, 0]] },
  row('8.2', 'a block that is continued is held to the same rules', [headers(1, block(...requestFields()), END), continuation(1, block(['X-Upper', '1']))], malformed()),
] // biome-ignore format: a table

export const MESSAGES: readonly AnyRow[] = [...FRAMING, ...MALFORMED, ...FIELDS, ...CONTROL_DATA, ...REST]
