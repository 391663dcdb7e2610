//! Why the listener answers by itself, with which status, and in which words.
import { REASONS } from '../../http/error-page.ts'
import type { Malformed } from './header-block.ts'

export type RefusalCause = Malformed | 'bad-chunk' | 'head-timeout' | 'body-timeout' | 'internal'

/** 494 is CloudFront's own status for headers that are too large (spec 3.1); the others are RFC 9110 15.5-15.6. */
export const STATUS_OF: Readonly<Record<RefusalCause, number>> = {
  'bad-request-line': 400,
  'bad-method': 400,
  'bad-target': 400,
  'bad-version': 505,
  'url-too-long': 414,
  'head-too-large': 494,
  'bad-header-name': 400,
  'bad-header-value': 400,
  'bad-line-end': 400,
  'bad-host': 400,
  'bad-content-length': 400,
  'bad-transfer-encoding': 400,
  'two-framings': 400,
  'bad-expect': 417,
  'bad-chunk': 400,
  'head-timeout': 408,
  'body-timeout': 408,
  internal: 500,
}

/** The sentence for people that goes with a status of `STATUS_OF`. */
export function reasonOf(status: number): string {
  switch (status) {
    case 408:
      return REASONS.timeout
    case 414:
      return REASONS.uriTooLong
    case 417:
      return REASONS.expectation
    case 494:
      return REASONS.headersTooLarge
    case 500:
      return REASONS.internal
    default:
      return REASONS.malformed
  }
}
