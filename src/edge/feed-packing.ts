//! Distribution documents on their way from control to the edges, and to an edge's disk: what several behaviors have in
//! common is written once. A distribution with 25 behaviors is a third as long, and read a third as slowly.
import type { DistributionDoc } from '../domain/distribution.ts'
import { mapParts } from './distribution-parts.ts'
import type { ToWorker } from './feed-protocol.ts'

/** Stands in a packed document for `shared[$]`; no part of a document has a field of that name. */
interface Reference {
  readonly $: number
}

export interface Packed {
  readonly shared: readonly object[]
  readonly distributions: readonly DistributionDoc[]
}

/** Packs documents that go into one message; each reads as a DistributionDoc in which parts are references. */
export class Packing {
  readonly shared: object[] = []
  readonly #byPart = new Map<object, Reference>()
  readonly #byText = new Map<string, Reference>()

  pack(document: DistributionDoc): DistributionDoc {
    return mapParts(document, (part) => this.#reference(part))
  }

  #reference(part: object): Reference {
    const known = this.#byPart.get(part)
    if (known !== undefined) return known
    const text = JSON.stringify(part)
    let reference = this.#byText.get(text)
    if (reference === undefined) {
      reference = { $: this.shared.push(part) - 1 }
      this.#byText.set(text, reference)
    }
    this.#byPart.set(part, reference)
    return reference
  }
}

export function packed(documents: Iterable<DistributionDoc>): Packed {
  const packing = new Packing()
  const distributions = Array.from(documents, (document) => packing.pack(document))
  return { shared: packing.shared, distributions }
}

/** The document as it was before it was packed; one that was not packed as it is. Equal parts are the same object. */
export function unpacked(document: DistributionDoc, shared: readonly object[] | undefined): DistributionDoc {
  if (shared === undefined) return document
  return mapParts(document, (part) => {
    const { $: at } = part as Partial<Reference>
    return at === undefined ? part : (shared[at] ?? part)
  })
}

/** A message with its documents as they were before they were packed. */
export function unpackedMessage(message: ToWorker): ToWorker {
  if (message.type === 'snapshot') {
    const { shared } = message
    return { ...message, distributions: message.distributions.map((document) => unpacked(document, shared)) }
  }
  if (message.type !== 'changes') return message
  const changes = message.changes.map((change) =>
    change.kind === 'distribution' && change.distribution !== null
      ? { ...change, distribution: unpacked(change.distribution, message.shared) }
      : change,
  )
  return { ...message, changes }
}
