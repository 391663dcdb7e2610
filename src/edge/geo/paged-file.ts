//! Bytes of a large file that never lies in memory whole: read in pages when they are needed, the last ones kept. Node has
//! no mmap; a GeoIP database read whole costs each worker 134 MB and a third of a second, its pages 4 MB and nothing.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const PAGE_BYTES = 4_096
/** Pages kept of one file: 4 MiB. */
const PAGES_MAX = 1_024

export class PagedFile {
  readonly path: string
  /** Bytes of the file when it was opened. */
  readonly size: number
  readonly #descriptor: number
  /** By number, the one that was not used for the longest time first. */
  readonly #pages = new Map<number, Buffer>()
  #lastNumber = -1
  #last: Buffer = Buffer.alloc(0)

  /** @throws the system's error when it cannot be opened. */
  constructor(path: string) {
    this.path = path
    this.#descriptor = openSync(path, 'r')
    this.size = fstatSync(this.#descriptor).size
  }

  /** @throws RangeError beyond the end: a file that was cut off, or a pointer that leads out of it. */
  byte(at: number): number {
    const page = this.#page(Math.floor(at / PAGE_BYTES))
    const byte = page[at % PAGE_BYTES]
    if (byte === undefined) throw new RangeError(`${this.path} has no byte ${at}`)
    return byte
  }

  /** Big endian, up to six bytes. */
  uint(at: number, bytes: number): number {
    let value = 0
    for (let i = 0; i < bytes; i++) value = value * 256 + this.byte(at + i)
    return value
  }

  /** A copy. @throws RangeError as `byte` */
  bytes(at: number, length: number): Buffer {
    if (at < 0 || at + length > this.size) throw new RangeError(`${this.path} has no bytes ${at} to ${at + length}`)
    const first = Math.floor(at / PAGE_BYTES)
    const last = Math.floor(Math.max(at, at + length - 1) / PAGE_BYTES)
    const pages =
      first === last ? [this.#page(first)] : Array.from({ length: last - first + 1 }, (_, n) => this.#page(first + n))
    const from = at - first * PAGE_BYTES
    return Buffer.concat(pages).subarray(from, from + length)
  }

  close(): void {
    closeSync(this.#descriptor)
    this.#pages.clear()
  }

  #page(number: number): Buffer {
    if (number === this.#lastNumber) return this.#last
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = this.#read(number)
      if (this.#pages.size >= PAGES_MAX) this.#pages.delete(this.#pages.keys().next().value as number)
    } else this.#pages.delete(number)
    this.#pages.set(number, page)
    this.#lastNumber = number
    this.#last = page
    return page
  }

  #read(number: number): Buffer {
    const page = Buffer.allocUnsafeSlow(PAGE_BYTES)
    const got = readSync(this.#descriptor, page, 0, PAGE_BYTES, number * PAGE_BYTES)
    return page.subarray(0, got)
  }
}
