//! What may be used once in a POP: each puzzle has one worker that remembers whether it was answered, by the hash of its name.
//! When that one is away the next in line remembers; a puzzle that was answered before could then be answered once more.
import { ownersOf } from '../../cache/owner.ts'
import type { WorkerIdentity } from '../../feed-protocol.ts'
import type { AskWorker } from '../peer-lines.ts'

/** Puzzles that are remembered until they are too old: about 100 bytes each. The oldest leaves when there are more. */
const CLAIMS_MAX = 100_000

export class Claims {
  readonly #used = new Map<string, number>()
  readonly #max: number

  constructor(max = CLAIMS_MAX) {
    this.#max = max
  }

  get size(): number {
    return this.#used.size
  }

  /** True the first time; remembered until then. Milliseconds since the epoch. */
  claim(id: string, until: number, now: number): boolean {
    const known = this.#used.get(id)
    if (known !== undefined && known > now) return false
    for (const [first, end] of this.#used) {
      if (end > now && this.#used.size < this.#max) break
      this.#used.delete(first)
    }
    this.#used.set(id, until)
    return true
  }
}

export interface ClaimParts {
  readonly name: string
  readonly workers: () => readonly WorkerIdentity[]
  readonly ask: AskWorker
  readonly claims: Claims
  readonly now: () => number
}

/** True when no worker of the POP has seen it. */
export async function claimEverywhere(id: string, until: number, parts: ClaimParts): Promise<boolean> {
  for (const worker of ownersOf(id, parts.workers())) {
    if (worker.worker === parts.name) break
    const answer = await parts.ask(worker, { waf: 'claim', id, until })
    if (answer !== null && 'first' in answer) return answer.first
  }
  return parts.claims.claim(id, until, parts.now())
}
