//! A map by text that is never changed: a change makes a new map, which shares all but some small pieces with the old one,
//! so that it costs its own size. Who holds the old one goes on with what that held.

/** Pieces. A change copies their list, and of each piece that it touches all entries. */
const PIECES = 256
/** Characters of a key that its piece follows from: names that differ only behind them share one, which is slow, not wrong. */
const HASHED_CHARACTERS = 24

export class PersistentMap<V> {
  readonly #pieces: readonly ReadonlyMap<string, V>[]
  readonly size: number

  private constructor(pieces: readonly ReadonlyMap<string, V>[], size: number) {
    this.#pieces = pieces
    this.size = size
  }

  static empty<V>(): PersistentMap<V> {
    return new PersistentMap<V>(
      Array.from({ length: PIECES }, () => NOTHING as ReadonlyMap<string, V>),
      0,
    )
  }

  get(key: string): V | undefined {
    return (this.#pieces[pieceOf(key)] as ReadonlyMap<string, V>).get(key)
  }

  *values(): Generator<V> {
    for (const piece of this.#pieces) yield* piece.values()
  }

  /** The map after `edits`, in their order; `undefined` removes. */
  with(edits: Iterable<readonly [key: string, value: V | undefined]>): PersistentMap<V> {
    const pieces = [...this.#pieces]
    const own = new Map<number, Map<string, V>>()
    let { size } = this
    for (const [key, value] of edits) {
      const at = pieceOf(key)
      let piece = own.get(at)
      if (piece === undefined) {
        piece = new Map(pieces[at])
        own.set(at, piece)
        pieces[at] = piece
      }
      size -= piece.size
      if (value === undefined) piece.delete(key)
      else piece.set(key, value)
      size += piece.size
    }
    return own.size === 0 ? this : new PersistentMap(pieces, size)
  }
}

const NOTHING: ReadonlyMap<string, unknown> = new Map<string, unknown>()

function pieceOf(key: string): number {
  const count = key.length < HASHED_CHARACTERS ? key.length : HASHED_CHARACTERS
  let hash = key.length
  for (let i = 0; i < count; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0
  return (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (PIECES - 1)
}
