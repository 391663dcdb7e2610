//! The memory of what was invalidated: one row of fixed size for each distinct path, prefix or tag, found by a keyed
//! hash, so that 100,000 of them take a few megabytes however long their texts are. Texts are not kept: two that share
//! all 64 bits of their hashes count as one, which costs an object a fetch and never keeps one alive.
import { randomInt } from 'node:crypto'

/** What a text stands for; part of the hash. */
export const PATTERN = { exact: 0x9e3779b1, prefix: 0x85ebca77, tag: 0xc2b2ae3d } as const
export type PatternKind = keyof typeof PATTERN

/** Bytes of a row: two hashes of 4, two revisions of 8. */
export const ROW_BYTES = 24
/** The table grows when this share of it is taken. */
const LOAD_MAX = 0.5
const ROWS_FIRST = 1_024
const NONE = -1

/** Factors of the two lanes of the hash. */
export const FACTOR_A = 2654435761
export const FACTOR_B = 1597334677

/** A hash under way: fed character by character, so that each prefix of a text is on the way to the whole. */
export interface HashState {
  a: number
  b: number
}

/** Goes on with the hash of latin1 `text` from `from` up to `to`. */
export function feed(state: HashState, text: string, from = 0, to = text.length): void {
  let { a, b } = state
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at)
    a = Math.imul(a ^ code, FACTOR_A)
    b = Math.imul(b ^ code, FACTOR_B)
  }
  state.a = a
  state.b = b
}

export class PatternTable {
  /** Distinct patterns. */
  count = 0
  readonly #seed: HashState = { a: randomInt(2 ** 31), b: randomInt(2 ** 31) }
  #hashA = new Uint32Array(ROWS_FIRST)
  #hashB = new Uint32Array(ROWS_FIRST)
  /** Newest revision that kills, and that makes soft; -1 for none. A row with neither is empty. */
  #hard = new Float64Array(ROWS_FIRST).fill(NONE)
  #soft = new Float64Array(ROWS_FIRST).fill(NONE)
  /** Of the last `find`. */
  hard = NONE
  soft = NONE
  /** Of the last `#place`: both hashes as they stand in a row. */
  #a = 0
  #b = 0

  /** Bytes of the table. */
  get bytes(): number {
    return this.#hard.length * ROW_BYTES
  }

  /** The beginning of every hash of a distribution. */
  begin(distributionId: string): HashState {
    const state = { ...this.#seed }
    feed(state, distributionId)
    return state
  }

  /** Enters the pattern at the end of `state`; revisions never go down. */
  set(state: HashState, kind: PatternKind, revision: number, soft: boolean): void {
    if (this.count + 1 > this.#hard.length * LOAD_MAX) this.#rebuild(this.#hard.length * 2, NONE)
    const at = this.#place(state.a, state.b, PATTERN[kind])
    if (this.#isEmpty(at)) this.count++
    this.#hashA[at] = this.#a
    this.#hashB[at] = this.#b
    if (soft) this.#soft[at] = revision
    else this.#hard[at] = revision
  }

  /** Sets `hard` and `soft` to the newest revisions of the pattern at (a, b): -1 when it is not there. */
  find(a: number, b: number, kind: number): boolean {
    const at = this.#place(a, b, kind)
    this.hard = this.#hard[at] as number
    this.soft = this.#soft[at] as number
    return this.hard !== NONE || this.soft !== NONE
  }

  /**
   * Forgets every pattern whose newest revision is not above `revision`; returns the newest revisions among those that
   * are gone, -1 for none.
   */
  forgetUpTo(revision: number): { readonly hard: number; readonly soft: number } {
    return this.#rebuild(this.#hard.length, revision)
  }

  #isEmpty(at: number): boolean {
    return this.#hard[at] === NONE && this.#soft[at] === NONE
  }

  /** The row of a pattern, or the empty one where it belongs. */
  #place(stateA: number, stateB: number, kind: number): number {
    let a = stateA ^ kind
    let b = stateB ^ kind
    a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
    b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
    a >>>= 0
    b >>>= 0
    this.#a = a
    this.#b = b
    const mask = this.#hard.length - 1
    for (let at = a & mask; ; at = (at + 1) & mask) {
      if (this.#isEmpty(at) || (this.#hashA[at] === a && this.#hashB[at] === b)) return at
    }
  }

  #rebuild(rows: number, forgetUpTo: number): { hard: number; soft: number } {
    const [hashA, hashB, hard, soft] = [this.#hashA, this.#hashB, this.#hard, this.#soft]
    this.#hashA = new Uint32Array(rows)
    this.#hashB = new Uint32Array(rows)
    this.#hard = new Float64Array(rows).fill(NONE)
    this.#soft = new Float64Array(rows).fill(NONE)
    this.count = 0
    const gone = { hard: NONE, soft: NONE }
    const mask = rows - 1
    for (let from = 0; from < hard.length; from++) {
      const [kills, softens] = [hard[from] as number, soft[from] as number]
      if (kills === NONE && softens === NONE) continue
      if (kills <= forgetUpTo && softens <= forgetUpTo) {
        gone.hard = Math.max(gone.hard, kills)
        gone.soft = Math.max(gone.soft, softens)
        continue
      }
      let at = (hashA[from] as number) & mask
      while (!this.#isEmpty(at)) at = (at + 1) & mask
      this.#hashA[at] = hashA[from] as number
      this.#hashB[at] = hashB[from] as number
      this.#hard[at] = kills
      this.#soft[at] = softens
      this.count++
    }
    return gone
  }
}
