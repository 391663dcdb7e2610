//! The header block of a request and what the message framing needs to know of it, parsed once from the bytes.
//! Strict where a lenient reading could be understood in two ways (RFC 9112 11.2, request smuggling).
import type { HeaderBlock } from './viewer.ts'

/** Why a head is refused; the word goes into counters and traces. */
export type Malformed =
  | 'bad-request-line'
  | 'bad-method'
  | 'bad-target'
  | 'bad-version'
  | 'url-too-long'
  | 'head-too-large'
  | 'bad-header-name'
  | 'bad-header-value'
  | 'bad-line-end'
  | 'bad-host'
  | 'bad-content-length'
  | 'bad-transfer-encoding'
  | 'two-framings'
  | 'bad-expect'

/** Message framing and connection facts of a header block (RFC 9112 6.3, 9.3; RFC 9110 10.1.1). */
export interface Facts {
  /** Declared length; -1 when there is no Content-Length. */
  readonly contentLength: number
  readonly chunked: boolean
  readonly close: boolean
  readonly expectContinue: boolean
  /** A Host header was there; HTTP/1.1 demands it. */
  readonly hasHost: boolean
  /** Host as sent, to be compared with an absolute-form target. */
  readonly authority: string
}

export class ParsedHeaders implements HeaderBlock {
  readonly raw: readonly string[]
  readonly host: string
  readonly bytes: number
  readonly derived = new Map<object, unknown>()
  readonly facts: Facts
  #index: Map<string, string[]> | null = null

  constructor(raw: readonly string[], bytes: number, facts: Facts) {
    this.raw = raw
    this.bytes = bytes
    this.facts = facts
    this.host = hostOf(facts.authority)
  }

  get(name: string): string | undefined {
    return (this.#index ?? this.#build()).get(name)?.[0]
  }

  getAll(name: string): readonly string[] {
    return (this.#index ?? this.#build()).get(name) ?? []
  }

  #build(): Map<string, string[]> {
    const index = new Map<string, string[]>()
    for (let i = 0; i < this.raw.length; i += 2) {
      const name = this.raw[i]!.toLowerCase()
      const values = index.get(name)
      if (values === undefined) index.set(name, [this.raw[i + 1]!])
      else values.push(this.raw[i + 1]!)
    }
    this.#index = index
    return index
  }
}

/** The block of a request whose framing is nobody's concern any more: one that the edge made itself, or was told of. */
export const unframedHeaders = (raw: readonly string[], authority: string): ParsedHeaders =>
  new ParsedHeaders(raw, 0, {
    contentLength: -1,
    chunked: false,
    close: false,
    expectContinue: false,
    hasHost: authority !== '',
    authority,
  })

/** Lower case, without port; brackets of an IPv6 literal stay. */
function hostOf(authority: string): string {
  const end = authority.startsWith('[') ? authority.indexOf(']') + 1 : authority.indexOf(':')
  return (end < 0 ? authority : authority.slice(0, end)).toLowerCase()
}

/** Token characters (RFC 9110 5.6.2) and characters of a field value (5.5), by byte. */
export const TOKEN = new Uint8Array(256)
const VALUE = new Uint8Array(256)
for (let byte = 0; byte < 256; byte++) {
  if (/^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/.test(String.fromCharCode(byte))) TOKEN[byte] = 1
  if (byte === 9 || (byte >= 32 && byte !== 127)) VALUE[byte] = 1
}

/** True for text without control bytes, tabs apart. */
export function isFieldValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (VALUE[text.charCodeAt(i)] !== 1) return false
  return true
}

const SPACE = 32
const TAB = 9
const COLON = 58
const CR = 13
const LF = 10

/**
 * Parses a whole block of header lines, each ending with CRLF; `text` is `bytes` as latin1. No whitespace before the
 * colon, no folded line, no control byte, no bare CR or LF (RFC 9112 5).
 */
export function parseHeaders(bytes: Uint8Array, text: string, headersMax: number): ParsedHeaders | Malformed {
  const raw: string[] = []
  let at = 0
  while (at < bytes.length) {
    const nameAt = at
    while (TOKEN[bytes[at]!] === 1) at++
    if (at === nameAt || bytes[at] !== COLON) return 'bad-header-name'
    const name = text.slice(nameAt, at)
    at++
    while (bytes[at] === SPACE || bytes[at] === TAB) at++
    const valueAt = at
    while (VALUE[bytes[at]!] === 1) at++
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return bytes[at] === LF ? 'bad-line-end' : 'bad-header-value'
    let valueEnd = at
    while (valueEnd > valueAt && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) valueEnd--
    // Node's parser, and who knows whose, finds another coding in `chunked` and a tab: nobody sends it in good faith.
    if (valueEnd < at && name.length === 17 && isCodingWithTab(name, text.slice(valueEnd, at))) {
      return 'bad-transfer-encoding'
    }
    raw.push(name, text.slice(valueAt, valueEnd))
    at += 2
    if (raw.length > headersMax * 2) return 'head-too-large'
  }
  return headersOf(raw, bytes.length)
}

/** A block of fields that are well-formed each by itself; `bytes` as of HeaderBlock. */
export function headersOf(raw: readonly string[], bytes: number): ParsedHeaders | Malformed {
  const facts = factsOf(raw)
  return typeof facts === 'string' ? facts : new ParsedHeaders(raw, bytes, facts)
}

const isCodingWithTab = (name: string, blanks: string): boolean =>
  blanks.includes('\t') && name.toLowerCase() === 'transfer-encoding'

/** uri-host [ ":" port ] of RFC 9110 7.2, narrowed to what a name or an address can be; no userinfo, no percent. */
const HOST = /^(?:[A-Za-z0-9._~-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?$/

/** Up to 2^53, so that arithmetic on it is exact. */
const LENGTH = /^[0-9]{1,15}$/

function factsOf(raw: readonly string[]): Facts | Malformed {
  let contentLength = -1
  let chunked = false
  let close = false
  let expectContinue = false
  let hasHost = false
  let authority = ''
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!
    const value = raw[i + 1]!
    switch (name.length) {
      case 4:
        if (name.toLowerCase() !== 'host') break
        if (hasHost || !HOST.test(value)) return 'bad-host'
        hasHost = true
        authority = value
        break
      case 6:
        if (name.toLowerCase() !== 'expect') break
        if (expectContinue || value.toLowerCase() !== '100-continue') return 'bad-expect'
        expectContinue = true
        break
      case 10:
        if (name.toLowerCase() !== 'connection') break
        if (value.split(',').some((option) => option.trim().toLowerCase() === 'close')) close = true
        break
      case 14:
        if (name.toLowerCase() !== 'content-length') break
        // Repeated lengths are refused even when they agree: whoever is behind us need not read them as we do.
        if (contentLength >= 0 || !LENGTH.test(value)) return 'bad-content-length'
        contentLength = Number(value)
        break
      case 17:
        if (name.toLowerCase() !== 'transfer-encoding') break
        if (chunked || value.toLowerCase() !== 'chunked') return 'bad-transfer-encoding'
        chunked = true
        break
    }
  }
  if (chunked && contentLength >= 0) return 'two-framings'
  return { contentLength, chunked, close, expectContinue, hasHost, authority }
}
