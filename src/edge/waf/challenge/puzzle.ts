//! What a viewer has to do for a token, sealed: the edge keeps nothing of a puzzle until it is answered.
import { hash, randomBytes, randomInt } from 'node:crypto'
import type { KeysOfPeriod } from '../../../lib/period-keys.ts'
import { GROUP_DIGITS, GROUPS } from './captcha-audio.ts'
import { CHARACTERS } from './captcha-image.ts'
import { seal, unseal } from './sealed.ts'

/** Zero bits that a hash has to begin with: 65,536 tries on average, some tenths of a second in a browser. */
export const WORK_BITS = 16
const WORK_MS = 300_000
export const CAPTCHA_MS = 600_000
const CHARACTERS_ASKED = 5
/** A longer one is none of ours. Characters. */
const SEALED_LENGTH_MAX = 8_192

interface Puzzle {
  readonly host: string
  /** Of one puzzle alone. */
  readonly id: string
  /** Milliseconds since the epoch, by the movable clock. */
  readonly madeAt: number
}

export interface WorkPuzzle extends Puzzle {
  readonly kind: 'work'
}

export interface CaptchaPuzzle extends Puzzle {
  readonly kind: 'captcha'
  /** What the picture shows, and the beeps of each group. */
  readonly characters: string
  readonly beeps: string
}

const isNew = ({ madeAt }: Puzzle, now: number, goodMs: number): boolean =>
  now < madeAt + goodMs && madeAt <= now + 5_000

const drawn = (from: string, length: number): string =>
  Array.from({ length }, () => from[randomInt(from.length)]).join('')

const newPuzzle = (host: string, now: number): Puzzle => ({
  host,
  id: randomBytes(12).toString('base64url'),
  madeAt: now,
})

export function makeWork(host: string, now: number, keys: KeysOfPeriod): string {
  return seal({ kind: 'work', ...newPuzzle(host, now) } satisfies WorkPuzzle, keys)
}

export function makeCaptcha(host: string, now: number, keys: KeysOfPeriod): string {
  const puzzle: CaptchaPuzzle = {
    kind: 'captcha',
    ...newPuzzle(host, now),
    characters: drawn(CHARACTERS, CHARACTERS_ASKED),
    beeps: drawn(GROUP_DIGITS, GROUPS),
  }
  return seal(puzzle, keys)
}

function opened<Kind extends WorkPuzzle | CaptchaPuzzle>(
  kind: Kind['kind'],
  sealed: string,
  host: string,
  now: number,
  goodMs: number,
  keys: KeysOfPeriod,
): Kind | null {
  if (sealed.length > SEALED_LENGTH_MAX) return null
  const puzzle = unseal(sealed, keys) as Kind | null
  return puzzle?.kind === kind && puzzle.host === host && isNew(puzzle, now, goodMs) ? puzzle : null
}

/** Null for one that is not ours, of another host, or too old. */
export const openCaptcha = (sealed: string, host: string, now: number, keys: KeysOfPeriod): CaptchaPuzzle | null =>
  opened<CaptchaPuzzle>('captcha', sealed, host, now, CAPTCHA_MS, keys)

export const openWork = (sealed: string, host: string, now: number, keys: KeysOfPeriod): WorkPuzzle | null =>
  opened<WorkPuzzle>('work', sealed, host, now, WORK_MS, keys)

/** What the work is done on: the end of the sealed puzzle, short enough for one block of SHA-256. */
export const workText = (sealed: string): string => sealed.slice(-22)

/** `number` is in decimal. */
export function isWorkDone(sealed: string, number: string): boolean {
  if (!/^\d{1,15}$/.test(number)) return false
  const digest = hash('sha256', `${workText(sealed)}.${number}`, 'buffer')
  return Math.clz32(digest.readUInt32BE(0)) >= WORK_BITS
}

/** Blanks and capitals do not matter. */
export function isCaptchaSolved({ characters, beeps }: CaptchaPuzzle, answer: string): boolean {
  const given = answer.replace(/[\s,.-]+/g, '').toUpperCase()
  return given === characters || given === beeps
}

/** A page to go on to, sealed so that nobody can send people elsewhere with it. */
export const sealOnward = (host: string, target: string, keys: KeysOfPeriod): string =>
  seal({ kind: 'onward', host, target }, keys)

export function openOnward(sealed: string, host: string, keys: KeysOfPeriod): string {
  if (sealed.length > SEALED_LENGTH_MAX) return '/'
  const onward = unseal(sealed, keys) as { kind?: string; host?: string; target?: string } | null
  return onward?.kind === 'onward' && onward.host === host ? (onward.target ?? '/') : '/'
}
