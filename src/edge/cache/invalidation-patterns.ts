//! The memory of what was invalidated: one row of fixed size for each distinct path, prefix or tag, found by a keyed
//! hash, so that 100,000 of them take a few megabytes however long their texts are. Texts are not kept: two that share
//! all 63 bits of their hashes count as one, which costs an object a fetch and never keeps one alive.
//! There are two generations. When the younger is full the older is dropped whole: forgetting takes no time.
import { randomInt } from 'node:crypto'

/** What a text stands for; part of the hash. */
export const PATTERN = { exact: 0x9e3779b1, prefix: 0x85ebca77, tag: 0xc2b2ae3d } as const
export type PatternKind = keyof typeof PATTERN

/** Bytes of a row: two hashes of 4, two revisions of 8. */
const ROW_BYTES = 24
const ROWS_FIRST = 1_024
/** A generation grows by this factor: the last time it has at most 32,768 rows to move. */
const GROWTH = 8
/** It grows when this share of it is taken. */
const LOAD_MAX = 0.5
/** Factors of the two lanes of the hash. */
const FACTOR_A = 2654435761
const FACTOR_B = 1597334677

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

/** Newest revisions of a generation; 0 for none. */
export interface Newest {
  readonly hard: number
  readonly soft: number
}

class Generation implements Newest {
  count = 0
  hard = 0
  soft = 0
  /** Two hashes a row; the first is never 0 in a row that is taken. */
  #hashes = new Uint32Array(ROWS_FIRST * 2)
  /** Newest revision that kills, and that makes soft; 0 for none. */
  #hard = new Float64Array(ROWS_FIRST)
  #soft = new Float64Array(ROWS_FIRST)

  get bytes(): number {
    return this.#hard.length * ROW_BYTES
  }

  /** Row of a pattern; -1 when it is not there. */
  find(a: number, b: number): number {
    const hashes = this.#hashes
    const mask = this.#hard.length - 1
    for (let at = a & mask; ; at = (at + 1) & mask) {
      const found = hashes[at * 2]
      if (found === 0) return -1
      if (found === a && hashes[at * 2 + 1] === b) return at
    }
  }

  hardOf(row: number): number {
    return this.#hard[row] as number
  }

  softOf(row: number): number {
    return this.#soft[row] as number
  }

  set(a: number, b: number, revision: number, soft: boolean): void {
    if (this.count + 1 > this.#hard.length * LOAD_MAX) this.#grow()
    const at = this.#place(a, b)
    if (this.#hashes[at * 2] === 0) this.count++
    this.#hashes[at * 2] = a
    this.#hashes[at * 2 + 1] = b
    if (soft) {
      this.#soft[at] = Math.max(this.#soft[at] as number, revision)
      this.soft = Math.max(this.soft, revision)
    } else {
      this.#hard[at] = Math.max(this.#hard[at] as number, revision)
      this.hard = Math.max(this.hard, revision)
    }
  }

  #place(a: number, b: number): number {
    const mask = this.#hard.length - 1
    let at = a & mask
    while (this.#hashes[at * 2] !== 0 && (this.#hashes[at * 2] !== a || this.#hashes[at * 2 + 1] !== b)) {
      at = (at + 1) & mask
    }
    return at
  }

  #grow(): void {
    const [hashes, hard, soft] = [this.#hashes, this.#hard, this.#soft]
    const rows = hard.length * GROWTH
    this.#hashes = new Uint32Array(rows * 2)
    this.#hard = new Float64Array(rows)
    this.#soft = new Float64Array(rows)
    for (let from = 0; from < hard.length; from++) {
      const a = hashes[from * 2] as number
      if (a === 0) continue
      const b = hashes[from * 2 + 1] as number
      const at = this.#place(a, b)
      this.#hashes[at * 2] = a
      this.#hashes[at * 2 + 1] = b
      this.#hard[at] = hard[from] as number
      this.#soft[at] = soft[from] as number
    }
  }
}

export type Match = 'none' | 'soft' | 'hard'

export class Patterns {
  readonly #seed: HashState = { a: randomInt(2 ** 31), b: randomInt(2 ** 31) }
  readonly #generationMax: number
  #young = new Generation()
  #old: Generation | null = null
  /** Results of the last `#mix`. */
  #a = 0
  #b = 0

  /** @param generationMax distinct patterns of a generation: between as many and twice as many are remembered */
  constructor(generationMax: number) {
    this.#generationMax = generationMax
  }

  /** Rows in use. */
  get count(): number {
    return this.#young.count + (this.#old?.count ?? 0)
  }

  get bytes(): number {
    return this.#young.bytes + (this.#old?.bytes ?? 0)
  }

  /** The beginning of every hash of a distribution. */
  begin(distributionId: string): HashState {
    const state = { ...this.#seed }
    feed(state, distributionId)
    return state
  }

  /**
   * Enters the pattern at the end of `state`. Revisions are above 0. Returns the newest revisions of
   * what had to be forgotten for it, null when nothing had to.
   */
  set(state: HashState, kind: PatternKind, revision: number, soft: boolean): Newest | null {
    let forgotten: Newest | null = null
    if (this.#young.count >= this.#generationMax) {
      forgotten = this.#old
      this.#old = this.#young
      this.#young = new Generation()
    }
    this.#mix(state.a, state.b, PATTERN[kind])
    this.#young.set(this.#a, this.#b, revision, soft)
    return forgotten
  }

  /** Whether the pattern at (a, b) was entered under a newer revision than `asOf`. */
  match(a: number, b: number, kind: number, asOf: number): Match {
    this.#mix(a, b, kind)
    const young = this.#matchIn(this.#young, asOf)
    if (young === 'hard' || this.#old === null) return young
    const old = this.#matchIn(this.#old, asOf)
    return old === 'none' ? young : old
  }

  #matchIn(generation: Generation, asOf: number): Match {
    if (generation.hard <= asOf && generation.soft <= asOf) return 'none'
    const row = generation.find(this.#a, this.#b)
    if (row < 0) return 'none'
    if (generation.hardOf(row) > asOf) return 'hard'
    return generation.softOf(row) > asOf ? 'soft' : 'none'
  }

  #mix(stateA: number, stateB: number, kind: number): void {
    let a = stateA ^ kind
    let b = stateB ^ kind
    a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
    b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
    // 0 marks an empty row. The lowest bits find the row, so that the highest is the one to give up.
    this.#a = (a | 0x80000000) >>> 0
    this.#b = b >>> 0
  }
}
