//! Looks addresses up in a MaxMind DB file (format 2.0, https://maxmind.github.io/MaxMind-DB/): a binary tree over the
//! bits of an address whose leaves point into a section of typed values. Read through paged-file.ts; the tests compare it
//! with the public reader, which needs the whole file in memory.
import { PagedFile } from './paged-file.ts'

export type MmdbValue = string | number | boolean | bigint | Buffer | readonly MmdbValue[] | MmdbMap
export interface MmdbMap {
  readonly [name: string]: MmdbValue
}

const METADATA_MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')
/** The metadata is within the last 128 KiB ("Database Metadata"). */
const METADATA_BYTES_MAX = 128 * 1024
/** Zeros between tree and data. */
const SEPARATOR_BYTES = 16
/** Maps and lists within each other; the format sets no limit, real databases have five. */
const DEPTH_MAX = 32
/** Added to pointers of 1, 2, 3 and 4 bytes. */
const POINTER_BASE = [0, 2_048, 526_336, 0] as const

export class Mmdb {
  readonly databaseType: string
  /** Unix time, seconds. */
  readonly buildEpoch: number
  readonly ipVersion: number
  readonly #file: PagedFile
  readonly #nodeCount: number
  /** Bits of one of the two records of a node. */
  readonly #recordBits: number
  readonly #dataAt: number
  /** Node where IPv4 addresses begin in a tree of IPv6. */
  readonly #ipv4Node: number

  /** @throws Error that names the file when it cannot be opened or is no MaxMind DB. */
  constructor(path: string) {
    this.#file = new PagedFile(path)
    const metadata = this.#metadata()
    this.databaseType = String(metadata.database_type)
    this.buildEpoch = Number(metadata.build_epoch)
    this.ipVersion = Number(metadata.ip_version)
    this.#nodeCount = Number(metadata.node_count)
    this.#recordBits = Number(metadata.record_size)
    if (
      metadata.binary_format_major_version !== 2 ||
      ![24, 28, 32].includes(this.#recordBits) ||
      !(this.#nodeCount > 0)
    ) {
      throw new Error(`${path} is a MaxMind DB of a kind that is not known`)
    }
    this.#dataAt = this.#nodeCount * (this.#recordBits / 4) + SEPARATOR_BYTES
    this.#ipv4Node = this.ipVersion === 4 ? 0 : this.#zeros(96)
  }

  /** What the database has for an address, given as its 4 or 16 bytes; null for nothing. @throws RangeError for a damaged file. */
  find(address: Uint8Array): MmdbValue | null {
    if (address.length === 16 && this.ipVersion === 4) return null
    let node = address.length === 4 ? this.#ipv4Node : 0
    for (let bit = 0; bit < address.length * 8 && node < this.#nodeCount; bit++) {
      node = this.#record(node, ((address[bit >> 3] as number) >> (7 - (bit & 7))) & 1)
    }
    if (node <= this.#nodeCount) return null
    return this.#value(this.#dataAt - SEPARATOR_BYTES + node - this.#nodeCount, this.#dataAt, 0)[0]
  }

  close(): void {
    this.#file.close()
  }

  #zeros(bits: number): number {
    let node = 0
    for (let bit = 0; bit < bits && node < this.#nodeCount; bit++) node = this.#record(node, 0)
    return node
  }

  #record(node: number, side: number): number {
    const file = this.#file
    const at = node * (this.#recordBits / 4)
    switch (this.#recordBits) {
      case 24:
        return file.uint(at + side * 3, 3)
      case 28: {
        // The byte in the middle has the highest four bits of either.
        const middle = file.byte(at + 3)
        return side === 0
          ? (middle >> 4) * 0x100_0000 + file.uint(at, 3)
          : (middle & 15) * 0x100_0000 + file.uint(at + 4, 3)
      }
      default:
        return file.uint(at + side * 4, 4)
    }
  }

  #metadata(): MmdbMap {
    const { size, path } = this.#file
    const length = Math.min(size, METADATA_BYTES_MAX)
    const found = this.#file.bytes(size - length, length).lastIndexOf(METADATA_MARKER)
    if (found < 0) throw new Error(`${path} is no MaxMind DB`)
    const at = size - length + found + METADATA_MARKER.length
    const [metadata] = this.#value(at, at, 0)
    if (typeof metadata !== 'object') throw new Error(`${path} is no MaxMind DB`)
    return metadata as MmdbMap
  }

  /** The value at `at` and where the next one begins; pointers count from `base`. */
  #value(at: number, base: number, depth: number): [MmdbValue, number] {
    if (depth > DEPTH_MAX) throw new RangeError(`${this.#file.path} nests values without end`)
    const file = this.#file
    const control = file.byte(at)
    let next = at + 1
    let type = control >> 5
    if (type === 1) {
      const size = (control >> 3) & 3
      const high = size === 3 ? 0 : (control & 7) * 256 ** (size + 1)
      const to = base + POINTER_BASE[size as 0 | 1 | 2 | 3] + high + file.uint(next, size + 1)
      return [this.#value(to, base, depth + 1)[0], next + size + 1]
    }
    if (type === 0) type = file.byte(next++) + 7
    let size = control & 31
    if (size > 28) {
      const more = size - 28
      size = [29, 285, 65_821][more - 1]! + file.uint(next, more)
      next += more
    }
    switch (type) {
      case 2:
        return [file.bytes(next, size).toString('utf8'), next + size]
      case 3:
        return [file.bytes(next, 8).readDoubleBE(), next + 8]
      case 4:
        return [file.bytes(next, size), next + size]
      case 5:
      case 6:
        return [file.uint(next, size), next + size]
      case 7:
        return this.#map(next, size, base, depth)
      case 8:
        return [size === 4 ? file.bytes(next, 4).readInt32BE() : file.uint(next, size), next + size]
      case 9:
      case 10:
        return [BigInt(`0x0${file.bytes(next, size).toString('hex')}`), next + size]
      case 11:
        return this.#list(next, size, base, depth)
      case 14:
        return [size !== 0, next]
      case 15:
        return [file.bytes(next, 4).readFloatBE(), next + 4]
      default:
        throw new RangeError(`${file.path} has a value of the unknown type ${type}`)
    }
  }

  #map(at: number, size: number, base: number, depth: number): [MmdbValue, number] {
    const map: Record<string, MmdbValue> = {}
    let next = at
    for (let i = 0; i < size; i++) {
      const [name, valueAt] = this.#value(next, base, depth + 1)
      const [value, end] = this.#value(valueAt, base, depth + 1)
      map[String(name)] = value
      next = end
    }
    return [map, next]
  }

  #list(at: number, size: number, base: number, depth: number): [MmdbValue, number] {
    const list: MmdbValue[] = []
    let next = at
    for (let i = 0; i < size; i++) {
      const [value, end] = this.#value(next, base, depth + 1)
      list.push(value)
      next = end
    }
    return [list, next]
  }
}
