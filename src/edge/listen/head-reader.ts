//! Finds and reads the head of the next request in the bytes of one connection, and remembers the last header block:
//! a viewer that sends the same headers again costs one comparison of strings.
import { type Malformed, type ParsedHeaders, parseHeaders, TOKEN } from './header-block.ts'
import type { ListenLimits } from './limits.ts'
import { parseRequestLine, type RequestLine } from './request-line.ts'

const CR = 13
const LF = 10

export class HeadReader {
  /**
   * The head that the last `read` found whole; `end` is where its body, or the next request, begins. Of one whose headers
   * are wrong, the line.
   */
  line: RequestLine | null = null
  headers: ParsedHeaders | null = null
  end = 0
  readonly #limits: ListenLimits
  /** With its final empty line. */
  #lastBlock = ''
  #lastHeaders: ParsedHeaders | null = null

  constructor(limits: ListenLimits) {
    this.#limits = limits
  }

  /** Reads the head that begins at `at`; `text` is `bytes` as latin1. */
  read(bytes: Buffer, text: string, at: number): 'whole' | 'incomplete' | Malformed {
    this.line = null
    // One empty line before a request is ignored (RFC 9112 2.2).
    const from = bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : at
    const lineEnd = text.indexOf('\r\n', from)
    if (lineEnd < 0) return this.#refuseEarly(bytes, from, lineEnd) ?? 'incomplete'
    const blockAt = lineEnd + 2
    const blockLength = this.#lastBlock.length
    // The same bytes as before end where they ended before.
    const same = blockLength > 0 && text.slice(blockAt, blockAt + blockLength) === this.#lastBlock
    const headEnd = same
      ? blockAt + blockLength - 4
      : text.startsWith('\r\n\r\n', lineEnd)
        ? lineEnd
        : text.indexOf('\r\n\r\n', lineEnd)
    if (headEnd < 0) return this.#refuseEarly(bytes, from, lineEnd) ?? 'incomplete'
    const line = parseRequestLine(text.slice(from, lineEnd), this.#limits.urlBytes)
    if (typeof line === 'string') return line
    this.line = line
    if (headEnd + 4 - from > this.#limits.headBytes) return 'head-too-large'
    const headers = same ? (this.#lastHeaders as ParsedHeaders) : this.#headersOf(bytes, blockAt, headEnd + 2)
    if (typeof headers === 'string') return headers
    const wrong = mismatch(line, headers)
    if (wrong !== null) return wrong
    this.headers = headers
    this.end = headEnd + 4
    return 'whole'
  }

  #headersOf(bytes: Buffer, from: number, end: number): ParsedHeaders | Malformed {
    // A string of its own: slices of `text` would keep all that was read with it alive for as long as the connection.
    const block = bytes.toString('latin1', from, end)
    const headers = parseHeaders(bytes.subarray(from, end), block, this.#limits.headers)
    // Ten thousand idle connections must not hold as many blocks of the largest size.
    if (typeof headers !== 'string' && block.length <= this.#limits.rememberedBytes) {
      this.#lastBlock = `${block}\r\n`
      this.#lastHeaders = headers
    }
    return headers
  }

  /** What no further bytes can make right is refused at once; null while the head may still become a good one. */
  #refuseEarly(bytes: Buffer, from: number, lineEnd: number): Malformed | null {
    const length = bytes.length - from
    if (length > this.#limits.headBytes) return lineEnd < 0 ? 'url-too-long' : 'head-too-large'
    // Method, two spaces and the version take under 64 bytes; all else of a line is the target.
    if ((lineEnd < 0 ? length : lineEnd - from) > this.#limits.urlBytes + 64) return 'url-too-long'
    if (length > 0 && bytes[from] !== CR && TOKEN[bytes[from]!] !== 1) return 'bad-request-line'
    for (let lf = bytes.indexOf(LF, from); lf >= 0; lf = bytes.indexOf(LF, lf + 1)) {
      if (lf === from || bytes[lf - 1] !== CR) return 'bad-line-end'
    }
    return null
  }
}

/** What only the request line and the headers together can tell. */
function mismatch(line: RequestLine, headers: ParsedHeaders): Malformed | null {
  const { facts } = headers
  if (line.minor === 1 && !facts.hasHost) return 'bad-host'
  // A sender of HTTP/1.0 does not know chunks: whatever is meant, it is not this (RFC 9112 6.1).
  if (line.minor === 0 && facts.chunked) return 'bad-transfer-encoding'
  if (line.authority !== null && line.authority.toLowerCase() !== facts.authority.toLowerCase()) return 'bad-host'
  return null
}
