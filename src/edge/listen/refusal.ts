//! Why the listener answers by itself, with which status, and in which words.
import type { DetailedResultType } from '../../domain/result-types.ts'
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

/** What the request line was, when it could be read. */
export interface RefusedLine {
  readonly method: string
  readonly path: string
  readonly query: string | null
}

/**
 * What the access log calls a request that the listener answered; null for what is not logged: CloudFront does not log
 * requests whose URL or headers are too large (spec 12.4).
 */
export const LOGGED_AS: Readonly<Record<RefusalCause, DetailedResultType | null>> = {
  'bad-request-line': 'InvalidRequest',
  'bad-method': 'InvalidRequest',
  'bad-target': 'InvalidRequest',
  'bad-version': 'InvalidRequest',
  'url-too-long': null,
  'head-too-large': null,
  'bad-header-name': 'InvalidRequestHeader',
  'bad-header-value': 'InvalidRequestHeader',
  'bad-line-end': 'InvalidRequest',
  'bad-host': 'InvalidRequestHeader',
  'bad-content-length': 'InvalidRequestHeader',
  'bad-transfer-encoding': 'InvalidRequestHeader',
  'two-framings': 'InvalidRequestHeader',
  'bad-expect': 'InvalidRequestHeader',
  'bad-chunk': 'InvalidRequest',
  'head-timeout': 'ClientHungUpRequest',
  'body-timeout': 'ClientHungUpRequest',
  internal: 'InternalError',
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
