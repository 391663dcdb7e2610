//! Decodes header blocks (RFC 7541 3, 6) with the dynamic table of one connection. A field that is named again is the same
//! object again.
import { Field, kindOf } from './field.ts'
import { decodeHuffman } from './huffman.ts'
import { STATIC_FIELDS } from './static-table.ts'

/** SETTINGS_HEADER_TABLE_SIZE as we leave it (RFC 9113 6.5.2). */
export const TABLE_BYTES = 4_096
const STATIC_COUNT = STATIC_FIELDS.length - 1
/** An entry takes 32 bytes and more, so that no more than this many are in the table; a power of two. */
const SLOTS = 128

export interface ListBounds {
  /** Bytes of names and values, four more a field: what the lines take in HTTP/1.1. */
  readonly bytes: number
  readonly fields: number
}

export class HpackDecoder {
  /** Rises when the dynamic table changes: a block means the same as before as long as it does not. */
  revision = 0
  /** Of the last block: it had more than the bounds; the fields beyond them are not in the list. */
  overBounds = false
  readonly #bounds: ListBounds
  /** A ring: the newest entry lies at `#newest`, the older ones behind it. */
  readonly #ring: (Field | undefined)[] = new Array(SLOTS)
  #newest = 0
  #count = 0
  #bytes = 0
  #bytesMax = TABLE_BYTES
  /** Where the last integer or string ended; -1 when it was none. */
  #at = 0

  constructor(bounds: ListBounds) {
    this.#bounds = bounds
  }

  /** Appends the fields of a whole block to `list`; false when it is none: the connection cannot go on (4.3 of RFC 9113). */
  decode(bytes: Buffer, from: number, end: number, list: Field[]): boolean {
    this.#at = from
    this.overBounds = false
    let listBytes = 0
    while ((bytes[this.#at]! & 0xe0) === 0x20 && this.#at < end) if (!this.#resize(bytes, end)) return false
    while (this.#at < end) {
      const field = this.#field(bytes, end)
      if (field === null) return false
      listBytes += field.name.length + field.value.length + 4
      if (listBytes > this.#bounds.bytes || list.length >= this.#bounds.fields) this.overBounds = true
      else list.push(field)
    }
    return true
  }

  #field(bytes: Buffer, end: number): Field | null {
    const first = bytes[this.#at]!
    if (first >= 0x80) return this.#entry(this.#integer(bytes, end, 0x7f)) ?? null
    if (first >= 0x40) {
      const field = this.#literal(bytes, end, 0x3f)
      if (field !== null) this.#add(field)
      return field
    }
    // A change of the table's size has its place at the beginning of a block alone (4.2).
    if (first >= 0x20) return null
    return this.#literal(bytes, end, 0x0f)
  }

  #literal(bytes: Buffer, end: number, mask: number): Field | null {
    const index = this.#integer(bytes, end, mask)
    if (index < 0) return null
    let name: string
    let kind: number
    if (index === 0) {
      const text = this.#string(bytes, end)
      if (text === null) return null
      name = text
      kind = kindOf(text)
    } else {
      const entry = this.#entry(index)
      if (entry === undefined) return null
      name = entry.name
      // The entry may be malformed by its value.
      kind = kindOf(name)
    }
    const value = this.#string(bytes, end)
    return value === null ? null : new Field(name, value, kind)
  }

  /** Undefined for an index that nothing has. */
  #entry(index: number): Field | undefined {
    if (index <= STATIC_COUNT) return index < 0 ? undefined : STATIC_FIELDS[index]
    const age = index - STATIC_COUNT - 1
    return age < this.#count ? this.#ring[(this.#newest - age) & (SLOTS - 1)] : undefined
  }

  #add(field: Field): void {
    const { size } = field
    this.revision++
    this.#evict(this.#bytesMax - size)
    // One that is larger than the table empties it, and is no error (4.4).
    if (size > this.#bytesMax) return
    this.#newest = (this.#newest + 1) & (SLOTS - 1)
    this.#ring[this.#newest] = field
    this.#count++
    this.#bytes += size
  }

  /** Lets the oldest go until no more than `bytes` are left. */
  #evict(bytes: number): void {
    while (this.#bytes > bytes && this.#count > 0) {
      const oldest = (this.#newest - this.#count + 1) & (SLOTS - 1)
      this.#bytes -= this.#ring[oldest]!.size
      this.#ring[oldest] = undefined
      this.#count--
    }
  }

  #resize(bytes: Buffer, end: number): boolean {
    const size = this.#integer(bytes, end, 0x1f)
    if (size < 0 || size > TABLE_BYTES) return false
    this.#bytesMax = size
    this.revision++
    this.#evict(size)
    return true
  }

  /** An integer (5.1); -1 when it does not end, or is larger than anything that it could count here. */
  #integer(bytes: Uint8Array, end: number, mask: number): number {
    let value = bytes[this.#at++]! & mask
    if (value < mask) return value
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.#at >= end) return -1
      const byte = bytes[this.#at++]!
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    return -1
  }

  #string(bytes: Buffer, end: number): string | null {
    if (this.#at >= end) return null
    const isHuffman = bytes[this.#at]! >= 0x80
    const length = this.#integer(bytes, end, 0x7f)
    const from = this.#at
    if (length < 0 || length > end - from) return null
    this.#at = from + length
    return isHuffman ? decodeHuffman(bytes, from, from + length) : bytes.toString('latin1', from, from + length)
  }
}
