//! One API writer: changes the resources of a noun without end and knows what each must be. A change that was not
//! acknowledged may or may not have happened; one that was must be there.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Findings, within } from './findings.ts'
import type { Noun } from './nouns.ts'
import type { Random } from './random.ts'

const ABSENT = '(absent)'
const CALL_MS = 30_000
const AWAY_MS = 50
/** So that several writers leave the processor to others. Milliseconds. */
const PAUSE_MS = 20

/** Refused because the resource is on its way from one state to the next: no answer to hold against anyone. */
const NOT_NOW = /^Invalid(CacheCluster|ReplicationGroup|CacheParameterGroup)State(Fault)?$/

export class Writer {
  readonly #noun: Noun
  readonly #findings: Findings
  readonly #random: Random
  /** What each key may be: one value after an acknowledgement, several after a call that was cut off. */
  readonly #possible = new Map<string, Set<string>>()
  #number = 0
  acknowledged = 0

  constructor(noun: Noun, findings: Findings, random: Random) {
    this.#noun = noun
    this.#findings = findings
    this.#random = random
  }

  /** Begins with what is there. */
  async start(): Promise<void> {
    const there = await this.#noun.readAll()
    for (const key of this.#noun.keys) this.#possible.set(key, new Set([there.get(key) ?? ABSENT]))
  }

  /** One change. */
  async step(): Promise<void> {
    const { keys, create, remove, update, value, created, name } = this.#noun
    const key = this.#random.pick(keys)
    const possible = this.#possible.get(key)!
    if (possible.size > 1) return this.check()
    const next = value(++this.#number)
    const isThere = !possible.has(ABSENT)
    const removes = isThere && remove !== null && this.#random.whole(4) === 0
    const [target, call] = !isThere
      ? [created ?? next, () => create!(key, next)]
      : removes
        ? [ABSENT, () => remove(key)]
        : [next, () => update(key, next)]
    try {
      await within(CALL_MS, `${name} ${key}`, call())
      possible.clear()
      possible.add(target)
      this.acknowledged++
      await sleep(PAUSE_MS)
    } catch (error) {
      possible.add(target)
      await this.#failed(key, error as Error)
    }
  }

  async #failed(key: string, error: Error & { $metadata?: { httpStatusCode?: number } }): Promise<void> {
    const status = error.$metadata?.httpStatusCode
    const { name } = this.#noun
    if (status === undefined && !/no end after|is not listed/.test(error.message)) {
      this.#findings.count('API: call cut off')
    } else if (NOT_NOW.test(error.name)) {
      this.#findings.count(`API: ${error.name}`)
    } else {
      this.#findings.violation(`${name} ${key}: expected success, seen ${status ?? ''} ${error.name}: ${error.message}`)
    }
    await sleep(AWAY_MS)
  }

  /** Compares all of the noun with what it must be. */
  async check(): Promise<void> {
    let there: ReadonlyMap<string, string>
    try {
      there = await within(CALL_MS, `reading ${this.#noun.name}`, this.#noun.readAll())
    } catch {
      this.#findings.count('API: read cut off')
      return void (await sleep(AWAY_MS))
    }
    for (const [key, possible] of this.#possible) {
      const seen = there.get(key) ?? ABSENT
      if (!possible.has(seen)) {
        const expected = [...possible].join(' or ')
        this.#findings.violation(`${this.#noun.name} ${key}: expected ${expected}, seen ${seen}`)
      }
      possible.clear()
      possible.add(seen)
    }
  }
}
