//! The token that a viewer gets for a solved challenge or puzzle, in the cookie `aws-waf-token`: for which host, and when each
//! was solved last. How long that is good for is not in the token: each rule has its own immunity time.
import { randomBytes } from 'node:crypto'
import type { FailureReason } from '@aws-sdk/client-wafv2'
import type { ChallengeKind } from '../../../domain/waf/seen.ts'
import type { KeysOfPeriod } from '../../../lib/period-keys.ts'
import { sign, verified } from './sealed.ts'

export const TOKEN_COOKIE = 'aws-waf-token'
/** Longest immunity time that AWS allows (ImmunityTimeProperty). Seconds. */
export const IMMUNITY_SECONDS_MAX = 259_200
/** What holds without a CaptchaConfig or ChallengeConfig. Seconds. */
export const IMMUNITY_SECONDS = 300
/** A longer one is not ours. Characters. */
const TOKEN_LENGTH_MAX = 1_024
/** A token may come from a worker whose clock is ahead by as much. Seconds. */
const AHEAD_SECONDS = 5

export interface Token {
  /** The host that the viewer asked, in lower case without port. */
  readonly domain: string
  readonly id: string
  /** When a challenge, and a puzzle, was solved last: seconds since the epoch, by the movable clock; 0 for never. */
  readonly challengeAt: number
  readonly captchaAt: number
}

/** What is new in a token for a host; what else one that the viewer had says, and that is good for the host, stays. */
export function tokenFor(
  { host, tokenDomains, kind }: Pick<Asked, 'host' | 'tokenDomains' | 'kind'>,
  at: number,
  had: Token | null,
): Token {
  const { id, challengeAt, captchaAt } =
    had !== null && isOfDomain(had, host, tokenDomains)
      ? had
      : { id: randomBytes(12).toString('base64url'), challengeAt: 0, captchaAt: 0 }
  const token = { domain: host, id, challengeAt, captchaAt }
  return kind === 'CAPTCHA' ? { ...token, captchaAt: at } : { ...token, challengeAt: at }
}

export function writeToken({ domain, id, challengeAt, captchaAt }: Token, keys: KeysOfPeriod): string {
  const payload = JSON.stringify([1, domain, id, challengeAt, captchaAt])
  return sign(Buffer.from(payload).toString('base64url'), keys)
}

/** Null for what no worker of this installation has written, with keys that are still known. */
export function readToken(text: string, keys: KeysOfPeriod): Token | null {
  if (text.length > TOKEN_LENGTH_MAX) return null
  const payload = verified(text, keys)
  if (payload === null) return null
  const [, domain, id, challengeAt, captchaAt] = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [
    1,
    string,
    string,
    number,
    number,
  ]
  return { domain, id, challengeAt, captchaAt }
}

/** The token is good for the host that it was given for, and for those of the web ACL's TokenDomains and below them. */
export function isOfDomain(token: Token, host: string, tokenDomains: readonly string[]): boolean {
  if (token.domain === host) return true
  return tokenDomains.some((domain) => isWithin(token.domain, domain.toLowerCase()))
}

export const isWithin = (host: string, domain: string): boolean => host === domain || host.endsWith(`.${domain}`)

/** The cookie's Domain: the widest of the token domains that the host is within; null for the host alone. */
export function cookieDomain(host: string, tokenDomains: readonly string[]): string | null {
  const within = tokenDomains.map((domain) => domain.toLowerCase()).filter((domain) => isWithin(host, domain))
  return within.sort((one, other) => one.length - other.length)[0] ?? null
}

export interface Asked {
  readonly kind: ChallengeKind
  readonly host: string
  readonly tokenDomains: readonly string[]
  readonly immunitySeconds: number
  /** Milliseconds since the epoch, by the movable clock. */
  readonly now: number
}

export type Judgement =
  /** `solvedAt`: seconds since the epoch. */
  | { readonly accepted: true; readonly solvedAt: number }
  | { readonly accepted: false; readonly reason: FailureReason; readonly solvedAt: number }

/** `token`: undefined for none, null for one that is not ours. */
export function judge(token: Token | null | undefined, asked: Asked): Judgement {
  if (token === undefined) return { accepted: false, reason: 'TOKEN_MISSING', solvedAt: 0 }
  if (token === null) return { accepted: false, reason: 'TOKEN_INVALID', solvedAt: 0 }
  if (!isOfDomain(token, asked.host, asked.tokenDomains))
    return { accepted: false, reason: 'TOKEN_DOMAIN_MISMATCH', solvedAt: 0 }
  const solvedAt = asked.kind === 'CAPTCHA' ? token.captchaAt : token.challengeAt
  // One that says nothing of this kind is as good as none (unconfirmed).
  if (solvedAt === 0) return { accepted: false, reason: 'TOKEN_MISSING', solvedAt }
  const now = asked.now / 1000
  if (solvedAt > now + AHEAD_SECONDS) return { accepted: false, reason: 'TOKEN_INVALID', solvedAt }
  if (now >= solvedAt + asked.immunitySeconds) return { accepted: false, reason: 'TOKEN_EXPIRED', solvedAt }
  return { accepted: true, solvedAt }
}
