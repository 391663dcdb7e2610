//! NextMarker and Limit. The marker is the name of the last item, so that what is added or deleted between two pages moves
//! nothing.
import { invalidParameter } from '../../domain/waf/faults.ts'

export interface PageInput {
  readonly NextMarker?: string | undefined
  readonly Limit?: number | undefined
}

const LIMIT_MAX = 100

/**
 * @param items sorted by `nameOf`, whose names are unique
 * @returns NextMarker only when there is more
 * @throws WAFInvalidParameterException for a Limit that is not 1 to 100
 */
export function page<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  { NextMarker: marker, Limit: limit = LIMIT_MAX }: PageInput,
): { readonly items: readonly T[]; readonly next: { readonly NextMarker?: string } } {
  if (limit < 1 || limit > LIMIT_MAX) {
    throw invalidParameter('ENTITY_LIMIT', `Limit ${limit}`, `The Limit is not valid: it is 1 to ${LIMIT_MAX}.`)
  }
  const rest = marker === undefined ? items : items.filter((item) => nameOf(item) > marker)
  const taken = rest.slice(0, limit)
  const last = taken.at(-1)
  return { items: taken, next: rest.length > limit && last !== undefined ? { NextMarker: nameOf(last) } : {} }
}
