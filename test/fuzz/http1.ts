//! Differential fuzzing of our HTTP/1.1 listener against Node's own parser. Two rules: what Node rejects, we reject;
//! what both accept is understood alike (method, target, headers, body, and where the next request begins).
//! `npm run fuzz` runs it for as long as wanted (fuzz.ts), `npm test` for a fixed count (http1.test.ts).
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { listenViewers } from '../../src/edge/listen/listener.ts'
import type { ViewerRequest } from '../../src/edge/listen/viewer.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type Random, randomOf } from '../support/random.ts'
import { shrink } from './shrink.ts'

/** One request as a server understood it; `path` and `query` as one target. */
interface Understood {
  readonly method: string
  readonly target: string
  readonly headers: readonly string[]
  readonly body: string
}

/** What a server made of a byte stream: the requests in order, and whether it refused what came after them. */
interface Reading {
  readonly requests: readonly Understood[]
  readonly refused: boolean
  /** The last answer ended the connection: what comes after it was not looked at. */
  readonly ended: boolean
}

export interface Difference {
  readonly seed: number
  readonly input: string
  readonly ours: Reading
  readonly nodes: Reading
  readonly why: string
}

const LINES = [
  'Host: a', 'Host: b', 'host:a', 'Host : a', 'Host:', 'Host: a:80', 'Host: [::1]', 'X: y', 'X:', 'X: \ty \t', 'X: a\x7f', 'X: \xff',
  'X y', ' folded', '\tfolded', 'X: a\0b', 'X: a\rb', 'X: a\nY: b', ': x', 'Content-Length: 3', 'Content-Length: 0',
  'Content-Length: 03', 'Content-Length: +3', 'Content-Length: 3,3', 'Content-Length: -1', 'Content-Length: 3 3',
  'Content-Length:', 'Content-Length: \x0b3', 'content-length: 5', 'Transfer-Encoding: chunked', 'Transfer-Encoding: Chunked',
  'Transfer-Encoding: chunked, chunked', 'Transfer-Encoding: gzip', 'Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: chunked ',
  'Transfer-Encoding: \x0bchunked', 'Transfer-Encoding:', 'Transfer-Encoding: "chunked"', 'Transfer_Encoding: chunked',
  'Connection: close', 'Connection: keep-alive', 'Connection: x, close', 'Expect: 100-continue', 'Upgrade: h2c', 'Trailer: T',
] // biome-ignore format: a table
const REQUEST_LINES = [
  'GET / HTTP/1.1', 'POST / HTTP/1.1', 'PUT /p?q HTTP/1.1', 'DELETE /x HTTP/1.1', 'HEAD / HTTP/1.1', 'OPTIONS * HTTP/1.1',
  'GET http://a/x HTTP/1.1', 'GET http://b/x?y HTTP/1.1', 'GET /a b HTTP/1.1', 'GET / HTTP/1.0', 'POST / HTTP/1.0', 'GET  / HTTP/1.1',
  'GET / HTTP/2.0', 'GET / http/1.1', 'get / HTTP/1.1', 'GET /\t HTTP/1.1', 'GET /# HTTP/1.1', 'GET /\xe9 HTTP/1.1', 'G@T / HTTP/1.1',
  'CONNECT a:1 HTTP/1.1', 'GET a HTTP/1.1', 'GET /%zz//../. HTTP/1.1', 'GET /?a?b&c=#x HTTP/1.1', 'GET /"<>{}|\\^` HTTP/1.1', ' GET / HTTP/1.1',
] // biome-ignore format: a table
const BODIES = [
  '', 'abc', 'abcde', '3\r\nabc\r\n0\r\n\r\n', '0\r\n\r\n', '3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n', '3\nabc\n0\n\n', '3 \r\nabc\r\n0\r\n\r\n',
  '03\r\nabc\r\n00\r\n\r\n', '0x3\r\nabc\r\n0\r\n\r\n', '3\r\nabcd\r\n0\r\n\r\n', '3;a\nb\r\nabc\r\n0\r\n\r\n', 'fffffffffffffffff\r\nabc',
  '3\r\nabc\r\n0\r\nGET /s HTTP/1.1\r\n\r\n', '3;a="b\\"c"\r\nabc\r\n0\r\n\r\n', '1\r\na\r\n2\r\nbc\r\n0\r\n\r\n', '\r\nabc',
] // biome-ignore format: a table
/** Lines put together: what is around a name and a value decides as much as they do. */
const NAMES = [
  'Host',
  'Content-Length',
  'Transfer-Encoding',
  'Connection',
  'Expect',
  'Upgrade',
  'X',
  'TE',
  'Keep-Alive',
]
const BLANKS = ['', '', ' ', ' ', '\t', '  ', ' \t', '\x0b', '\r', '\xa0']
const VALUES = [
  'a',
  '3',
  '0',
  '',
  'chunked',
  'Chunked',
  'close',
  'keep-alive',
  'upgrade',
  '100-continue',
  'h2c',
  ',',
  ';',
  '"',
  'x',
  '3 3',
]
const CHUNK_PARTS = [
  '0',
  '3',
  '1',
  'a',
  'abc',
  '\r\n',
  '\r\n',
  '\r\n',
  '\n',
  '\r',
  ';',
  ';x',
  '=',
  '=y',
  '"',
  '"z"',
  ' ',
  '\t',
  '\\',
  'T: u',
  ':',
  '\0',
  '\xff',
]
const ENDS = ['\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\r\r\n', '\r\n ', '\n\r']

/** Lines that are usual: most inputs should get past the head. */
const BENIGN = LINES.filter((line) =>
  /^(X: y|X:|Content-Length: 3|Transfer-Encoding: chunked|Connection: .*|Upgrade: h2c|content-length: 5)$/.test(line),
)

/** A body that is what the head announces. */
function fittingBody(head: string): string {
  if (/transfer-encoding/i.test(head)) return '3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n'
  const length = /content-length: *(\d)/i.exec(head)?.[1]
  return 'abcdefghi'.slice(0, Number(length ?? 0))
}

/** A request, or two, from plausible and hostile parts; sometimes with a byte changed, lost or doubled. */
export function makeInput({ pick, chance: rare, fraction: random }: Random): string {
  const end = () => (rare(0.04) ? pick(ENDS) : '\r\n')
  const several = (of: readonly string[], most: number) =>
    Array.from({ length: Math.floor(random() * most) }, () => pick(of)).join('')
  const line = () =>
    `${pick(NAMES)}${rare(0.1) ? pick(BLANKS) : ''}:${pick(BLANKS)}${pick(VALUES)}${rare(0.2) ? several(VALUES, 3) : ''}${pick(BLANKS)}`
  const chunks = () =>
    `${pick(['3', '03', '1', '0'])}${several(CHUNK_PARTS, 5)}\r\nabc\r\n${rare(0.3) ? several(CHUNK_PARTS, 5) : ''}0\r\n\r\n`
  const one = (): string => {
    let text = (rare(0.5) ? pick(REQUEST_LINES.slice(0, 4)) : pick(REQUEST_LINES)) + end()
    if (rare(0.85)) text += `Host: a${end()}`
    for (let lines = Math.floor(random() * 4); lines > 0; lines--)
      text += (rare(0.3) ? line() : pick(rare(0.6) ? BENIGN : LINES)) + end()
    return text + end() + (rare(0.7) ? fittingBody(text) : rare(0.4) ? chunks() : pick(BODIES))
  }
  let input = one()
  if (rare(0.4)) input += one()
  for (let edits = rare(0.4) ? 1 + Math.floor(random() * 3) : 0; edits > 0; edits--) {
    const at = Math.floor(random() * input.length)
    const byte = pick(['', input[at] ?? '', '\0', '\r', '\n', ' ', '\t', ':', '\x0b', '\x80', ',', ';', 'a', '0'])
    input = input.slice(0, at) + byte + input.slice(rare(0.5) ? at + 1 : at)
  }
  return input
}

/** Sends all bytes, closes the half, waits for the server's close; the exchange is keyed by the client's port. */
function send(port: number, input: string, onPort: (port: number) => void): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => {
      onPort(socket.localPort!)
      socket.end(input, 'latin1')
    })
    socket.setTimeout(5_000, () => socket.destroy())
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
  })
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
const isRefusal = (answer: string) => /HTTP\/1\.1 (?:4|5)\d\d /.test(answer)

interface Partner {
  read(input: string): Promise<Reading>
  close(): Promise<void>
}

async function ourPartner(): Promise<Partner> {
  const byPort = new Map<number, Exchanges>()
  const listener = await listenViewers({
    addresses: [{ host: '127.0.0.1', port: 0, pop: 0, tls: null }],
    reusePort: false,
    clock: systemClock,
    refuse: ({ status }) => ({ head: `HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`, body: Buffer.alloc(0) }),
    handler: (request: ViewerRequest, reply) => {
      const exchanges = byPort.get(request.connection.remotePort)
      if (exchanges !== undefined) exchanges.begun++
      const note = (body: string) => {
        if (exchanges !== undefined) exchanges.ended = reply.closes
        const target = request.query === null ? request.path : `${request.path}?${request.query}`
        const understood = { method: request.method, target, headers: request.headers.raw, body }
        exchanges?.requests.push(understood)
        reply.whole(OK, null, null)
      }
      if (request.body === null) return note('')
      let body = ''
      request.body
        .stream()
        .on('data', (bytes: Buffer) => {
          body += bytes.toString('latin1')
        })
        .on('end', () => note(body))
    },
  })
  return { read: (input) => readBy(listener.addresses[0]!.port, input, byPort), close: () => listener.close() }
}

/** The parts of Node's own parser (llhttp) that we use: it is what `node:http` reads requests with. */
interface NodeParser {
  initialize(type: number, resource: object): void
  execute(bytes: Buffer): number | (Error & { code?: string })
  finish(): (Error & { code?: string }) | undefined
  close(): void
  [callback: number]: unknown
}
interface NodeParserModule {
  readonly HTTPParser: (new () => NodeParser) & Readonly<Record<string, number>>
  readonly methods: readonly string[]
}

const { HTTPParser, methods } = createRequire(import.meta.url)('node:_http_common') as NodeParserModule

/** Synchronous and exact: a server around it would lose requests that came before a malformed one. */
function nodeReads(input: string): Reading {
  const requests: Understood[] = []
  const parser = new HTTPParser()
  parser.initialize(HTTPParser.REQUEST!, {})
  let current: { method: string; target: string; headers: readonly string[]; body: string } | null = null
  parser[HTTPParser.kOnHeadersComplete!] = (
    _major: number,
    _minor: number,
    headers: readonly string[],
    method: number,
    target: string,
  ) => {
    current = { method: methods[method] ?? `method ${method}`, target, headers, body: '' }
    return 0
  }
  parser[HTTPParser.kOnBody!] = (bytes: Buffer) => {
    if (current !== null) current.body += bytes.toString('latin1')
  }
  parser[HTTPParser.kOnMessageComplete!] = () => {
    if (current !== null) requests.push(current)
    current = null
  }
  const bytes = Buffer.from(input, 'latin1')
  const result = parser.execute(bytes)
  const refused = typeof result !== 'number' && result.code !== 'HPE_CLOSED_CONNECTION'
  parser.close()
  // Node's parser stops behind a request for an upgrade, for somebody else to go on; its server and ours need not upgrade.
  return { requests, refused, ended: typeof result === 'number' && result < bytes.length }
}

/** What happened on one connection. */
interface Exchanges {
  readonly requests: Understood[]
  begun: number
  ended: boolean
}

async function readBy(port: number, input: string, byPort: Map<number, Exchanges>): Promise<Reading> {
  const exchanges: Exchanges = { requests: [], begun: 0, ended: false }
  let key = 0
  const answer = await send(port, input, (localPort) => {
    key = localPort
    byPort.set(key, exchanges)
  })
  byPort.delete(key)
  const { requests, begun, ended } = exchanges
  // A request whose body never ended was cut without an answer.
  return { requests, refused: isRefusal(answer) || begun > requests.length, ended }
}

/** An absolute-form target is cut to its path by us and handed on whole by Node. */
const cut = (target: string): string => {
  const rest = /^https?:\/\/[^/?]*(.*)$/i.exec(target)?.[1]
  return rest === undefined ? target : rest.startsWith('/') ? rest : `/${rest}`
}

/** Null when the two readings agree by the rules at the top of this file. */
function compare(ours: Reading, nodes: Reading): string | null {
  const more = ours.requests.length > nodes.requests.length
  if (more && !nodes.ended) return 'we took a request that Node did not'
  for (const [at, mine] of ours.requests.slice(0, nodes.requests.length).entries()) {
    const theirs = nodes.requests[at]!
    if (mine.method !== theirs.method) return 'another method'
    if (mine.target !== cut(theirs.target)) return 'another target'
    if (mine.body !== theirs.body) return 'another body'
    if (mine.headers.join('\n') !== theirs.headers.join('\n')) return 'other headers'
  }
  if (nodes.refused && !ours.refused && !ours.ended && ours.requests.length === nodes.requests.length)
    return 'Node refused, we did not'
  return null
}

export interface FuzzResult {
  readonly differences: readonly Difference[]
  /** Requests that both understood alike, and inputs that we refused: neither may be rare, or nothing was tried. */
  readonly understood: number
  readonly refused: number
}

/** The same difference, or another one, in fewer bytes. */
async function smallest(our: Partner, seed: number, input: string): Promise<Difference> {
  const judge = async (text: string) => {
    const [ours, nodes] = [await our.read(text), nodeReads(text)]
    return { ours, nodes, why: compare(ours, nodes) }
  }
  const bytes = await shrink([...input], async (fewer) => (await judge(fewer.join(''))).why !== null)
  const { ours, nodes, why } = await judge(bytes.join(''))
  return { seed, input: bytes.join(''), ours, nodes, why: why ?? 'once only' }
}

/** Runs `cases` inputs from `seed` on. */
export async function fuzzHttp1(seed: number, cases: number): Promise<FuzzResult> {
  const our = await ourPartner()
  const differences: Difference[] = []
  let understood = 0
  let refused = 0
  try {
    for (let n = 0; n < cases; n++) {
      const input = makeInput(randomOf(seed + n))
      const ours = await our.read(input)
      const why = compare(ours, nodeReads(input))
      if (why === null) understood += ours.requests.length
      if (ours.refused) refused++
      if (why !== null) differences.push(await smallest(our, seed + n, input))
    }
  } finally {
    await our.close()
  }
  return { differences, understood, refused }
}
