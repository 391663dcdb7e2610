//! Marker and MaxItems, in both styles of AWS's lists (spec/cloudfront.md 1.4).
import { invalidArgument } from '../../domain/cloudfront-faults.ts'
import { QUOTAS } from '../../domain/quotas.ts'

export interface PageInput {
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

/** With Marker, IsTruncated: distributions, invalidations. An empty page has no Items. */
export interface MarkedPage<T> {
  readonly Marker: string
  readonly MaxItems: number
  readonly IsTruncated: boolean
  readonly Quantity: number
  readonly NextMarker?: string
  readonly Items?: T[]
}

/** NextMarker alone says that there is more: policies. */
export type PlainPage<T> = Omit<MarkedPage<T>, 'Marker' | 'IsTruncated'>

/** How a list is walked: by the ids of its items, whatever they are sorted by. */
export interface Order<T> {
  readonly idOf: (item: T) => string
  /** Whether an item follows the place of a Marker that is not there: what it named was deleted between two pages. */
  readonly follows: (item: T, marker: string) => boolean
}

/** The order of a list that is sorted by id. */
export const byId = <T>(idOf: (item: T) => string): Order<T> => ({
  idOf,
  follows: (item, marker) => idOf(item) > marker,
})

/**
 * The page of `items` after the one whose id is the Marker. A Marker that is no longer there, or never was, begins at
 * the first item that follows its place, otherwise at the end.
 * @throws InvalidArgument when MaxItems is not a number from 1; more than 100 counts as 100 (unconfirmed).
 */
export function markedPage<T, U>(
  items: readonly T[],
  order: Order<T>,
  show: (item: T) => U,
  input: PageInput,
): MarkedPage<U> {
  const marker = input.Marker ?? ''
  const size = pageSize(input.MaxItems)
  const from = marker === '' ? 0 : after(items, order, marker)
  const taken = items.slice(from, from + size)
  const last = taken.at(-1)
  const more = from + size < items.length && last !== undefined
  return {
    Marker: marker,
    MaxItems: size,
    IsTruncated: more,
    Quantity: taken.length,
    ...(more ? { NextMarker: order.idOf(last) } : {}),
    ...(taken.length > 0 ? { Items: taken.map(show) } : {}),
  }
}

export function plainPage<T, U>(
  items: readonly T[],
  order: Order<T>,
  show: (item: T) => U,
  input: PageInput,
): PlainPage<U> {
  const { Marker: _, IsTruncated: __, ...page } = markedPage(items, order, show, input)
  return page
}

function pageSize(maxItems: number | undefined): number {
  if (maxItems === undefined) return QUOTAS.pageItems
  const size = Number(maxItems)
  if (!Number.isInteger(size) || size < 1) throw invalidArgument('MaxItems', 'it is a whole number from 1')
  return Math.min(size, QUOTAS.pageItems)
}

function after<T>(items: readonly T[], order: Order<T>, marker: string): number {
  const at = items.findIndex((item) => order.idOf(item) === marker)
  if (at >= 0) return at + 1
  const next = items.findIndex((item) => order.follows(item, marker))
  return next < 0 ? items.length : next
}
