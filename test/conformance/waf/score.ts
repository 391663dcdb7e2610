//! What classified requests come to: precision, recall and rates by category.
import type { CorpusRequest } from './corpus.ts'

export interface Classified {
  readonly request: CorpusRequest
  /** By a managed rule; otherwise it went through to the origin. */
  readonly refused: boolean
}

export interface Score {
  readonly attacks: number
  readonly harmless: number
  /** Of the refused requests, how many are attacks. */
  readonly precision: number
  /** Of the attacks, how many were refused. */
  readonly recall: number
}

export function score(all: readonly Classified[]): Score {
  const attacks = all.filter(({ request }) => request.attack)
  const refused = all.filter((one) => one.refused)
  const found = attacks.filter((one) => one.refused)
  return {
    attacks: attacks.length,
    harmless: all.length - attacks.length,
    precision: refused.length === 0 ? 0 : found.length / refused.length,
    recall: attacks.length === 0 ? 0 : found.length / attacks.length,
  }
}

/** Wrong: an attack that went through, or a harmless request that was refused. */
export const isWrong = ({ request, refused }: Classified): boolean => request.attack !== refused

/** One row a category: attacks first. */
export function byCategory(all: readonly Classified[]): { name: string; refused: number; of: number }[] {
  const rows = new Map<string, { name: string; refused: number; of: number }>()
  for (const { request, refused } of all) {
    const name = `${request.attack ? 'attack' : 'harmless'} ${request.category}`
    const row = rows.get(name) ?? { name, refused: 0, of: 0 }
    row.of++
    if (refused) row.refused++
    rows.set(name, row)
  }
  return [...rows.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
}
