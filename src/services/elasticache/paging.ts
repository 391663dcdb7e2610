//! Marker and MaxRecords (spec/elasticache.md 1.3).
import { invalidValue } from '../../domain/elasticache-faults.ts'

const RECORDS_MIN = 20
/** Also the default. DescribeSnapshots has SNAPSHOT_RECORDS_MAX. */
const RECORDS_MAX = 100
export const SNAPSHOT_RECORDS_MAX = 50

export interface PageInput {
  readonly Marker?: string | undefined
  readonly MaxRecords?: number | undefined
}

export interface Page<T> {
  readonly items: T[]
  /** Undefined on the last page. */
  readonly Marker: string | undefined
}

/**
 * One page of `items`, which are in the order of the answer; `keyOf` names each once.
 * @throws InvalidParameterValue for MaxRecords under 20 or over `most`, or a Marker that no answer gave.
 */
export function page<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  input: PageInput,
  most: number = RECORDS_MAX,
): Page<T> {
  const size = input.MaxRecords ?? most
  if (!Number.isInteger(size) || size < RECORDS_MIN || size > most) {
    throw invalidValue(`MaxRecords is ${RECORDS_MIN} to ${most}, not ${input.MaxRecords}.`)
  }
  const from = input.Marker ? after(items, keyOf, input.Marker) : 0
  const taken = items.slice(from, from + size)
  const last = taken.at(-1)
  const more = from + size < items.length && last !== undefined
  return { items: taken, Marker: more ? Buffer.from(keyOf(last)).toString('base64url') : undefined }
}

/** Where the page after `marker` begins. The item that it names may be gone: the list may have changed in between. */
function after<T>(items: readonly T[], keyOf: (item: T) => string, marker: string): number {
  const key = Buffer.from(marker, 'base64url').toString()
  if (Buffer.from(key).toString('base64url') !== marker) {
    throw invalidValue('The Marker is not valid: give the one of the answer before, unchanged.')
  }
  const at = items.findIndex((item) => keyOf(item) === key)
  if (at >= 0) return at + 1
  const ascending = items.length < 2 || keyOf(items[0] as T) < keyOf(items[1] as T)
  const next = items.findIndex((item) => (ascending ? keyOf(item) > key : keyOf(item) < key))
  return next < 0 ? items.length : next
}
