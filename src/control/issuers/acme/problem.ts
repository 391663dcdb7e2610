//! What an ACME server says is wrong (RFC 8555 6.7, RFC 9457), and what becomes of a certificate after it. PURE.

/** As the server writes it; without `type` it is a plain failure of HTTP. */
export interface Problem {
  readonly type?: string
  readonly detail?: string
  readonly status?: number
  /** Of a subproblem: the name that it is about. */
  readonly identifier?: { readonly value?: string }
  readonly subproblems?: readonly Problem[]
}

const PREFIX = 'urn:ietf:params:acme:error:'

/** The last word of its type, `rateLimited`; empty for one that is not ACME's. */
export const problemType = ({ type = '' }: Problem): string =>
  type.startsWith(PREFIX) ? type.slice(PREFIX.length) : ''

/** A request that the server refused. */
export class AcmeError extends Error {
  override readonly name = 'AcmeError'
  readonly problem: Problem
  readonly status: number
  /** What Retry-After says; null without. Milliseconds. */
  readonly retryAfterMs: number | null

  constructor(url: string, status: number, problem: Problem, retryAfterMs: number | null) {
    super(`${new URL(url).host} answered ${status}${problemWords(problem)}`)
    this.problem = problem
    this.status = status
    this.retryAfterMs = retryAfterMs
  }

  get type(): string {
    return problemType(this.problem)
  }
}

/** `: rateLimited: too many certificates ...`, as far as there is something to say. On one line, and not without end. */
export function problemWords(problem: Problem): string {
  const said = [problemType(problem), problem.detail ?? '', ...(problem.subproblems ?? []).map(ofName)]
  return said
    .filter((text) => text !== '')
    .map((text) => `: ${oneLine(text)}`)
    .join('')
}

const ofName = (problem: Problem): string =>
  [problem.identifier?.value ?? '', problemType(problem), problem.detail ?? ''].filter((text) => text !== '').join(' ')

/** Longest text of somebody else that is shown. Characters. */
const SHOWN_MAX = 500

/** What others say is shown in statuses and logs: no line breaks or control characters, and a bounded length. */
export const oneLine = (text: string): string =>
  text
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
    .trim()
    .slice(0, SHOWN_MAX)

/**
 * What follows:
 * - `later`: it may pass by itself (the server is busy or broken, or counts too many); not before `afterMs`, if it says so
 * - `again`: what the server knew is gone (order, account): begin anew
 * - `pending`: the name does not lead here yet, as it looks from the server: ask again with a new order
 * - `final`: asking again would give the same answer. `reason` is ACM's FailureReason
 */
export type Consequence =
  | { readonly kind: 'later'; readonly afterMs: number | null }
  | { readonly kind: 'again' }
  | { readonly kind: 'pending' }
  | { readonly kind: 'final'; readonly reason: string }

/** Types of RFC 8555 6.7 (and RFC 9773) that mean something else than `later`. */
const BY_TYPE: Readonly<Record<string, Consequence>> = {
  accountDoesNotExist: { kind: 'again' },
  caa: { kind: 'final', reason: 'CAA_ERROR' },
  rejectedIdentifier: { kind: 'final', reason: 'DOMAIN_NOT_ALLOWED' },
  unsupportedIdentifier: { kind: 'final', reason: 'INVALID_PUBLIC_DOMAIN' },
  invalidContact: { kind: 'final', reason: 'NO_AVAILABLE_CONTACTS' },
  unsupportedContact: { kind: 'final', reason: 'NO_AVAILABLE_CONTACTS' },
  userActionRequired: { kind: 'final', reason: 'ADDITIONAL_VERIFICATION_REQUIRED' },
  externalAccountRequired: { kind: 'final', reason: 'ADDITIONAL_VERIFICATION_REQUIRED' },
  unauthorized: { kind: 'final', reason: 'OTHER' },
  badCSR: { kind: 'final', reason: 'OTHER' },
  badPublicKey: { kind: 'final', reason: 'OTHER' },
  malformed: { kind: 'final', reason: 'OTHER' },
}

/** Of a request that was refused. */
export function consequenceOf({ type, status, retryAfterMs, problem }: AcmeError): Consequence {
  // An order or authorization that the server has forgotten.
  if (status === 404 || status === 410) return { kind: 'again' }
  const known = BY_TYPE[type]
  if (known !== undefined) return known
  // Several things wrong with several names (6.7.1): one that is final is final for all.
  const final = (problem.subproblems ?? [])
    .map((sub) => BY_TYPE[problemType(sub)])
    .find((consequence) => consequence?.kind === 'final')
  return final ?? { kind: 'later', afterMs: retryAfterMs }
}

/** Types that a validator finds where a name leads to nobody, or to nobody who answers in time. */
const UNREACHED: ReadonlySet<string> = new Set(['dns', 'connection', 'tls', 'serverInternal', ''])

/** Of a validation that came to nothing: the server has looked, and found this (6.7, 8.2). */
export function consequenceOfValidation(problem: Problem): Consequence {
  const type = problemType(problem)
  if (UNREACHED.has(type)) return { kind: 'pending' }
  const known = type === 'unauthorized' ? undefined : BY_TYPE[type]
  if (known?.kind === 'final') return known
  if (type === 'rateLimited') return { kind: 'later', afterMs: null }
  // `unauthorized`, `incorrectResponse`: somebody answers, and it is not us.
  return { kind: 'final', reason: 'DOMAIN_VALIDATION_DENIED' }
}

/** Retry-After (RFC 9110 10.2.3): seconds or a date. `wall` in milliseconds, null when it says nothing that can be used. */
export function retryAfterMs(value: string | undefined, wall: number): number | null {
  if (value === undefined) return null
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000
  const date = Date.parse(value)
  return Number.isNaN(date) ? null : Math.max(0, date - wall)
}
