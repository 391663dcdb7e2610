//! PURE: what an RDB says of itself: its version and the named values at its beginning, and at its end the checksum that
//! proves it whole. The keys between are not read.
import { Crc64 } from './crc64.ts'

/** `REDIS0010`, `VALKEY080`: both are nine bytes. */
const MAGIC = /^(?:REDIS(\d{4})|VALKEY(\d{3}))$/
const MAGIC_BYTES = 9
const OPCODE_AUX = 0xfa
const CHECKSUM_BYTES = 8
/** The named values lie within so many bytes of the beginning (they take about 200); later ones are left out. */
const HEAD_BYTES = 4096

/** The bytes are no RDB, or not a whole one. */
export class RdbError extends Error {
  override readonly name = 'RdbError'
}

export interface RdbFacts {
  readonly bytes: number
  readonly version: number
  /** `7.0.15`; null when it names none. */
  readonly engineVersion: string | null
  /** Memory that the engine used when it wrote it. */
  readonly usedMemoryBytes: number | null
}

/** Reads along while an RDB streams by. */
export class RdbReader {
  readonly #crc = new Crc64()
  #head = Buffer.alloc(0)
  /** The last bytes, not yet in the checksum: they may be the checksum. */
  #tail = Buffer.alloc(0)
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#head.length < HEAD_BYTES) {
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, HEAD_BYTES - this.#head.length)])
      this.#checkMagic()
    }
    if (chunk.length >= CHECKSUM_BYTES) {
      this.#crc.update(this.#tail)
      this.#crc.update(chunk, 0, chunk.length - CHECKSUM_BYTES)
      this.#tail = Buffer.from(chunk.subarray(chunk.length - CHECKSUM_BYTES))
      return
    }
    const all = Buffer.concat([this.#tail, chunk])
    const counted = Math.max(0, all.length - CHECKSUM_BYTES)
    this.#crc.update(all, 0, counted)
    this.#tail = all.subarray(counted)
  }

  #checkMagic(): void {
    if (this.#head.length >= MAGIC_BYTES) rdbVersion(this.#head)
  }

  /** @throws RdbError when it is not a whole RDB. */
  end(): RdbFacts {
    if (this.#bytes < MAGIC_BYTES + 1 + CHECKSUM_BYTES) throw new RdbError('it is too short for an RDB')
    const expected = this.#tail.readBigUInt64LE()
    // 0: the engine that wrote it had `rdbchecksum no`.
    if (expected !== 0n && expected !== this.#crc.value) {
      throw new RdbError('its checksum is wrong: it is damaged or not whole')
    }
    const values = namedValues(this.#head)
    const usedMemory = Number(values.get('used-mem'))
    return {
      bytes: this.#bytes,
      version: rdbVersion(this.#head),
      engineVersion: values.get('valkey-ver') ?? values.get('redis-ver') ?? null,
      usedMemoryBytes: Number.isSafeInteger(usedMemory) && usedMemory > 0 ? usedMemory : null,
    }
  }
}

/** Format version of the RDB that begins with `head`. @throws RdbError */
export function rdbVersion(head: Buffer): number {
  const match = MAGIC.exec(head.toString('latin1', 0, MAGIC_BYTES))
  if (match === null) throw new RdbError('it does not begin as an RDB does (REDIS or VALKEY and a version)')
  return Number(match[1] ?? match[2])
}

/** The named values at the beginning (opcode AUX: two strings each). */
function namedValues(head: Buffer): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  let at = MAGIC_BYTES
  while (head[at] === OPCODE_AUX) {
    const name = readString(head, at + 1)
    const value = name === null ? null : readString(head, name.next)
    if (name === null || value === null) break
    values.set(name.text, value.text)
    at = value.next
  }
  return values
}

/** A short string or an integer in one of the RDB's encodings; null for one that is long, compressed or cut off. */
function readString(head: Buffer, at: number): { readonly text: string; readonly next: number } | null {
  const first = head[at]
  if (first === undefined) return null
  const kind = first >> 6
  if (kind === 0) {
    const next = at + 1 + (first & 0x3f)
    return next <= head.length ? { text: head.toString('latin1', at + 1, next), next } : null
  }
  const bytes = kind === 3 ? ([1, 2, 4] as const)[first & 0x3f] : undefined
  if (bytes === undefined || at + 1 + bytes > head.length) return null
  return { text: String(head.readIntLE(at + 1, bytes)), next: at + 1 + bytes }
}

/** The newest RDB format that the engines read, by `major.minor`. */
const READS: Readonly<Record<string, number>> = {
  'redis 7.0': 10,
  'redis 7.2': 11,
  'redis 7.4': 12,
  'valkey 7.2': 11,
  'valkey 8.0': 11,
  'valkey 8.1': 11,
  'valkey 9.0': 80,
}

/** The newest RDB format that this engine reads; null when the table does not know it: the engine itself will tell. */
export function rdbVersionMax(engine: 'redis' | 'valkey', engineVersion: string): number | null {
  return READS[`${engine} ${engineVersion.split('.').slice(0, 2).join('.')}`] ?? null
}
