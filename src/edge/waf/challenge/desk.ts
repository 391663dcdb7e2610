//! What stands behind the actions Challenge and CAPTCHA: judges the tokens of requests, and answers those that have none with
//! a page that asks for the work, as AWS documents it (a status, x-amzn-waf-action, and the page only where HTML is wanted).

import type { ChallengeKind } from '../../../domain/waf/seen.ts'
import type { KeysOfPeriod } from '../../../lib/period-keys.ts'
import type { EdgeFault } from '../../exchange.ts'
import type { Challenges } from '../challenges.ts'
import type { Inspected } from '../inspected.ts'
import type { RulePlan, WebAclPlan } from '../plan.ts'
import { captchaPage, challengePage, type Page } from './pages.ts'
import { makeCaptcha, makeWork, sealOnward, WORK_BITS, workText } from './puzzle.ts'
import { IMMUNITY_SECONDS, isOfDomain, type Judgement, judge, type Token } from './token.ts'
import { TokenReader } from './tokens-of.ts'

/** A longer address is not kept for after the puzzle: then it goes on at the beginning of the site. Characters. */
const ONWARD_MAX = 2_048

export interface ActionResult {
  readonly status: number
  /** x-amzn-waf-action */
  readonly action: string
  /** Namespace of its labels. */
  readonly labels: string
}

const RESULTS: Readonly<Record<ChallengeKind, ActionResult>> = {
  CAPTCHA: { status: 405, action: 'captcha', labels: 'awswaf:managed:captcha:' },
  CHALLENGE: { status: 202, action: 'challenge', labels: 'awswaf:managed:token:' },
}

/** What of a rejected token goes into a label, by the reason in a log. */
const REJECTED = {
  TOKEN_MISSING: 'absent',
  TOKEN_EXPIRED: 'rejected:expired',
  TOKEN_INVALID: 'rejected:invalid',
  TOKEN_DOMAIN_MISMATCH: 'rejected:domain_mismatch',
} as const

/** Fields of every answer that asks for something, or gives a token. */
export const NO_STORE: readonly (readonly [string, string])[] = [
  ['Cache-Control', 'no-store, max-age=0'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'same-origin'],
]

export const pageHeaders = ({ policy }: Page): readonly (readonly [string, string])[] => [
  ...NO_STORE,
  ['Content-Security-Policy', policy],
]

export class ChallengeDesk implements Challenges {
  readonly keys: () => KeysOfPeriod
  readonly #tokens: TokenReader

  constructor(keys: () => KeysOfPeriod) {
    this.keys = keys
    this.#tokens = new TokenReader(keys)
  }

  passes(kind: ChallengeKind, rule: RulePlan, plan: WebAclPlan, request: Inspected): boolean {
    const judgement = this.#judge(kind, rule, plan, request)
    const { labels } = RESULTS[kind]
    if (kind === 'CAPTCHA') request.captcha = judgement
    else request.challenge = judgement
    if (judgement.accepted) request.addLabel(`${labels}accepted`)
    else {
      const [state = '', why] = REJECTED[judgement.reason as keyof typeof REJECTED].split(':')
      request.addLabel(`${labels}${state}`)
      if (why !== undefined) request.addLabel(`${labels}${state}:${why}`)
    }
    return judgement.accepted
  }

  fault(kind: ChallengeKind, _rule: RulePlan, _plan: WebAclPlan, request: Inspected): EdgeFault {
    const { status, action } = RESULTS[kind]
    const page = wantsHtml(request) ? this.#page(kind, request) : null
    return {
      status,
      reason: 'The browser is checked first.',
      detailed: 'InvalidRequestBlocked',
      origin: null,
      noPage: true,
      answer: {
        contentType: 'text/html; charset=utf-8',
        body: page?.body ?? '',
        headers: [['x-amzn-waf-action', action], ...(page === null ? NO_STORE : pageHeaders(page))],
      },
    }
  }

  /** The token of a request that may be written anew for its host; null for none. */
  tokenOf(headers: Inspected['headers'], tokenDomains: readonly string[]): Token | null {
    const all = this.#tokens.tokensOf(headers).filter((token) => token !== null)
    return all.find((token) => isOfDomain(token, headers.host, tokenDomains)) ?? null
  }

  /** The best of those that a request brings. */
  #judge(kind: ChallengeKind, rule: RulePlan, plan: WebAclPlan, request: Inspected): Judgement {
    const { acl } = plan.doc
    const config = kind === 'CAPTCHA' ? acl.CaptchaConfig : acl.ChallengeConfig
    const ofRule = kind === 'CAPTCHA' ? rule.captchaSeconds : rule.challengeSeconds
    const asked = {
      kind,
      host: request.headers.host,
      tokenDomains: acl.TokenDomains ?? [],
      immunitySeconds: ofRule ?? config?.ImmunityTimeProperty?.ImmunityTime ?? IMMUNITY_SECONDS,
      now: request.now,
    }
    const tokens = this.#tokens.tokensOf(request.headers)
    let worst = judge(tokens[0], asked)
    for (let at = 1; at < tokens.length && !worst.accepted; at++) {
      const other = judge(tokens[at], asked)
      if (other.accepted || worst.reason === 'TOKEN_INVALID') worst = other
    }
    return worst
  }

  #page(kind: ChallengeKind, { headers: { host }, method, path, query, now, requestId }: Inspected): Page {
    const keys = this.keys()
    if (kind === 'CHALLENGE') {
      const puzzle = makeWork(host, now, keys)
      const again = method === 'GET' || method === 'HEAD'
      return challengePage({ puzzle, text: workText(puzzle), bits: WORK_BITS, again, requestId })
    }
    const target = query === '' ? path : `${path}?${query}`
    const onward = method === 'GET' && target.length <= ONWARD_MAX && isPathOfHost(target) ? target : '/'
    return this.captcha(host, now, onward, '', requestId)
  }

  /** A new puzzle; `problem`: what was wrong with the last one. */
  captcha(host: string, now: number, onward: string, problem: string, requestId: string): Page {
    const keys = this.keys()
    return captchaPage({
      puzzle: makeCaptcha(host, now, keys),
      onward: sealOnward(host, onward, keys),
      again: htmlText(onward),
      problem,
      requestId,
    })
  }
}

/** Whether the page can be read where the answer goes: only who asks for HTML shows it (AWS's word for it). */
const wantsHtml = ({ headers }: Inspected): boolean =>
  headers.getAll('accept').some((value) => value.toLowerCase().includes('text/html'))

/** `//elsewhere` would be another host, and a backslash is a slash to browsers. */
const isPathOfHost = (target: string): boolean => /^\/(?![/\\])[\x21-\x7e]*$/.test(target)

const htmlText = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
