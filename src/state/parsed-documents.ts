//! Committed documents as they were parsed last, for the kinds whose whole list is read again and again: every new
//! distribution is compared with all others, and parsing a thousand of them takes a quarter of a second.
import { Interned } from '../lib/interned.ts'
import type { Documents, Kind } from './kinds.ts'
import type { Stored } from './state.ts'

const KEPT_KINDS: ReadonlySet<Kind> = new Set<Kind>(['distribution'])

export const isKeptParsed = (kind: Kind): boolean => KEPT_KINDS.has(kind)

/** All readers get the same documents, so they are frozen. What lists in them have in common is there once. */
export class ParsedDocuments {
  readonly #kept = new Map<Kind, Map<string, Stored<Documents[Kind]>>>([...KEPT_KINDS].map((kind) => [kind, new Map()]))
  readonly #interned = new Interned()

  /** Undefined when that version is not kept. A revision is never that of two committed versions of a document. */
  get(kind: Kind, id: string, revision: number): Stored<Documents[Kind]> | undefined {
    const kept = this.#kept.get(kind)?.get(id)
    return kept?.revision === revision ? kept : undefined
  }

  keep(kind: Kind, stored: Stored<Documents[Kind]>): Stored<Documents[Kind]> {
    const kept = Object.freeze({ ...stored, doc: this.#frozen(stored.doc, false) as Documents[Kind] })
    this.#kept.get(kind)?.set(stored.id, kept)
    return kept
  }

  forget(kind: Kind, id: string): void {
    this.#kept.get(kind)?.delete(id)
  }

  /** Frozen to the ground. `inRow`: it is a field of a row of some list, the kind of thing that rows have in common. */
  #frozen(value: unknown, inRow: boolean): unknown {
    if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
    const known = inRow ? this.#interned.of(value) : value
    if (Object.isFrozen(known)) return known
    const fields = known as Record<string, unknown>
    const isList = Array.isArray(known)
    for (const name in fields) {
      const field = fields[name]
      fields[name] = isList && isPlain(field) ? this.#frozenRow(field) : this.#frozen(field, false)
    }
    return Object.freeze(known)
  }

  #frozenRow(row: Record<string, unknown>): unknown {
    for (const name in row) row[name] = this.#frozen(row[name], true)
    return Object.freeze(row)
  }
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
