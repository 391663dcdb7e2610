//! What the pages of the challenges ask for, and give: pictures, sounds, finished work, answers to puzzles. Bounded in what it
//! costs (limits.ts); nothing of it is cached or reaches an origin.

import type { ChallengeKind } from '../../../domain/waf/seen.ts'
import type { KeysOfPeriod } from '../../../lib/period-keys.ts'
import type { HeaderBlock } from '../../listen/viewer.ts'
import { soundCaptcha } from './captcha-audio.ts'
import { drawCaptcha } from './captcha-image.ts'
import { type ChallengeDesk, NO_STORE, pageHeaders } from './desk.ts'
import type { PuzzleLimits } from './limits.ts'
import { plainPage, WAF_PATH } from './pages.ts'
import { CAPTCHA_MS, isCaptchaSolved, isWorkDone, openCaptcha, openOnward, openWork } from './puzzle.ts'
import { SeededRandom } from './seeded-random.ts'
import { cookieDomain, IMMUNITY_SECONDS_MAX, TOKEN_COOKIE, tokenFor, writeToken } from './token.ts'

export interface PuzzleRequest {
  readonly method: string
  readonly path: string
  /** Without the question mark; null for none. */
  readonly query: string | null
  readonly headers: HeaderBlock
  readonly isHttps: boolean
  /** The viewer's, behind the proxies that are trusted. */
  readonly address: string
  readonly requestId: string
  readonly tokenDomains: readonly string[]
  /** The form that was sent; null when there is none, or it is too long to be ours. */
  readonly form: URLSearchParams | null
  /** Milliseconds since the epoch, by the movable clock. */
  readonly now: number
}

export interface PuzzleAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: Buffer
  readonly headers: readonly (readonly [string, string])[]
}

export interface AnswerParts {
  readonly desk: ChallengeDesk
  readonly limits: PuzzleLimits
  /** True when nobody in the POP has answered the puzzle yet; remembered until then (milliseconds since the epoch). */
  readonly claim: (id: string, until: number) => Promise<boolean>
  readonly counted: (what: 'solved' | 'failed', kind: ChallengeKind) => void
}

type Answering = (request: PuzzleRequest, parts: AnswerParts) => PuzzleAnswer | Promise<PuzzleAnswer>

/** By method and the end of the path. */
const TABLE: Readonly<Record<string, Answering>> = {
  'GET image': (request, parts) => drawn(request, parts, 'image'),
  'GET audio': (request, parts) => drawn(request, parts, 'audio'),
  'POST challenge': answerChallenge,
  'POST captcha': answerCaptcha,
  // Whoever loads the page of a wrong answer anew begins at the site.
  'GET captcha': () => onwardTo('/', []),
}

export function answerPuzzle(request: PuzzleRequest, parts: AnswerParts): PuzzleAnswer | Promise<PuzzleAnswer> {
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const answering = TABLE[`${method} ${request.path.slice(WAF_PATH.length)}`]
  return answering === undefined ? said(404, 'There is nothing here', 'Please go back.') : answering(request, parts)
}

function drawn({ query, headers, now }: PuzzleRequest, parts: AnswerParts, what: 'image' | 'audio'): PuzzleAnswer {
  const sealed = new URLSearchParams(query ?? '').get('p') ?? ''
  const puzzle = openCaptcha(sealed, headers.host, now, parts.desk.keys())
  if (puzzle === null) return said(404, 'This puzzle is over', 'Please load the page again.')
  if (!parts.limits.mayDraw()) return busy()
  const random = new SeededRandom(`${what}/${sealed}`)
  const body = what === 'image' ? drawCaptcha(puzzle.characters, random) : soundCaptcha(puzzle.beeps, random)
  return { status: 200, contentType: what === 'image' ? 'image/png' : 'audio/wav', body, headers: NO_STORE }
}

async function answerChallenge(request: PuzzleRequest, parts: AnswerParts): Promise<PuzzleAnswer> {
  const { form, headers, now } = request
  const sealed = form?.get('p') ?? ''
  const work = openWork(sealed, headers.host, now, parts.desk.keys())
  const isDone = work !== null && isWorkDone(sealed, form?.get('n') ?? '')
  if (!isDone || !(await parts.claim(work.id, work.madeAt + CAPTCHA_MS))) {
    parts.counted('failed', 'CHALLENGE')
    return said(403, 'The check failed', 'Please load the page again.')
  }
  parts.counted('solved', 'CHALLENGE')
  const headersOut = [...NO_STORE, cookie('CHALLENGE', request, parts.desk)] as const
  return { status: 200, contentType: 'text/plain', body: Buffer.alloc(0), headers: headersOut }
}

async function answerCaptcha(request: PuzzleRequest, parts: AnswerParts): Promise<PuzzleAnswer> {
  const { form, headers, now, address, requestId } = request
  const keys: KeysOfPeriod = parts.desk.keys()
  const onward = openOnward(form?.get('to') ?? '', headers.host, keys)
  if (!parts.limits.mayAnswer(address)) return busy()
  const puzzle = openCaptcha(form?.get('p') ?? '', headers.host, now, keys)
  // Right or wrong: a puzzle is answered once.
  const isFirst = puzzle !== null && (await parts.claim(puzzle.id, puzzle.madeAt + CAPTCHA_MS))
  if (isFirst && isCaptchaSolved(puzzle, form?.get('answer') ?? '')) {
    parts.counted('solved', 'CAPTCHA')
    return onwardTo(onward, [cookie('CAPTCHA', request, parts.desk)])
  }
  parts.counted('failed', 'CAPTCHA')
  const problem = isFirst ? 'That was not what the picture or the sound had. Here is another one.' : PUZZLE_OVER
  const page = parts.desk.captcha(headers.host, now, onward, problem, requestId)
  return {
    status: 405,
    contentType: 'text/html; charset=utf-8',
    body: Buffer.from(page.body, 'latin1'),
    headers: [['x-amzn-waf-action', 'captcha'], ...pageHeaders(page)],
  }
}

const PUZZLE_OVER = 'That puzzle was too old, or had been answered already. Here is another one.'

function cookie(kind: ChallengeKind, request: PuzzleRequest, desk: ChallengeDesk): readonly [string, string] {
  const { headers, tokenDomains, isHttps, now } = request
  const asked = { host: headers.host, tokenDomains, kind }
  const token = tokenFor(asked, Math.floor(now / 1000), desk.tokenOf(headers, tokenDomains))
  const domain = cookieDomain(headers.host, tokenDomains)
  const parts = [`${TOKEN_COOKIE}=${writeToken(token, desk.keys())}`, 'Path=/', `Max-Age=${IMMUNITY_SECONDS_MAX}`]
  if (domain !== null) parts.push(`Domain=${domain}`)
  if (isHttps) parts.push('Secure')
  return ['Set-Cookie', [...parts, 'HttpOnly', 'SameSite=Lax'].join('; ')]
}

const onwardTo = (target: string, more: readonly (readonly [string, string])[]): PuzzleAnswer => ({
  status: 303,
  contentType: 'text/plain',
  body: Buffer.alloc(0),
  headers: [['Location', target], ...NO_STORE, ...more],
})

const busy = (): PuzzleAnswer => {
  const { headers, ...answer } = said(
    429,
    'Please wait a moment',
    'There have been many tries from here. Please wait a minute, then go back and load the page again.',
  )
  return { ...answer, headers: [['Retry-After', '60'], ...headers] }
}

function said(status: number, title: string, text: string): PuzzleAnswer {
  const page = plainPage(title, text)
  return {
    status,
    contentType: 'text/html; charset=utf-8',
    body: Buffer.from(page.body, 'latin1'),
    headers: pageHeaders(page),
  }
}
