//! Request smuggling: one request in is one request out, or a refusal that ends the connection. Each row is sent over a
//! raw connection to a real worker whose policy forwards all it can (every header, cookie and query string), in front of
//! an origin that reads its requests by the letter. Behind each row goes a request that must be the next one, and after
//! it another viewer asks: nobody may get another's answer.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'
import { startWireOrigin } from '../../support/edge-wire-origin.ts'

/** Forwards everything that CloudFront can be told to forward, keeps nothing: the most that can get through. */
const FORWARD_ALL = behaviorDoc({
  allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'],
  cachePolicy: cachePolicy({ defaultTtl: 0, maxTtl: 0 }),
  originRequestPolicy: {
    id: 'all-viewer',
    headers: { behavior: 'allViewer', names: [] },
    cookies: { behavior: 'all', names: [] },
    queryStrings: { behavior: 'all', names: [] },
  },
})

/** `METHOD target body` of a request as the origin read it. */
type Out = string

interface Row {
  readonly name: string
  readonly bytes: string
  /** What the origin gets, before the request that is sent behind it. */
  readonly out: readonly Out[]
  /** Statuses that the viewer gets for these bytes. The last one ends the connection when it is below. */
  readonly statuses: readonly number[]
  /** True: nothing after it is looked at. */
  readonly closes: boolean
  readonly why: string
}

const POST = (fields: string, body: string) => `POST /a HTTP/1.1\r\nHost: ${HOST}\r\n${fields}\r\n\r\n${body}`
const GET = (target: string, fields = '') => `GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\n${fields}\r\n`
const SMUGGLED = GET('/smuggled')

const refused = (name: string, bytes: string, why: string, status = 400): Row => ({
  name,
  bytes,
  out: [],
  statuses: [status],
  closes: true,
  why,
})
const passed = (name: string, bytes: string, out: readonly Out[], why: string): Row => ({
  name,
  bytes,
  out,
  statuses: out.map(() => 200),
  closes: false,
  why,
})

const BOTH = 'RFC 9112 6.1: a request with both framings ought to be handled as an error'
const CODING = 'RFC 9112 6.1, 7: chunked alone, once, is the only coding of a request that is understood'
const LENGTH = 'RFC 9110 8.6: 1*DIGIT, once'
const LINE = 'RFC 9112 2.2, 5: lines end with CRLF; neither half stands alone'
const NAME = 'RFC 9112 5.1: no whitespace before the colon, token characters only'
const FOLD = 'RFC 9112 5.2: a folded line is refused'
const CHUNK = 'RFC 9112 7.1: 1*HEXDIG, extensions by the grammar, CRLF'

/** CL.TE, TE.CL and TE.TE: a length that covers the smuggled request, and a coding in every spelling that is around. */
const CODINGS: readonly (readonly [name: string, line: string, why: string])[] = [
  ['plainly', 'Transfer-Encoding: chunked', BOTH],
  ['in capitals', 'TRANSFER-ENCODING: CHUNKED', BOTH],
  ['after a tab', 'Transfer-Encoding:\tchunked', BOTH],
  ['without a space', 'Transfer-Encoding:chunked', BOTH],
  ['followed by spaces', 'Transfer-Encoding: chunked \t', BOTH],
  ['followed by a tab', 'Transfer-Encoding: chunked\t', 'some parsers find another coding in it'],
  ['with a space before the colon', 'Transfer-Encoding : chunked', NAME],
  ['with a tab before the colon', 'Transfer-Encoding\t: chunked', NAME],
  ['with a line break before the colon', 'Transfer-Encoding\r\n : chunked', NAME],
  ['with a space before the name', ' Transfer-Encoding: chunked', FOLD],
  ['with a tab before the name', '\tTransfer-Encoding: chunked', FOLD],
  ['folded', 'Transfer-Encoding:\r\n chunked', FOLD],
  ['folded with a tab', 'Transfer-Encoding: x\r\n\tchunked', FOLD],
  ['after an unknown coding', 'Transfer-Encoding: x, chunked', CODING],
  ['before an unknown coding', 'Transfer-Encoding: chunked, x', CODING],
  ['before identity', 'Transfer-Encoding: chunked, identity', CODING],
  ['after identity', 'Transfer-Encoding: identity, chunked', CODING],
  ['as identity', 'Transfer-Encoding: identity', CODING],
  ['as gzip', 'Transfer-Encoding: gzip', CODING],
  ['with a letter in front', 'Transfer-Encoding: xchunked', CODING],
  ['with a letter behind', 'Transfer-Encoding: chunkedx', CODING],
  ['cut short', 'Transfer-Encoding: chunk', CODING],
  ['empty', 'Transfer-Encoding:', CODING],
  ['as a comma', 'Transfer-Encoding: ,', CODING],
  ['as a list of one and nothing', 'Transfer-Encoding: chunked,', CODING],
  ['after an empty element', 'Transfer-Encoding: ,chunked', CODING],
  ['in quotes', 'Transfer-Encoding: "chunked"', CODING],
  ['in single quotes', "Transfer-Encoding: 'chunked'", CODING],
  ['in brackets', 'Transfer-Encoding: [chunked]', CODING],
  ['with a parameter', 'Transfer-Encoding: chunked;x=y', CODING],
  ['with a weight', 'Transfer-Encoding: chunked;q=0', CODING],
  ['twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', CODING],
  ['after another line', 'Transfer-Encoding: x\r\nTransfer-encoding: chunked', CODING],
  ['before another line', 'Transfer-Encoding: chunked\r\nTransfer-encoding: x', CODING],
  ['after a vertical tab', 'Transfer-Encoding: \x0bchunked', 'RFC 9110 5.5: no control bytes'],
  ['before a form feed', 'Transfer-Encoding: chunked\x0c', 'RFC 9110 5.5: no control bytes'],
  ['after a NUL', 'Transfer-Encoding: \0chunked', 'RFC 9110 5.5: no control bytes'],
  ['before a NUL', 'Transfer-Encoding: chunked\0', 'RFC 9110 5.5: no control bytes'],
  ['after a byte of 8 bits', 'Transfer-Encoding: \xffchunked', CODING],
  ['before a byte of 8 bits', 'Transfer-Encoding: chunked\xa0', CODING],
  ['with a NUL in the name', 'Transfer-Enc\0oding: chunked', NAME],
  ['with a byte of 8 bits in the name', 'Transfer-Encoding\xa0: chunked', NAME],
  ['behind a bare LF', 'X: y\nTransfer-Encoding: chunked', LINE],
  ['behind a bare CR', 'X: y\rTransfer-Encoding: chunked', LINE],
  ['behind CR CR LF', 'X: y\r\r\nTransfer-Encoding: chunked', LINE],
  ['behind LF CR', 'X: y\n\rTransfer-Encoding: chunked', LINE],
  ['behind an empty line of LF', 'X: y\r\n\nTransfer-Encoding: chunked', LINE],
  ['with a bare LF behind', 'Transfer-Encoding: chunked\nX: y', LINE],
  ['with a colon too many', 'Transfer-Encoding:: chunked', CODING],
]

const LENGTHS: readonly (readonly [name: string, lines: string])[] = [
  ['a plus sign', 'Content-Length: +3'],
  ['a minus sign', 'Content-Length: -3'],
  ['a minus zero', 'Content-Length: -0'],
  ['a hexadecimal number', 'Content-Length: 0x3'],
  ['a number with an underscore', 'Content-Length: 3_0'],
  ['a number with a space in it', 'Content-Length: 3 3'],
  ['a number with a tab in it', 'Content-Length: 3\t3'],
  ['a fraction', 'Content-Length: 3.0'],
  ['an exponent', 'Content-Length: 3e0'],
  ['nothing', 'Content-Length:'],
  ['a word', 'Content-Length: three'],
  ['a quoted number', 'Content-Length: "3"'],
  ['a list of equal numbers', 'Content-Length: 3, 3'],
  ['a list of different numbers', 'Content-Length: 3, 0'],
  ['a number and an empty element', 'Content-Length: 3,'],
  ['a number and a semicolon', 'Content-Length: 3;'],
  ['equal lines', 'Content-Length: 3\r\nContent-Length: 3'],
  ['different lines', 'Content-Length: 3\r\nContent-Length: 0'],
  ['lines in another case', 'Content-Length: 0\r\ncontent-length: 3'],
  ['2^64 + 3', 'Content-Length: 18446744073709551619'],
  ['a number of forty digits', `Content-Length: ${'9'.repeat(40)}`],
  ['a vertical tab', 'Content-Length: \x0b3'],
  ['a NUL', 'Content-Length: 3\0'],
  ['a superscript of 8 bits', 'Content-Length: \xb3'],
  ['a space before the colon', 'Content-Length : 3'],
  ['a folded number', 'Content-Length:\r\n 3'],
  ['a bare LF before it', 'X: y\nContent-Length: 3'],
  ['a bare CR before it', 'X: y\rContent-Length: 3'],
]

/** Chunked bodies that two parsers may end at different places; 2025's funky chunks among them. */
const CHUNKS: readonly (readonly [name: string, body: string])[] = [
  ['a bare LF after the size', '3\nabc\r\n0\r\n\r\n'],
  ['a bare CR after the size', '3\rabc\r\n0\r\n\r\n'],
  ['CR CR LF after the size', '3\r\r\nabc\r\n0\r\n\r\n'],
  ['TERM.EXT: a bare LF in an extension', `2;\nxx\r\n3b\r\n0\r\n\r\n${SMUGGLED}\r\n0\r\n\r\n`],
  ['EXT.TERM: an extension that a bare CR ends', `2;\rxx\r\n3b\r\n0\r\n\r\n${SMUGGLED}\r\n0\r\n\r\n`],
  ['TERM.SPILL: a bare LF after the data', `5\r\nAAAAA\nBB\r\n0\r\n\r\n${SMUGGLED}`],
  ['SPILL.TERM: data beyond its size', `5\r\nAAAAAXX\r\n0\r\n\r\n${SMUGGLED}`],
  ['two bytes in place of the CRLF after the data', `5\r\nAAAAAXX2\r\n45\r\n0\r\n\r\n${SMUGGLED}`],
  ['one byte in place of the CRLF after the data', '3\r\nabcX\r\n0\r\n\r\n'],
  ['no line break after the data', '3\r\nabc0\r\n\r\n'],
  ['a bare CR after the data', '3\r\nabc\r0\r\n\r\n'],
  ['a minus sign', '-3\r\nabc\r\n0\r\n\r\n'],
  ['a plus sign', '+3\r\nabc\r\n0\r\n\r\n'],
  ['a prefix', '0x3\r\nabc\r\n0\r\n\r\n'],
  ['an underscore', '0_3\r\nabc\r\n0\r\n\r\n'],
  ['a space before the size', ' 3\r\nabc\r\n0\r\n\r\n'],
  ['a space after the size', '3 \r\nabc\r\n0\r\n\r\n'],
  ['a tab after the size', '3\t\r\nabc\r\n0\r\n\r\n'],
  ['a space before an extension', '3 ;a=b\r\nabc\r\n0\r\n\r\n'],
  ['no size', '\r\nabc\r\n0\r\n\r\n'],
  ['a letter behind the size', '3g\r\nabc\r\n0\r\n\r\n'],
  ['a NUL behind the size', '3\0\r\nabc\r\n0\r\n\r\n'],
  ['a size of 2^64 + 3', '10000000000000003\r\nabc\r\n0\r\n\r\n'],
  ['a size of 2^32 zeros', `${'0'.repeat(64)}3\r\nabc\r\n0\r\n\r\n`],
  ['an extension without a name', '3;\r\nabc\r\n0\r\n\r\n'],
  ['an extension with a space', '3;a b\r\nabc\r\n0\r\n\r\n'],
  ['an extension with an open quote', '3;a="b\r\nabc\r\n0\r\n\r\n'],
  ['an extension with a line break in quotes', '3;a="\r\n"\r\nabc\r\n0\r\n\r\n'],
  ['an extension with a NUL', '3;a=\0\r\nabc\r\n0\r\n\r\n'],
  ['an extension of 2,000 bytes', `3;a=${'b'.repeat(2_000)}\r\nabc\r\n0\r\n\r\n`],
  ['extensions of 17,000 bytes together', `${`1;a=${'b'.repeat(990)}\r\nx\r\n`.repeat(17)}0\r\n\r\n`],
  ['a last chunk of a bare LF', '3\r\nabc\r\n0\n\r\n'],
  ['a body that ends with a bare LF', '3\r\nabc\r\n0\r\n\n'],
  ['a trailer with a bare LF', '3\r\nabc\r\n0\r\nT: u\nX: y\r\n\r\n'],
  ['a trailer with a bare CR', '3\r\nabc\r\n0\r\nT: u\rX: y\r\n\r\n'],
  ['a trailer with a space before the colon', '3\r\nabc\r\n0\r\nT : u\r\n\r\n'],
  ['a folded trailer', '3\r\nabc\r\n0\r\nT: u\r\n v\r\n\r\n'],
  ['a trailer that is a request line', `3\r\nabc\r\n0\r\n${SMUGGLED}`],
  ['trailers of 9,000 bytes', `3\r\nabc\r\n0\r\n${`T: ${'u'.repeat(90)}\r\n`.repeat(95)}\r\n`],
]

const CHUNKED = 'Transfer-Encoding: chunked'

const ROWS: readonly Row[] = [
  ...CODINGS.flatMap(([name, line, why]) => [
    refused(`CL.TE: a coding ${name} behind a length`, POST(`Content-Length: ${5 + SMUGGLED.length}\r\n${line}`, `0\r\n\r\n${SMUGGLED}`), why),
    refused(`TE.CL: a coding ${name} before a length`, POST(`${line}\r\nContent-Length: 4`, `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`), why),
  ]),
  ...CODINGS.filter(([, , why]) => why !== BOTH).map(([name, line, why]) =>
    refused(`TE.TE: a coding ${name}, without a length`, POST(line, `0\r\n\r\n${SMUGGLED}`), why),
  ),
  refused('TE.0: a coding in HTTP/1.0', `POST /a HTTP/1.0\r\nHost: ${HOST}\r\n${CHUNKED}\r\n\r\n0\r\n\r\n${SMUGGLED}`, 'RFC 9112 6.1: its sender does not know chunks'),
  passed('TE.0: OPTIONS with chunks is one request with its body', `OPTIONS /a HTTP/1.1\r\nHost: ${HOST}\r\n${CHUNKED}\r\n\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`, [`OPTIONS /a ${SMUGGLED}`], 'RFC 9112 6.3: the framing is that of any request'),
  passed('CL.0: a body that looks like a request is a body', POST(`Content-Length: ${SMUGGLED.length}`, SMUGGLED), [`POST /a ${SMUGGLED}`], 'RFC 9112 6.3'),
  passed('CL.0: also of a request for a static file', `POST /x.css HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`, [`POST /x.css ${SMUGGLED}`], 'RFC 9112 6.3'),
  passed('0.CL: a length of 0 has no body', POST('Content-Length: 0', ''), ['POST /a '], 'RFC 9112 6.3'),
  passed('no length and no coding: no body', `POST /a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`, ['POST /a '], 'RFC 9112 6.3: 7'),
  passed('a length with zeros in front goes out as the number it is', POST('Content-Length: 0003', 'abc'), ['POST /a abc'], 'RFC 9110 8.6'),
  passed('names of framing fields with an underscore mean nothing and go nowhere', POST('Content_Length: 0\r\nTransfer_Encoding: chunked\r\nContent-Length: 3', 'abc'), ['POST /a abc'], 'origins that read `_` as `-` (CGI, WSGI) would find a second framing'),
  ...LENGTHS.map(([name, lines]) => refused(`a length with ${name}`, POST(lines, `abc${SMUGGLED}`), LENGTH)),
  ...LENGTHS.map(([name, lines]) => refused(`GET, a length with ${name}`, GET('/a', `${lines}\r\n`) + SMUGGLED, LENGTH)),
  ...CHUNKS.map(([name, body]) => refused(`chunks: ${name}`, POST(CHUNKED, body), CHUNK)),
  passed('chunks with extensions and trailers reach the origin without them', POST(CHUNKED, '3;a=b;c="d;e"\r\nabc\r\n0;x\r\nContent-Length: 99\r\nHost: evil.example\r\nTransfer-Encoding: x\r\n\r\n'), ['POST /a abc'], 'RFC 9110 6.5.1: a trailer does not change the message'),
  passed('chunk sizes in capitals and with zeros in front', POST(CHUNKED, '00A\r\n0123456789\r\n000\r\n\r\n'), ['POST /a 0123456789'], 'RFC 9112 7.1'),
  passed('a smuggled request within a chunk is data', POST(CHUNKED, `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`), [`POST /a ${SMUGGLED}`], 'RFC 9112 7.1'),

  refused('a field with a folded line', GET('/a', 'X: y\r\n z\r\n') + SMUGGLED, FOLD),
  refused('a folded line as the first field', `GET /a HTTP/1.1\r\n Host: ${HOST}\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, FOLD),
  refused('a field with a bare CR', GET('/a', 'X: y\rX-Injected: z\r\n') + SMUGGLED, LINE),
  refused('a field with a bare LF', GET('/a', 'X: y\nX-Injected: z\r\n') + SMUGGLED, LINE),
  refused('a field with a NUL', GET('/a', 'X: y\0z\r\n') + SMUGGLED, 'RFC 9110 5.5'),
  refused('a head that ends with bare LFs', `GET /a HTTP/1.1\nHost: ${HOST}\n\n${SMUGGLED}`, LINE),
  refused('an empty line of LF', `GET /a HTTP/1.1\r\nHost: ${HOST}\r\n\n${SMUGGLED}`, LINE),
  refused('a field without a colon', GET('/a', 'X\r\n') + SMUGGLED, NAME),
  refused('a field without a name', GET('/a', ': x\r\n') + SMUGGLED, NAME),
  refused('a request line as a field', GET('/a', 'GET /smuggled HTTP/1.1\r\n') + SMUGGLED, NAME),
  passed('escaped line breaks in the target stay escaped', GET('/a%0d%0aX-Injected:%20y?b=%0D%0A%0D%0AGET%20/smuggled'), ['GET /a%0d%0aX-Injected:%20y?b=%0D%0A%0D%0AGET%20/smuggled '], 'spec 3.2: the target is not decoded'),
  passed('escaped line breaks in a field stay escaped', GET('/a', 'X: y%0d%0aX-Injected: z\r\n'), ['GET /a '], 'a field value is not decoded'),

  refused('Host twice', GET('/a', `Host: ${HOST}\r\n`) + SMUGGLED, 'RFC 9112 3.2'),
  refused('Host twice, another one', GET('/a', 'Host: evil.example\r\n') + SMUGGLED, 'RFC 9112 3.2'),
  refused('no Host', `GET /a HTTP/1.1\r\n\r\n${SMUGGLED}`, 'RFC 9112 3.2'),
  refused('Host as a list', `GET /a HTTP/1.1\r\nHost: ${HOST}, evil.example\r\n\r\n${SMUGGLED}`, 'RFC 9110 7.2'),
  refused('Host with a space', `GET /a HTTP/1.1\r\nHost: ${HOST} evil.example\r\n\r\n${SMUGGLED}`, 'RFC 9110 7.2'),
  refused('Host with userinfo', `GET /a HTTP/1.1\r\nHost: evil.example@${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9110 4.2.4'),
  refused('Host with a path', `GET /a HTTP/1.1\r\nHost: ${HOST}/evil\r\n\r\n${SMUGGLED}`, 'RFC 9110 7.2'),
  refused('Host with a port that is none', `GET /a HTTP/1.1\r\nHost: ${HOST}:80x\r\n\r\n${SMUGGLED}`, 'RFC 9110 7.2'),
  refused('Host with a space before the colon', `GET /a HTTP/1.1\r\nHost : ${HOST}\r\n\r\n${SMUGGLED}`, NAME),
  refused('absolute-form for another host than Host', `GET http://evil.example/a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 3.2.2: the two must say the same'),
  refused('absolute-form for another port than Host', `GET http://${HOST}:81/a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 3.2.2'),
  refused('absolute-form with userinfo', `GET http://evil@${HOST}/a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9110 4.2.4'),
  refused('absolute-form of another scheme', `GET ftp://${HOST}/a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 3.2.2'),
  refused('authority-form', `GET ${HOST}:80 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 3.2.3: for CONNECT only'),
  refused('CONNECT', `CONNECT ${HOST}:80 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9110 9.3.6: no proxy'),
  passed('absolute-form for Host itself is cut to its path', `GET http://${HOST.toUpperCase()}/a?b HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`, ['GET /a?b '], 'RFC 9112 3.2.2'),
  passed('a target with two slashes in front is a path', GET('//evil.example/a'), ['GET //evil.example/a '], 'RFC 9112 3.2.1'),

  refused('HTTP/0.9', 'GET /a\r\n\r\n', 'RFC 9112 3: a version is required'),
  refused('HTTP/0.9 with a version', `GET /a HTTP/0.9\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 2.3', 505),
  refused('HTTP/2.0', `GET /a HTTP/2.0\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 2.3', 505),
  refused('the preface of HTTP/2', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${SMUGGLED}`, 'RFC 9113 3.4: not on this port'),
  refused('HTTP/1.2', `GET /a HTTP/1.2\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 2.3', 505),
  refused('HTTP/1.10', `GET /a HTTP/1.10\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 2.3: one digit'),
  refused('http/1.1', `GET /a http/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 2.3: case matters'),
  refused('two spaces before the target', `GET  /a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 3'),
  refused('two spaces after the target', `GET /a  HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 3'),
  refused('a tab before the target', `GET\t/a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 3'),
  refused('a tab after the target', `GET /a\tHTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 3'),
  refused('a space after the version', `GET /a HTTP/1.1 \r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 3'),
  refused('a space in the target', `GET /a HTTP/1.1 b HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 3.2'),
  refused('a bare CR in the request line', `GET /a\rHTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, LINE),
  refused('a NUL in the target', `GET /a\0 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 3.2'),
  refused('a byte of 8 bits in the target', `GET /\xe9 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 3986 2: escaped only'),
  refused('a fragment in the target', `GET /a#b HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 3.2'),
  refused('a method with a colon', `GET: /a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9110 9.1'),
  refused('a method in small letters', `get /a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9110 9.1: case matters'),
  refused('a space before the method', ` GET /a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${SMUGGLED}`, 'RFC 9112 3'),
  refused('two empty lines before a request', `\r\n\r\n${GET('/a')}`, 'RFC 9112 2.2: one is ignored'),
  refused('an empty line of LF before a request', `\n${GET('/a')}`, LINE),
  passed('one empty line before a request', `\r\n${GET('/a')}`, ['GET /a '], 'RFC 9112 2.2'),

  refused('Expect with another word', POST('Expect: x\r\nContent-Length: 3', 'abc'), 'RFC 9110 10.1.1', 417),
  refused('Expect with a word in front', POST('Expect: y 100-continue\r\nContent-Length: 3', 'abc'), 'RFC 9110 10.1.1', 417),
  refused('Expect as a list', POST('Expect: 100-continue, 100-continue\r\nContent-Length: 3', 'abc'), 'RFC 9110 10.1.1', 417),
  refused('Expect twice', POST('Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 3', 'abc'), 'RFC 9110 10.1.1: one expectation', 417),
  refused('Expect, folded', POST('Expect:\r\n 100-continue\r\nContent-Length: 3', 'abc'), FOLD),
  passed('0.CL by Expect: GET with Expect and no body', GET('/a', 'Expect: 100-continue\r\n'), ['GET /a '], 'RFC 9110 10.1.1: nothing to wait for, nothing forwarded'),

  passed('Connection names fields of the framing and of the edge', POST('Connection: content-length, host, x-forwarded-for, transfer-encoding\r\nContent-Length: 3', 'abc'), ['POST /a abc'], 'RFC 9110 7.6.1: they are the edge\'s own'),
  passed('Upgrade to h2c is not passed on', GET('/a', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'), ['GET /a '], 'spec 13.3: no h2c'),
  passed('Upgrade to WebSocket in a bad way is a request like any other', GET('/a', 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\n'), ['GET /a '], 'RFC 6455 4.2.1: no tunnel without the origin\'s 101'),
  passed('TE and Trailer stay here', GET('/a', 'TE: trailers\r\nTrailer: X\r\n'), ['GET /a '], 'RFC 9110 7.6.1'),

  passed('requests in a row, with and without bodies', GET('/1') + POST('Content-Length: 3', 'abc') + POST(CHUNKED, '3\r\ndef\r\n0\r\n\r\n') + GET('/2'), ['GET /1 ', 'POST /a abc', 'POST /a def', 'GET /2 '], 'RFC 9112 9.3.2'),
  {
    name: 'a refusal among requests in a row ends them', bytes: GET('/1') + POST('Content-Length: +3', 'abc') + GET('/2'),
    out: ['GET /1 '], statuses: [200, 400], closes: true, why: 'nobody knows where the next one begins',
  },
  {
    name: 'GET with a body is refused and its body is not a request', bytes: GET('/a', `Content-Length: ${SMUGGLED.length}\r\n`) + SMUGGLED,
    out: [], statuses: [403], closes: false, why: 'spec 3.1 step 9: fat GET',
  },
  {
    name: 'GET with a chunked body is refused, and nothing after it is looked at', bytes: `${GET('/a', `${CHUNKED}\r\n`)}0\r\n\r\n`,
    out: [], statuses: [403], closes: true, why: 'spec 3.1 step 9: a body of unknown length is not read to be thrown away',
  },
  {
    name: 'HEAD with a body is refused and its body is not a request', bytes: `HEAD /a HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    out: [], statuses: [403], closes: false, why: 'RFC 9110 9.3.2: it has no meaning, and origins read on behind the head',
  },
  {
    name: 'what follows Connection: close is not looked at', bytes: GET('/1', 'Connection: close\r\n') + SMUGGLED,
    out: ['GET /1 '], statuses: [200], closes: true, why: 'RFC 9112 9.6',
  },
  {
    name: 'what follows a request of HTTP/1.0 is not looked at', bytes: `GET /1 HTTP/1.0\r\nHost: ${HOST}\r\nConnection: keep-alive\r\n\r\n${SMUGGLED}`,
    out: ['GET /1 '], statuses: [200], closes: true, why: 'RFC 9112 9.3: it is not kept open',
  },
  {
    name: 'another host\'s request on the connection is that host\'s', bytes: `GET /a HTTP/1.1\r\nHost: other.example\r\n\r\n`,
    out: [], statuses: [403], closes: false, why: 'spec 3.1 step 3: each request by its own Host',
  },
] // biome-ignore format: a table

/** Sends the bytes and gives all that comes until the edge ends the connection. */
function talk(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let got = ''
    socket.setEncoding('latin1')
    socket.setTimeout(10_000, () => reject(new Error(`no end after ${JSON.stringify(got.slice(0, 300))}`)))
    socket.on('data', (text: string) => {
      got += text
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(got))
    socket.write(bytes, 'latin1')
  })
}

const statusesIn = (answers: string) => [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))

test('one request in is one request out, or a refusal', async (t) => {
  const origin = await startWireOrigin((socket, { method, target }) => {
    const body = method === 'HEAD' ? '' : `answer to ${target}`
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: [FORWARD_ALL] })])
  for (const { name, bytes, out, statuses, closes, why } of ROWS) {
    await t.test(`${name} (${why})`, async () => {
      origin.requests.length = origin.unreadable.length = 0
      const answers = await talk(edge.port(), bytes + GET('/next', 'Connection: close\r\n'))
      assert.deepEqual(statusesIn(answers), closes ? statuses : [...statuses, 200])
      const victim = await talk(edge.port(), GET('/victim', 'Connection: close\r\n'))
      assert.match(victim, /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nanswer to \/victim$/s)
      assert.deepEqual(origin.unreadable, [])
      assert.deepEqual(
        origin.requests.map(({ method, target, body }) => `${method} ${target} ${body}`),
        [...out, ...(closes ? [] : ['GET /next ']), 'GET /victim '],
      )
      if (!closes) assert.match(answers, /answer to \/next$/)
      for (const { headers, trailers } of origin.requests) {
        assertPlain(headers)
        assert.deepEqual(trailers, [])
      }
    })
  }
  assert.deepEqual(
    edge.problems.filter((problem) => !/request body was refused|reset/.test(problem)),
    [],
  )
})

/** Nothing of one hop but a WebSocket handshake (RFC 6455 4.1), nothing injected, no framing but the edge's own. */
function assertPlain(headers: readonly string[]): void {
  const handshake = headers.some(
    (text, i) => i % 2 === 1 && text === 'websocket' && headers[i - 1]?.toLowerCase() === 'upgrade',
  )
  let framings = 0
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]?.toLowerCase().replaceAll('_', '-') ?? ''
    if (handshake && name === 'upgrade') continue
    assert.doesNotMatch(name, /^(?:te|trailer|upgrade|http2-settings|keep-alive|expect|proxy-.*|x-injected)$/)
    if (name === 'content-length' || name === 'transfer-encoding') framings++
    if (name === 'connection') assert.equal(headers[i + 1], handshake ? 'upgrade' : 'keep-alive')
    if (name === 'host') assert.ok(headers[i + 1]?.startsWith(HOST), 'Host is the one that was matched')
  }
  assert.ok(framings <= 1, 'one framing')
}
