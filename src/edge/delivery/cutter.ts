//! Takes the pieces of a partial answer out of an object's bytes while they pass.
import type { BodyPiece } from '../../http/range.ts'

/** One pass over an object from its first byte; the ranges of `pieces` are ascending and do not overlap. */
export class Cutter {
  readonly #pieces: readonly BodyPiece[]
  #next = 0
  /** Bytes of the object that have passed. */
  #passed = 0

  constructor(pieces: readonly BodyPiece[]) {
    this.#pieces = pieces
  }

  /** What goes out of the object's next bytes; views of `chunk`, not copies. */
  take(chunk: Uint8Array): Uint8Array[] {
    const from = this.#passed
    const to = from + chunk.length
    this.#passed = to
    const out: Uint8Array[] = []
    for (; this.#next < this.#pieces.length; this.#next++) {
      const piece = this.#pieces[this.#next] as BodyPiece
      if (typeof piece === 'string') {
        out.push(Buffer.from(piece, 'latin1'))
        continue
      }
      const start = Math.max(piece.first, from)
      const end = Math.min(piece.last + 1, to)
      if (start < end) out.push(chunk.subarray(start - from, end - from))
      if (piece.last >= to) break
    }
    return out
  }

  /** The next chunk begins with byte `position` of the object: those between are needed by no piece. */
  skipTo(position: number): void {
    this.#passed = position
  }

  /** The first byte of the object at or after `position` that a piece needs; null when there is none. */
  neededFrom(position: number): number | null {
    for (let at = this.#next; at < this.#pieces.length; at++) {
      const piece = this.#pieces[at] as BodyPiece
      if (typeof piece !== 'string' && piece.last >= position) return Math.max(piece.first, position)
    }
    return null
  }

  /** True when the last piece is out: the rest of the object is not needed. */
  get done(): boolean {
    return this.#next === this.#pieces.length
  }
}
