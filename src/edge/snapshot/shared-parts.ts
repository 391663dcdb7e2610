//! Keeps what many behaviors and origins have in common (policies, lists of methods) once: a document comes as text, and
//! 25 behaviors with the same policy would be 25 policies in memory, times a thousand distributions.
import type { DistributionDoc } from '../../domain/distribution.ts'
import { Interned } from '../../lib/interned.ts'
import { mapParts } from '../distribution-parts.ts'

export class SharedParts {
  readonly #interned = new Interned()

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
      const made = this.#interned.of(part)
      known.set(part, made)
      return made
    })
  }
}
