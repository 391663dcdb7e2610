//! CloudFront's standard access log, version 1 (spec/cloudfront.md 12.4): 33 fields, what they hold, how they are
//! escaped. A line is joined from parts that stay the same for a second, a connection or a header block, because a log
//! line made anew costs as much as half a request. access-log-file.ts writes the lines.
import type { Clock } from '../lib/clock.ts'
import { flatText } from '../lib/flat-text.ts'

/** The fields in order; `of` says where a value comes from. */
export const ACCESS_LOG_FIELDS = [
  { name: 'date', of: 'second' },
  { name: 'time', of: 'second' },
  { name: 'x-edge-location', of: 'pop' },
  { name: 'sc-bytes', of: 'answer' },
  { name: 'c-ip', of: 'connection' },
  { name: 'cs-method', of: 'request' },
  { name: 'cs(Host)', of: 'distribution' },
  { name: 'cs-uri-stem', of: 'request' },
  { name: 'sc-status', of: 'answer' },
  { name: 'cs(Referer)', of: 'headers' },
  { name: 'cs(User-Agent)', of: 'headers' },
  { name: 'cs-uri-query', of: 'request' },
  { name: 'cs(Cookie)', of: 'headers' },
  { name: 'x-edge-result-type', of: 'answer' },
  { name: 'x-edge-request-id', of: 'answer' },
  { name: 'x-host-header', of: 'headers' },
  { name: 'cs-protocol', of: 'connection' },
  { name: 'cs-bytes', of: 'request' },
  { name: 'time-taken', of: 'answer' },
  { name: 'x-forwarded-for', of: 'headers' },
  { name: 'ssl-protocol', of: 'connection' },
  { name: 'ssl-cipher', of: 'connection' },
  { name: 'x-edge-response-result-type', of: 'answer' },
  { name: 'cs-protocol-version', of: 'request' },
  { name: 'fle-status', of: 'request' },
  { name: 'fle-encrypted-fields', of: 'request' },
  { name: 'c-port', of: 'connection' },
  { name: 'time-to-first-byte', of: 'answer' },
  { name: 'x-edge-detailed-result-type', of: 'answer' },
  { name: 'sc-content-type', of: 'answer' },
  { name: 'sc-content-len', of: 'answer' },
  { name: 'sc-range-start', of: 'answer' },
  { name: 'sc-range-end', of: 'answer' },
] as const

/** The two lines that begin every file, exactly (spec 12.4). */
export const ACCESS_LOG_HEADER = `#Version: 1.0\n#Fields: ${ACCESS_LOG_FIELDS.map((field) => field.name).join(' ')}\n`

/** What the log needs of a connection; ViewerConnection has it. */
export interface LoggedConnection {
  readonly scheme: 'http' | 'https' | 'ws' | 'wss' | 'grpcs'
  readonly tls: { readonly protocol: string; readonly cipher: string } | null
  logParts: { readonly between: string } | null
}

/** What the log needs of a header block; HeaderBlock has it. */
export interface LoggedHeaders {
  get(name: string): string | undefined
  readonly bytes: number
  readonly derived: Map<object, unknown>
}

export interface AccessRecord {
  readonly connection: LoggedConnection
  readonly headers: LoggedHeaders
  /** Of the viewer, the same for all requests of a connection with one header block. */
  readonly viewerAddress: string
  /** 0 when a trusted proxy does not tell it. */
  readonly viewerPort: number
  /** What the viewer itself had in X-Forwarded-For, where trusted proxies have added to it; null for all of it. */
  readonly forwardedFor: string | null
  readonly method: string
  /** As sent, neither decoded nor normalized. */
  readonly path: string
  readonly query: string | null
  readonly httpVersion: '1.0' | '1.1' | '2.0'
  /** Domain name of the distribution, or the host when none matched. */
  readonly domainName: string
  /** POP code. */
  readonly pop: string
  /** 0 when the viewer left before an answer: logged as `000`. */
  readonly status: number
  /** Of the whole answer, and as it was known when its first byte went out. */
  readonly resultType: string
  readonly responseResultType: string
  readonly detailedResultType: string
  readonly requestId: string
  /** Bytes of the answer, headers included. */
  readonly bytesSent: number
  /** Bytes of the request's body; its head is added here. */
  readonly bodyBytesReceived: number
  /** Milliseconds from the end of the request's head to the end of the answer, and to its first byte. */
  readonly takenMs: number
  readonly firstByteMs: number
  /** Empty for none. */
  readonly contentType: string
  /** fle-status; null where no field-level encryption had a say. */
  readonly fieldStatus: string | null
  readonly fieldsEncrypted: number
  /** -1 when the answer declared none. */
  readonly contentLength: number
  /** First and last byte of the object that a 206 of one part has. */
  readonly range: { readonly first: number; readonly last: number } | null
}

/** Where lines go: access-log-file.ts, or a list in a test. */
export interface LineSink {
  append(line: string): void
}

/**
 * What the lines of one viewer with one header block have in common, joined: a line of 33 fields is made of half as many
 * pieces of text that way. What varies a little (method, result) is remembered as it was in the line before.
 */
interface ViewerParts {
  readonly connection: LoggedConnection
  /** `TAB referer TAB user-agent TAB` */
  readonly agent: string
  /** `TAB x-host-header TAB protocol TAB` */
  readonly host: string
  /** `TAB x-forwarded-for TAB ssl-protocol TAB ssl-cipher TAB` */
  readonly forwarded: string
  method: string
  domainName: string
  /** `TAB c-ip TAB method TAB domain TAB` */
  begin: string
  status: number
  resultType: string
  responseResultType: string
  httpVersion: string
  /** `TAB status TAB referer TAB user-agent TAB` */
  answered: string
  /** `TAB cookie TAB result TAB` */
  result: string
  /** `answered`, no query, `result` */
  answeredWithoutQuery: string
  /** `TAB x-forwarded-for ... TAB result TAB version TAB - TAB - TAB port TAB` */
  end: string
  /** `TAB time-taken`, `end`, time-to-first-byte, when both take less than half a millisecond: most hits do. */
  atOnce: string
}

/** Key of our text in `HeaderBlock.derived`. */
const PARTS = {}

export class AccessLog {
  readonly #clock: Clock
  readonly #sink: LineSink
  #second = -1
  #dateAndTime = ''
  #pop = ''
  #dateTimePop = ''

  constructor(clock: Clock, sink: LineSink) {
    this.#clock = clock
    this.#sink = sink
  }

  /** Writes the line of one finished answer. Never throws, never waits. */
  record(r: AccessRecord): void {
    const second = Math.floor(this.#clock.now() / 1000)
    if (second !== this.#second) this.#turn(second)
    if (r.pop !== this.#pop) this.#stamp(r.pop)
    const known = r.headers.derived.get(PARTS) as ViewerParts | undefined
    const parts = known?.connection === r.connection ? known : viewerParts(r)
    if (r.method !== parts.method || r.domainName !== parts.domainName) setRequest(parts, r)
    if (
      r.status !== parts.status ||
      r.resultType !== parts.resultType ||
      r.responseResultType !== parts.responseResultType ||
      r.httpVersion !== parts.httpVersion
    ) {
      setAnswer(parts, r)
    }
    const answered =
      r.query === null ? parts.answeredWithoutQuery : parts.answered + escapeField(r.query) + parts.result
    const bytesReceived =
      r.method.length + r.path.length + (r.query === null ? 0 : r.query.length + 1) + FRAME_BYTES + r.headers.bytes
    const times =
      r.takenMs < 0.5 && r.firstByteMs < 0.5 && r.fieldStatus === null
        ? parts.atOnce
        : `\t${seconds(r.takenMs)}${r.fieldStatus === null ? parts.end : endOf(parts, r, `${r.fieldStatus}\t${r.fieldsEncrypted}`)}${seconds(r.firstByteMs)}`
    // One sum of few pieces: each costs, here and when the line becomes bytes.
    this.#sink.append(
      this.#dateTimePop +
        r.bytesSent +
        parts.begin +
        escapeField(r.path) +
        answered +
        r.requestId +
        parts.host +
        (bytesReceived + r.bodyBytesReceived) +
        times +
        kindField(r.detailedResultType, r.contentType) +
        (r.contentLength < 0 ? '-' : r.contentLength) +
        (r.range === null ? NO_RANGE : `\t${r.range.first}\t${r.range.last}\n`),
    )
  }

  #turn(second: number): void {
    this.#second = second
    const iso = new Date(second * 1000).toISOString()
    this.#dateAndTime = `${iso.slice(0, 10)}\t${iso.slice(11, 19)}\t`
    this.#stamp(this.#pop)
  }

  #stamp(pop: string): void {
    this.#pop = pop
    this.#dateTimePop = `${this.#dateAndTime}${pop}\t`
  }
}

const NO_RANGE = '\t-\t-\n'

/** Two spaces, the version, CRLF of the request line, and the empty line. */
const FRAME_BYTES = 2 + 'HTTP/1.1'.length + 2 + 2

function connectionParts(connection: LoggedConnection): NonNullable<LoggedConnection['logParts']> {
  const parts = {
    between: `\t${connection.scheme}\t`,
  }
  connection.logParts = parts
  return parts
}

const tlsFields = ({ tls }: LoggedConnection): string => (tls === null ? '-\t-' : `${tls.protocol}\t${tls.cipher}`)

function viewerParts({ connection, headers, forwardedFor }: AccessRecord): ViewerParts {
  const of = (name: string) => {
    const value = headers.get(name)
    return value === undefined || value === '' ? '-' : escapeField(value)
  }
  const { between } = connection.logParts ?? connectionParts(connection)
  const parts: ViewerParts = {
    connection,
    agent: `\t${of('referer')}\t${of('user-agent')}\t`,
    host: flatText(`\t${of('host')}${between}`),
    forwarded: `\t${forwardedFor === null ? of('x-forwarded-for') : escapeField(forwardedFor)}\t${tlsFields(connection)}\t`,
    method: '',
    domainName: '',
    begin: '',
    status: -1,
    resultType: '',
    responseResultType: '',
    httpVersion: '',
    answered: '',
    result: '',
    answeredWithoutQuery: '',
    end: '',
    atOnce: '',
  }
  headers.derived.set(PARTS, parts)
  return parts
}

function setRequest(parts: ViewerParts, { viewerAddress, method, domainName }: AccessRecord): void {
  parts.method = method
  parts.domainName = domainName
  parts.begin = flatText(`\t${viewerAddress}\t${method}\t${domainName}\t`)
}

/** From x-forwarded-for to c-port; `fields` are the two of field-level encryption, which few requests have. */
function endOf({ forwarded }: ViewerParts, r: AccessRecord, fields: string): string {
  const port = r.viewerPort === 0 ? '-' : r.viewerPort
  return `${forwarded}${r.responseResultType}\tHTTP/${r.httpVersion}\t${fields}\t${port}\t`
}

function setAnswer(parts: ViewerParts, r: AccessRecord): void {
  const { status, resultType, responseResultType, httpVersion } = r
  parts.status = status
  parts.resultType = resultType
  parts.responseResultType = responseResultType
  parts.httpVersion = httpVersion
  parts.answered = flatText(`\t${status === 0 ? '000' : status}${parts.agent}`)
  parts.result = `\t-\t${resultType}\t`
  parts.answeredWithoutQuery = flatText(`${parts.answered}-${parts.result}`)
  parts.end = flatText(endOf(parts, r, '-\t-'))
  parts.atOnce = flatText(`\t${seconds(0)}${parts.end}${seconds(0)}`)
}

/** Few content types occur; a bounded memory of `TAB detailed result TAB content type TAB`, by type within the result. */
const CONTENT_TYPES_MAX = 1_000
const kinds = new Map<string, Map<string, string>>()

function kindField(detailedResultType: string, contentType: string): string {
  let known = kinds.get(detailedResultType)
  if (known === undefined) {
    known = new Map()
    kinds.set(detailedResultType, known)
  }
  const field = known.get(contentType)
  if (field !== undefined) return field
  const made = flatText(`\t${detailedResultType}\t${escapeField(contentType)}\t`)
  if (known.size < CONTENT_TYPES_MAX) known.set(contentType, made)
  return made
}

/** 1 for each character code that a value may hold unescaped. */
const PLAIN = new Uint8Array(256).fill(1)
for (let code = 0; code <= 32; code++) PLAIN[code] = 0
for (let code = 127; code < 256; code++) PLAIN[code] = 0
for (const c of '<>"#%{}|\\^~[]`\'') PLAIN[c.charCodeAt(0)] = 0

/**
 * Percent-encodes what the log may not hold (spec 12.4). A `%` that came from the viewer becomes `%25`, so that the
 * original can be had back. Values are latin1 text: one character is one byte.
 */
export function escapeField(text: string): string {
  for (let i = 0; i < text.length; i++) if (PLAIN[text.charCodeAt(i)] !== 1) return escapeFrom(text, i)
  return text === '' ? '-' : text
}

function escapeFrom(text: string, from: number): string {
  let out = text.slice(0, from)
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (PLAIN[code] === 1) out += text[i]
    else if (code < 256) out += `%${code.toString(16).toUpperCase().padStart(2, '0')}`
    else out += encodeURIComponent(text[i]!.isWellFormed() ? text[i]! : '\ufffd')
  }
  return out
}

/** Milliseconds as seconds with three decimals; the short ones come from a table. */
const SHORT = Array.from({ length: 2_000 }, (_, ms) => (ms / 1000).toFixed(3))
const seconds = (ms: number): string => SHORT[Math.round(ms)] ?? (ms / 1000).toFixed(3)
