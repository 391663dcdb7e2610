//! What is next for an order, from what the ACME server says of it (RFC 8555 7.1.6). PURE. Nothing is remembered of how far
//! it came: the server knows, so that an order goes on wherever control left it.
import type { ChallengeDoc } from '../../../domain/challenge.ts'
import { type AccountKey, keyAuthorization, keyDigest } from './jws.ts'
import type { Problem } from './problem.ts'

/** As the server writes it (7.1.3), as far as we read it. URLs. */
export interface OrderSeen {
  readonly status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid'
  readonly authorizations: readonly string[]
  readonly finalize: string
  readonly certificate?: string
  readonly error?: Problem
}

/** 7.1.4, 8. */
export interface AuthorizationSeen {
  readonly status: 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked'
  readonly identifier: { readonly type: string; readonly value: string }
  readonly wildcard?: boolean
  readonly challenges: readonly {
    readonly type: string
    readonly url: string
    readonly token?: string
    readonly status: 'pending' | 'processing' | 'valid' | 'invalid'
    readonly error?: Problem
  }[]
}

/** What came from the server, when it can be an order. @throws Error */
export function readOrder(json: unknown): OrderSeen {
  const { status, authorizations, finalize } = (json ?? {}) as Partial<OrderSeen>
  const isOrder = typeof status === 'string' && Array.isArray(authorizations) && typeof finalize === 'string'
  if (!isOrder || !authorizations.every((url) => typeof url === 'string')) {
    throw new Error('the ACME server answered with an order that is none')
  }
  return json as OrderSeen
}

/** A token is base64url (8.1): it becomes a part of a path and of an answer of ours. */
const TOKEN = /^[\w-]{1,200}$/

/** The same for an authorization, which is for one of these names: of others we prove nothing. @throws Error */
export function readAuthorization(json: unknown, names: readonly string[]): AuthorizationSeen {
  const seen = json as AuthorizationSeen
  const isOne = typeof seen?.status === 'string' && typeof seen.identifier?.value === 'string'
  const hasChallenges = isOne && Array.isArray(seen.challenges)
  const isPlain = (token: unknown): boolean => token === undefined || (typeof token === 'string' && TOKEN.test(token))
  if (!hasChallenges || !names.includes(nameOf(seen)) || !seen.challenges.every(({ token }) => isPlain(token))) {
    throw new Error('the ACME server answered with an authorization that is none of the order')
  }
  return seen
}

/** A challenge that is to be answered: put up, then the server is told to look. */
export interface OpenChallenge {
  /** URL that the server is told at. */
  readonly url: string
  /** It was told already. */
  readonly isTold: boolean
  readonly doc: ChallengeDoc
}

export type OrderAct =
  | { readonly kind: 'answer'; readonly challenges: readonly OpenChallenge[] }
  /** The server is at it. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'finalize'; readonly url: string }
  | { readonly kind: 'download'; readonly url: string }
  /** The server has looked at a name and found this, or has given the order up (name empty). */
  | { readonly kind: 'refused'; readonly name: string; readonly problem: Problem }
  /** The server offers no such validation for this name. */
  | { readonly kind: 'impossible'; readonly name: string }
  /** It is over without anything wrong: expired, or given up. */
  | { readonly kind: 'lost' }

export const nameOf = ({ identifier, wildcard }: AuthorizationSeen): string =>
  `${wildcard === true ? '*.' : ''}${identifier.value.toLowerCase()}`

/** `authorizations` are read only while the order is pending or invalid. */
export function nextAct(
  order: OrderSeen,
  authorizations: readonly AuthorizationSeen[],
  kind: ChallengeDoc['kind'],
  key: AccountKey,
): OrderAct {
  switch (order.status) {
    case 'ready':
      return { kind: 'finalize', url: order.finalize }
    case 'processing':
      return { kind: 'wait' }
    case 'valid':
      return order.certificate === undefined ? { kind: 'wait' } : { kind: 'download', url: order.certificate }
    case 'invalid':
      return refusal(authorizations) ?? (order.error ? { kind: 'refused', name: '', problem: order.error } : LOST)
    default:
      return ofPending(authorizations, kind, key)
  }
}

const LOST: OrderAct = { kind: 'lost' }

function refusal(authorizations: readonly AuthorizationSeen[]): OrderAct | null {
  for (const authorization of authorizations) {
    const problem = authorization.challenges.find(({ error }) => error !== undefined)?.error
    if (authorization.status === 'invalid')
      return problem === undefined ? LOST : { kind: 'refused', name: nameOf(authorization), problem }
  }
  return null
}

function ofPending(
  authorizations: readonly AuthorizationSeen[],
  kind: ChallengeDoc['kind'],
  key: AccountKey,
): OrderAct {
  const refused = refusal(authorizations)
  if (refused !== null) return refused
  const challenges: OpenChallenge[] = []
  for (const authorization of authorizations) {
    if (authorization.status === 'valid') continue
    if (authorization.status !== 'pending') return LOST
    const offered = authorization.challenges.find(({ type }) => type === kind)
    if (offered?.token === undefined) return { kind: 'impossible', name: nameOf(authorization) }
    const { url, token, status } = offered
    challenges.push({ url, isTold: status !== 'pending', doc: challengeOf(kind, authorization, token, key) })
  }
  // All names are proven, and the server has not noticed yet.
  return challenges.length === 0 ? { kind: 'wait' } : { kind: 'answer', challenges }
}

function challengeOf(
  kind: ChallengeDoc['kind'],
  { identifier }: AuthorizationSeen,
  token: string,
  key: AccountKey,
): ChallengeDoc {
  const name = identifier.value.toLowerCase()
  return kind === 'http-01'
    ? { kind, name, token, content: keyAuthorization(token, key) }
    : { kind, name, token: '', content: keyDigest(token, key) }
}
