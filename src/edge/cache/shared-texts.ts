//! Texts that many objects have in common (header lines, content types, ids), kept once and named by a number. A text is
//! taken in when it comes a second time, so that what is different in every object does not fill the table.
import { KeyHash } from './key-hash.ts'

/** Texts, and characters of one of them. Numbers are never taken back: packed objects refer to them. */
const TEXTS_MAX = 4_096
const CHARACTERS_MAX = 512
/** Texts seen once that are remembered, by hash; a newer one takes the place of an older. A power of two. */
const SEEN_SIZE = 16_384

export class SharedTexts {
  readonly #texts: string[] = []
  readonly #numbers = new Map<string, number>()
  readonly #seen = new Uint32Array(SEEN_SIZE)
  readonly #hash = new KeyHash()

  /** Number of the text, -1 when it is not shared. */
  numberOf(text: string): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    if (this.#texts.length === TEXTS_MAX || text.length > CHARACTERS_MAX) return -1
    this.#hash.of(text)
    const at = this.#hash.a & (SEEN_SIZE - 1)
    if (this.#seen[at] !== this.#hash.b) {
      this.#seen[at] = this.#hash.b
      return -1
    }
    this.#numbers.set(text, this.#texts.length)
    return this.#texts.push(text) - 1
  }

  /** The text with a number that `numberOf` gave. */
  textOf(number: number): string {
    return this.#texts[number] as string
  }
}
