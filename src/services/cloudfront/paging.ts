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

/**
 * The page of `items` after the one whose id is the Marker. A Marker that is no longer there, or never was, begins
 * after the place where it would stand in a list sorted by id, otherwise at the end.
 * @throws InvalidArgument when MaxItems is not a number from 1; more than 100 counts as 100 (unconfirmed).
 */
export function markedPage<T, U>(
  items: readonly T[],
  idOf: (item: T) => string,
  show: (item: T) => U,
  input: PageInput,
): MarkedPage<U> {
  const marker = input.Marker ?? ''
  const size = pageSize(input.MaxItems)
  const from = marker === '' ? 0 : after(items, idOf, marker)
  const taken = items.slice(from, from + size)
  const last = taken.at(-1)
  const more = from + size < items.length && last !== undefined
  return {
    Marker: marker,
    MaxItems: size,
    IsTruncated: more,
    Quantity: taken.length,
    ...(more ? { NextMarker: idOf(last) } : {}),
    ...(taken.length > 0 ? { Items: taken.map(show) } : {}),
  }
}

export function plainPage<T, U>(
  items: readonly T[],
  idOf: (item: T) => string,
  show: (item: T) => U,
  input: PageInput,
): PlainPage<U> {
  const { Marker: _, IsTruncated: __, ...page } = markedPage(items, idOf, show, input)
  return page
}

function pageSize(maxItems: number | undefined): number {
  if (maxItems === undefined) return QUOTAS.pageItems
  const size = Number(maxItems)
  if (!Number.isInteger(size) || size < 1) throw invalidArgument('MaxItems', 'it is a whole number from 1')
  return Math.min(size, QUOTAS.pageItems)
}

function after<T>(items: readonly T[], idOf: (item: T) => string, marker: string): number {
  const at = items.findIndex((item) => idOf(item) === marker)
  if (at >= 0) return at + 1
  const greater = items.findIndex((item) => idOf(item) > marker)
  return greater < 0 ? items.length : greater
}
