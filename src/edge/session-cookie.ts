//! The cookie by which a viewer stays with the distribution that its session began with (continuous deployment, session
//! stickiness). It holds the side and two times, signed: nobody but the edges makes or changes one. AWS's own name and
//! form are not documented. PURE.
import { createHmac, timingSafeEqual } from 'node:crypto'

/** Keyed and forwarded by no policy: the edge takes it out of the request (stages/choose-staging.ts). */
export const SESSION_COOKIE = 'aws-cf-cd-session'

export interface Session {
  readonly toStaging: boolean
  /** Seconds since 1970: of its first request and of its newest. */
  readonly begunAt: number
  readonly usedAt: number
}

/** Characters of the signature: 132 bits. */
const SIGNATURE_CHARS = 22
const FORM = /^(p|s)\.([0-9a-z]{1,9})\.([0-9a-z]{1,9})\.([A-Za-z0-9_-]{22})$/

const signature = (text: string, secret: Uint8Array): string =>
  createHmac('sha256', secret).update(text).digest('base64url').slice(0, SIGNATURE_CHARS)

export function writeSession({ toStaging, begunAt, usedAt }: Session, secret: Uint8Array): string {
  const text = `${toStaging ? 's' : 'p'}.${begunAt.toString(36)}.${usedAt.toString(36)}`
  return `${text}.${signature(text, secret)}`
}

/** Null for what is no value of ours, or was signed with another secret. */
export function readSession(value: string, secret: Uint8Array): Session | null {
  const [, side, begun = '', used = '', given = ''] = FORM.exec(value) ?? []
  if (side === undefined) return null
  const wanted = signature(value.slice(0, -1 - SIGNATURE_CHARS), secret)
  if (!timingSafeEqual(Buffer.from(given), Buffer.from(wanted))) return null
  return { toStaging: side === 's', begunAt: Number.parseInt(begun, 36), usedAt: Number.parseInt(used, 36) }
}
