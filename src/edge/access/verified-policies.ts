//! Policies whose signatures were found good, by the exact bytes that were: who sends a cookie again costs no RSA. Only
//! the signature is remembered; time, address and resource are looked at each time. What is not found costs one more
//! verification, so that the oldest may be forgotten at any time.
import type { SignedPolicy } from './signed-policy.ts'

/** Bounds of all of them: entries, and bytes of their texts. */
const ENTRIES_MAX = 20_000
const BYTES_MAX = 16 * 1_048_576
/** What an entry takes besides its text: about what a map and a compiled policy do. Bytes. */
const ENTRY_BYTES = 512

/** Two generations: what the older one has and is asked for goes into the younger one, the rest is dropped with it. */
export class VerifiedPolicies {
  #young = new Map<string, SignedPolicy>()
  #old = new Map<string, SignedPolicy>()
  #youngBytes = 0
  readonly #entriesMax: number
  readonly #bytesMax: number

  constructor(entriesMax = ENTRIES_MAX, bytesMax = BYTES_MAX) {
    this.#entriesMax = entriesMax
    this.#bytesMax = bytesMax
  }

  get(text: string): SignedPolicy | undefined {
    const found = this.#young.get(text)
    if (found !== undefined) return found
    const older = this.#old.get(text)
    if (older !== undefined) this.set(text, older)
    return older
  }

  set(text: string, policy: SignedPolicy): void {
    this.#young.set(text, policy)
    this.#youngBytes += text.length + ENTRY_BYTES
    if (this.#young.size < this.#entriesMax / 2 && this.#youngBytes < this.#bytesMax / 2) return
    this.#old = this.#young
    this.#young = new Map()
    this.#youngBytes = 0
  }

  /** It is over. */
  forget(text: string): void {
    this.#young.delete(text)
    this.#old.delete(text)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }
}
