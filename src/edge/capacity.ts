//! The refusal of an overloaded worker (spec/cloudfront.md 14: 503, and no custom error page stands in for it).
import { REASONS } from '../http/error-page.ts'
import type { EdgeFault } from './exchange.ts'

/** Seconds after which a viewer may ask again: an overload that ends does so within a few. */
const RETRY_AFTER_S = 5

export const capacityFault = (): EdgeFault => ({
  status: 503,
  reason: REASONS.capacity,
  detailed: 'CapacityExceeded',
  origin: null,
  retryAfterS: RETRY_AFTER_S,
  noPage: true,
})

/** A worker, this one or another, had too much to do: nothing is wrong with the origin. */
export const isCapacity = ({ detailed }: EdgeFault): boolean => detailed === 'CapacityExceeded'
