//! Keeps what many behaviors and origins have in common (policies, lists of methods) once: a document comes as text, and
//! 25 behaviors with the same policy would be 25 policies in memory, times a thousand distributions.
import type { DistributionDoc } from '../../domain/distribution.ts'
import { mapParts } from './parts.ts'

/** Texts looked after before the first sweep. */
const SWEEP_FIRST = 1_024

export class Interned {
  /** By content; what no document has any more may be collected. */
  readonly #parts = new Map<string, WeakRef<object>>()
  #sweepAt = SWEEP_FIRST

  all(documents: readonly DistributionDoc[]): DistributionDoc[] {
    // Parts that came as one (feed-packing.ts) are looked up once.
    const known = new Map<object, object>()
    return documents.map((document) => this.#document(document, known))
  }

  one(document: DistributionDoc): DistributionDoc {
    return this.#document(document, new Map())
  }

  #document(document: DistributionDoc, known: Map<object, object>): DistributionDoc {
    return mapParts(document, (part) => {
      const found = known.get(part)
      if (found !== undefined) return found
      const made = this.#part(part)
      known.set(part, made)
      return made
    })
  }

  #part(part: object): object {
    const text = JSON.stringify(part)
    const held = this.#parts.get(text)?.deref()
    if (held !== undefined) return held
    if (this.#parts.size >= this.#sweepAt) this.#sweep()
    this.#parts.set(text, new WeakRef(part))
    return part
  }

  #sweep(): void {
    for (const [text, part] of this.#parts) if (part.deref() === undefined) this.#parts.delete(text)
    this.#sweepAt = Math.max(SWEEP_FIRST, 2 * this.#parts.size)
  }
}
