//! The chunked transfer coding of a request body (RFC 9112 7.1), read strictly and piece by piece.

/** Bytes of one chunk-size line with its extensions, and of the trailer section. */
const SIZE_LINE_BYTES_MAX = 1_024
const TRAILER_BYTES_MAX = 8_192
/** Bytes of chunk extensions of one body: they carry nothing for us, so many of them are an attack. */
const EXTENSION_BYTES_MAX = 16_384

/** chunk-size [ chunk-ext ] without any whitespace; 13 hexadecimal digits stay below 2^53. */
const SIZE_LINE =
  /^([0-9A-Fa-f]{1,13})((?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"[\t !#-[\]-~\x80-\xff]*"))?)*)$/
const TRAILER_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/

export type ChunkedOutcome = 'more' | 'end' | 'malformed'

/** Trailers are checked and set aside: nothing in a request trailer may change its meaning (RFC 9110 6.5.1). */
export class ChunkedReader {
  /** Name, value, name, value ... of the trailer section so far. */
  readonly trailers: string[] = []
  #state: 'size' | 'data' | 'data-end' | 'trailer' = 'size'
  #left = 0
  #line = ''
  #extensionBytes = 0
  #trailerBytes = 0

  /**
   * Reads `bytes` from `from`; hands the data to `onData` without copying. `used` is where the body ended in `bytes`
   * when the outcome is `end`.
   */
  read(bytes: Buffer, from: number, onData: (data: Buffer) => void): { outcome: ChunkedOutcome; used: number } {
    let at = from
    while (at < bytes.length) {
      if (this.#state === 'data') {
        const end = Math.min(bytes.length, at + this.#left)
        this.#left -= end - at
        onData(bytes.subarray(at, end))
        at = end
        if (this.#left === 0) this.#state = 'data-end'
        continue
      }
      const lf = bytes.indexOf(10, at)
      const end = lf < 0 ? bytes.length : lf + 1
      const max = this.#state === 'trailer' ? TRAILER_BYTES_MAX : SIZE_LINE_BYTES_MAX
      if (this.#line.length + end - at > max) return { outcome: 'malformed', used: at }
      this.#line += bytes.toString('latin1', at, end)
      at = end
      if (lf < 0) {
        // What must be CRLF can be refused at its first wrong byte.
        if (this.#state === 'data-end' && this.#line !== '\r') return { outcome: 'malformed', used: at }
        break
      }
      if (!this.#line.endsWith('\r\n')) return { outcome: 'malformed', used: at }
      const line = this.#line.slice(0, -2)
      this.#line = ''
      const outcome = this.#takeLine(line)
      if (outcome !== 'more') return { outcome, used: at }
    }
    return { outcome: 'more', used: at }
  }

  #takeLine(line: string): ChunkedOutcome {
    if (this.#state === 'data-end') {
      this.#state = 'size'
      return line === '' ? 'more' : 'malformed'
    }
    if (this.#state === 'trailer') {
      if (line === '') return 'end'
      this.#trailerBytes += line.length + 2
      if (this.#trailerBytes > TRAILER_BYTES_MAX || !TRAILER_LINE.test(line)) return 'malformed'
      const colon = line.indexOf(':')
      this.trailers.push(line.slice(0, colon), line.slice(colon + 1).trim())
      return 'more'
    }
    const parts = SIZE_LINE.exec(line)
    if (parts === null) return 'malformed'
    this.#extensionBytes += parts[2]!.length
    if (this.#extensionBytes > EXTENSION_BYTES_MAX) return 'malformed'
    this.#left = Number.parseInt(parts[1]!, 16)
    this.#state = this.#left === 0 ? 'trailer' : 'data'
    return 'more'
  }
}
