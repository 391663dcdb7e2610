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
  /** Grows with the pages that are kept; each has one of its slots. */
  readonly #slots: Buffer[] = []
  /** Number of the page in each slot. */
  readonly #numbers: number[] = []
  readonly #used: boolean[] = []
  readonly #slotOf = new Map<number, number>()
  /** Where the clock hand is: a page that was used since it passed stays (second chance). */
  #hand = 0
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
    if (!(at >= 0 && at < this.size)) throw new RangeError(`${this.path} has no byte ${at}`)
    return this.#page(Math.floor(at / PAGE_BYTES))[at % PAGE_BYTES] as number
  }

  /** Big endian, up to six bytes. @throws RangeError as `byte` */
  uint(at: number, bytes: number): number {
    let value = 0
    for (let i = 0; i < bytes; i++) value = value * 256 + this.byte(at + i)
    return value
  }

  /** A copy. @throws RangeError as `byte` */
  bytes(at: number, length: number): Buffer {
    if (!(at >= 0 && at + length <= this.size)) {
      throw new RangeError(`${this.path} has no bytes ${at} to ${at + length}`)
    }
    const copy = Buffer.allocUnsafe(length)
    for (let done = 0; done < length; ) {
      const page = this.#page(Math.floor((at + done) / PAGE_BYTES))
      done += page.copy(copy, done, (at + done) % PAGE_BYTES)
    }
    return copy
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #page(number: number): Buffer {
    if (number === this.#lastNumber) return this.#last
    let slot = this.#slotOf.get(number)
    if (slot === undefined) slot = this.#read(number)
    else this.#used[slot] = true
    this.#lastNumber = number
    this.#last = this.#slots[slot] as Buffer
    return this.#last
  }

  #read(number: number): number {
    const slot = this.#freeSlot()
    readSync(this.#descriptor, this.#slots[slot] as Buffer, 0, PAGE_BYTES, number * PAGE_BYTES)
    this.#numbers[slot] = number
    this.#used[slot] = false
    this.#slotOf.set(number, slot)
    return slot
  }

  #freeSlot(): number {
    if (this.#slots.length < PAGES_MAX) return this.#slots.push(Buffer.allocUnsafeSlow(PAGE_BYTES)) - 1
    while (this.#used[this.#hand]) {
      this.#used[this.#hand] = false
      this.#hand = (this.#hand + 1) % PAGES_MAX
    }
    const slot = this.#hand
    this.#hand = (this.#hand + 1) % PAGES_MAX
    this.#slotOf.delete(this.#numbers[slot] as number)
    return slot
  }
}
