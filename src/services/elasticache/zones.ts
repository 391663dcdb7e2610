//! Availability zones. They are labels: all nodes of this installation run on one host, so Multi-AZ is refused, while a
//! zone that a request names is checked, stored and shown.
import { invalidValue } from '../../domain/elasticache-faults.ts'

const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f'] as const
/** Zones that nodes are spread over when a request names none. */
const SPREAD = 3

/** @throws InvalidParameterValue when it is not a zone of the region. */
export function zone(region: string, name: string): string {
  const letter = name.slice(region.length)
  if (name.startsWith(region) && (LETTERS as readonly string[]).includes(letter)) return name
  throw invalidValue(
    `The availability zone ${name.slice(0, 40)} is not one of ${region}: ${LETTERS.map((l) => region + l).join(', ')}.`,
  )
}

/** The zone that node `at` (0, 1, ...) gets by itself. */
export const spreadZone = (region: string, at: number): string => region + (LETTERS[at % SPREAD] ?? 'a')
