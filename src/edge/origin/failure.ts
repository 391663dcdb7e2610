//! What can go wrong between the edge and an origin, and what the viewer is told (spec/cloudfront.md 7.4, 14).

import type { OriginFailureKind } from '../../domain/outcomes.ts'
import type { DetailedResultType } from '../../domain/result-types.ts'
import { REASONS } from '../../http/error-page.ts'

/** An origin that did not give a whole, valid answer. The message is for the log and the trace, never for the viewer. */
export class OriginFailure extends Error {
  readonly kind: OriginFailureKind
  /** The origin gave the answer up on purpose (RST_STREAM with CANCEL), and whoever reads it may know. */
  readonly cancelled: boolean

  constructor(kind: OriginFailureKind, message: string, cancelled = false) {
    super(message)
    this.name = 'OriginFailure'
    this.kind = kind
    this.cancelled = cancelled
  }
}

interface FailureRow {
  readonly status: 400 | 411 | 502 | 504
  readonly detailed: DetailedResultType
  /** Tried again while attempts are left: `any` before a byte was sent, `read` for GET and HEAD only (spec 7.4). */
  readonly retry: 'any' | 'read' | 'never'
  /** Whether an origin group's secondary is asked: in any case, or when the group lists `status` (spec 7.5). */
  readonly failsOver: 'always' | 'as-status'
  /** First paragraph of the error page. */
  readonly reason: string
}

export const ORIGIN_FAILURES: Readonly<Record<OriginFailureKind, FailureRow>> = {
  dns: { status: 502, detailed: 'OriginDnsError', retry: 'never', failsOver: 'always', reason: REASONS.originResolve },
  // Refused is 502 and a timeout 504; the split is (unconfirmed) in spec 7.4.
  refused: { status: 502, detailed: 'OriginConnectError', retry: 'any', failsOver: 'always', reason: REASONS.originConnect },
  'connect-timeout': { status: 504, detailed: 'OriginConnectError', retry: 'any', failsOver: 'always', reason: REASONS.originConnect },
  'forbidden-address': { status: 502, detailed: 'OriginConnectError', retry: 'never', failsOver: 'always', reason: REASONS.originRefused },
  tls: { status: 502, detailed: 'OriginConnectError', retry: 'never', failsOver: 'always', reason: REASONS.originConnect },
  'read-timeout': { status: 504, detailed: 'OriginReadError', retry: 'read', failsOver: 'always', reason: REASONS.originTimeout },
  'completion-timeout': { status: 504, detailed: 'OriginReadError', retry: 'never', failsOver: 'always', reason: REASONS.originTimeout },
  reset: { status: 502, detailed: 'OriginCommError', retry: 'read', failsOver: 'always', reason: REASONS.originInvalid },
  'invalid-response': { status: 502, detailed: 'OriginInvalidResponseError', retry: 'never', failsOver: 'as-status', reason: REASONS.originInvalid },
  write: { status: 502, detailed: 'OriginWriteError', retry: 'never', failsOver: 'always', reason: REASONS.originInvalid },
  unasked: { status: 502, detailed: 'OriginError', retry: 'never', failsOver: 'as-status', reason: REASONS.originInvalid },
  'range-length': { status: 502, detailed: 'OriginContentRangeLengthError', retry: 'never', failsOver: 'as-status', reason: REASONS.originInvalid },
  'header-too-big': { status: 502, detailed: 'OriginHeaderTooBigError', retry: 'never', failsOver: 'as-status', reason: REASONS.originInvalid },
  'object-changed': { status: 502, detailed: 'OriginError', retry: 'never', failsOver: 'as-status', reason: REASONS.originInvalid },
  'range-refused': { status: 502, detailed: 'OriginError', retry: 'never', failsOver: 'as-status', reason: REASONS.originInvalid },
  folder: { status: 502, detailed: 'OriginConnectError', retry: 'never', failsOver: 'always', reason: REASONS.originConnect },
  's3-keys': { status: 502, detailed: 'Error', retry: 'never', failsOver: 'as-status', reason: REASONS.s3Keys },
  's3-key': { status: 400, detailed: 'InvalidRequest', retry: 'never', failsOver: 'as-status', reason: REASONS.s3Key },
  's3-length': { status: 411, detailed: 'InvalidRequest', retry: 'never', failsOver: 'as-status', reason: REASONS.s3Length },
} // biome-ignore format: a table

const CODES: Readonly<Record<string, OriginFailureKind>> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'refused',
  ENETUNREACH: 'refused',
  EADDRNOTAVAIL: 'refused',
  ETIMEDOUT: 'connect-timeout',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_CLOSED: 'reset',
  UND_ERR_DESTROYED: 'reset',
  UND_ERR_HEADERS_TIMEOUT: 'read-timeout',
  UND_ERR_BODY_TIMEOUT: 'read-timeout',
  UND_ERR_HEADERS_OVERFLOW: 'header-too-big',
  HPE_HEADER_OVERFLOW: 'header-too-big',
  // Several lengths, or one that no body can have.
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'invalid-response',
}

const UNASKED = /^bad (response|upgrade)$/

/** Whatever undici, DNS, TCP or TLS threw, in our words. */
export function originFailure(error: unknown): OriginFailure {
  if (error instanceof OriginFailure) return error
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  // A protocol change (101) or 100 (Continue) that nobody has asked for.
  if (code === 'UND_ERR_SOCKET' && UNASKED.test(message)) return new OriginFailure('invalid-response', message)
  const known = CODES[code]
  if (known !== undefined) return new OriginFailure(known, `${code}: ${message}`)
  if (code.startsWith('HPE_')) return new OriginFailure('invalid-response', `${code}: ${message}`)
  if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_|DEPTH_|SELF_|EPROTO)/.test(code)) {
    return new OriginFailure('tls', `${code}: ${message}`)
  }
  return new OriginFailure('invalid-response', message)
}

function codeOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown }
    if (typeof code === 'string') return code
  }
  return ''
}
