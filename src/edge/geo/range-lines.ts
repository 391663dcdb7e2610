//! Looks addresses up in a sorted text of ranges, one a line: `first,last,value,...`, both ends as numbers
//! (@ip-location-db/asn). A binary search in the file itself, through paged-file.ts: nothing is loaded.
import { PagedFile } from './paged-file.ts'

const LF = 10
/** Bytes of a line; a longer one is no line of such a file. */
const LINE_BYTES_MAX = 1_024
const LINE_BYTES_USUAL = 96

export class RangeLines {
  readonly #file: PagedFile

  /** @throws the system's error when the file cannot be opened. */
  constructor(path: string) {
    this.#file = new PagedFile(path)
  }

  /** The third field of the line whose range has the number; null for none. @throws RangeError for another kind of file. */
  find(number: bigint): string | null {
    let low = 0
    let high = this.#file.size
    // The line that begins in [low, high) and holds the last first number that is not greater.
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const start = this.#lineStart(middle)
      const line = this.#line(start)
      const [first = '', last = '', value = ''] = line.split(',', 3)
      if (number < BigInt(first)) high = start
      else if (number <= BigInt(last)) return value
      else low = start + line.length + 1
    }
    return null
  }

  close(): void {
    this.#file.close()
  }

  #lineStart(at: number): number {
    // Most lines are short.
    for (const back of [LINE_BYTES_USUAL, LINE_BYTES_MAX]) {
      const from = Math.max(0, at - back)
      const end = this.#file.bytes(from, at - from).lastIndexOf(LF)
      if (end >= 0) return from + end + 1
      if (from === 0) return 0
    }
    throw new RangeError(`${this.#file.path} has lines of over ${LINE_BYTES_MAX} bytes`)
  }

  /** Without its end; latin1, so that its length is in bytes. */
  #line(start: number): string {
    for (const length of [LINE_BYTES_USUAL, LINE_BYTES_MAX]) {
      const bytes = this.#file.bytes(start, Math.min(length, this.#file.size - start))
      const end = bytes.indexOf(LF)
      if (end >= 0) return bytes.toString('latin1', 0, end)
      if (start + bytes.length === this.#file.size) return bytes.toString('latin1')
    }
    throw new RangeError(`${this.#file.path} has lines of over ${LINE_BYTES_MAX} bytes`)
  }
}
