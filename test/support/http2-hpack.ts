//! HPACK for tests (RFC 7541), without any of src/edge: an encoder that writes what it is told, right or wrong, and a strict
//! decoder with a dynamic table.

const STATIC = `:authority|:method GET|:method POST|:path /|:path /index.html|:scheme http|:scheme https|:status 200|:status 204
:status 206|:status 304|:status 400|:status 404|:status 500|accept-charset|accept-encoding gzip, deflate|accept-language
accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|content-encoding
content-language|content-length|content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host
if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards
proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server|set-cookie|strict-transport-security
transfer-encoding|user-agent|vary|via|www-authenticate`
export type Field = readonly [name: string, value: string]
/** Appendix A; index 1 comes first. */
export const STATIC_TABLE: readonly Field[] = STATIC.split(/[|\n]/).map((line) => {
  const space = line.indexOf(' ')
  return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)]
})

/** Appendix B: bits of each symbol's code, EOS last. The codes are canonical: in the order of length, then of symbol. */
const CODE_BITS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
] // biome-ignore format: a table
const EOS = 256

/** Of each symbol its code as text of 0 and 1. */
export const CODES: readonly string[] = (() => {
  const codes: string[] = []
  const symbols = [...CODE_BITS.keys()].sort((a, b) => CODE_BITS[a]! - CODE_BITS[b]! || a - b)
  let code = 0
  let bits = CODE_BITS[symbols[0]!]!
  for (const symbol of symbols) {
    code *= 2 ** (CODE_BITS[symbol]! - bits)
    bits = CODE_BITS[symbol]!
    codes[symbol] = code.toString(2).padStart(bits, '0')
    code++
  }
  return codes
})()
const SYMBOLS = new Map(CODES.map((code, symbol) => [code, symbol]))

/** Bits as text to bytes; what is missing of the last is filled with `pad`. */
export const bytesOfBits = (bits: string, pad = '1'): Buffer =>
  Buffer.from((bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, pad), 2)))

export const huffman = (text: string): Buffer =>
  bytesOfBits([...Buffer.from(text, 'latin1')].map((byte) => CODES[byte]).join(''))

function huffmanDecode(bytes: Buffer): string {
  const out: number[] = []
  let code = ''
  for (const byte of bytes) {
    for (const bit of byte.toString(2).padStart(8, '0')) {
      code += bit
      const symbol = SYMBOLS.get(code)
      if (symbol === undefined) continue
      if (symbol === EOS) throw new Error('EOS in a Huffman string')
      out.push(symbol)
      code = ''
    }
  }
  if (code.length > 7 || code.includes('0')) throw new Error('bad Huffman padding')
  return Buffer.from(out).toString('latin1')
}

/** 5.1; `first` is what stands in the bits before the prefix, `zeros` a number of bytes more than it needs. */
export function integer(value: number, prefix: number, first = 0, zeros = 0): Buffer {
  const most = 2 ** prefix - 1
  if (value < most && zeros === 0) return Buffer.from([first | value])
  const bytes = [first | most]
  let rest = value - most
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  if (zeros === 0) bytes.push(rest)
  else bytes.push(rest | 128, ...Array.from({ length: zeros - 1 }, () => 128), 0)
  return Buffer.from(bytes)
}

/** 5.2 */
export function text(value: string, coded = false): Buffer {
  const bytes = coded ? huffman(value) : Buffer.from(value, 'latin1')
  return Buffer.concat([integer(bytes.length, 7, coded ? 0x80 : 0), bytes])
}

/** 6.1 */
export const indexed = (index: number): Buffer => integer(index, 7, 0x80)

/** 6.2: the patterns in front of the index, and the bits of its prefix. */
const LITERALS = { indexing: [0x40, 6], without: [0, 4], never: [0x10, 4] } as const
export interface LiteralWishes {
  readonly as?: keyof typeof LITERALS
  readonly coded?: boolean
}
/** `name` is a name or an index of the tables. */
export function literal(
  name: string | number,
  value: string,
  { as = 'without', coded = false }: LiteralWishes = {},
): Buffer {
  const [pattern, prefix] = LITERALS[as]
  const head = integer(typeof name === 'number' ? name : 0, prefix, pattern)
  return Buffer.concat(
    typeof name === 'number' ? [head, text(value, coded)] : [head, text(name, coded), text(value, coded)],
  )
}

/** 6.3 */
export const sizeUpdate = (bytes: number): Buffer => integer(bytes, 5, 0x20)

/** Fields without any table or code. */
export const block = (...fields: readonly Field[]): Buffer =>
  Buffer.concat(fields.map(([name, value]) => literal(name, value)))

const sizeOf = ([name, value]: Field): number => name.length + value.length + 32

/** Throws at whatever RFC 7541 forbids. */
export class HpackDecoder {
  /** Newest first. */
  readonly #entries: Field[] = []
  #size = 0
  /** The most that the encoder may choose: SETTINGS_HEADER_TABLE_SIZE. */
  limit = 4_096
  /** What it has chosen. */
  #chosen = 4_096
  /** The limit went below what is chosen: the next block must begin with an update to no more than it was at its least. */
  updateOwed = false
  #least = Number.POSITIVE_INFINITY
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0

  setLimit(limit: number): void {
    this.limit = limit
    if (this.#chosen > limit) this.updateOwed = true
    this.#least = Math.min(this.#least, limit)
  }

  decode(bytes: Buffer): Field[] {
    this.#bytes = bytes
    this.#at = 0
    const fields: Field[] = []
    while (this.#at < bytes.length) {
      const first = bytes[this.#at]!
      if ((first & 0xe0) === 0x20) {
        if (fields.length > 0) throw new Error('size update behind a field')
        const size = this.#integer(5)
        const most = this.updateOwed ? this.#least : this.limit
        if (size > most) throw new Error(`table size ${size} over ${most}`)
        this.#chosen = size
        this.updateOwed = false
        this.#least = Number.POSITIVE_INFINITY
        this.#evict()
        continue
      }
      if (this.updateOwed) throw new Error('no size update after the limit was reduced')
      if (first & 0x80) fields.push(this.#entry(this.#integer(7)))
      else {
        const keep = (first & 0x40) !== 0
        const index = this.#integer(keep ? 6 : 4)
        const field: Field = [index === 0 ? this.#text() : this.#entry(index)[0], this.#text()]
        fields.push(field)
        if (keep) {
          this.#entries.unshift(field)
          this.#size += sizeOf(field)
          this.#evict()
        }
      }
    }
    return fields
  }

  #entry(index: number): Field {
    const field =
      index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : this.#entries[index - STATIC_TABLE.length - 1]
    if (field === undefined) throw new Error(`index ${index} is in no table`)
    return field
  }

  #evict(): void {
    while (this.#size > this.#chosen) this.#size -= sizeOf(this.#entries.pop()!)
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) throw new Error('the block is cut')
    return this.#bytes[this.#at++]!
  }

  #integer(prefix: number): number {
    const most = 2 ** prefix - 1
    let value = this.#byte() & most
    if (value < most) return value
    for (let shift = 0; ; shift += 7) {
      const byte = this.#byte()
      value += (byte & 127) * 2 ** shift
      if (shift > 28) throw new Error('an integer that is too long')
      if (byte < 128) return value
    }
  }

  #text(): string {
    const coded = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0
    const length = this.#integer(7)
    const end = this.#at + length
    if (end > this.#bytes.length) throw new Error('a string that is cut')
    const bytes = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return coded ? huffmanDecode(bytes) : bytes.toString('latin1')
  }
}
