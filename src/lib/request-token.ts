//! A token that is good for one request line, for a short time: control gives it to whoever may, and an edge, which knows
//! no access keys, sees by a key that both have that it was given. Pure.
import { createHmac, timingSafeEqual } from 'node:crypto'

export interface RequestLine {
  readonly method: string
  /** Host header, as it will be sent. */
  readonly host: string
  /** Path with query, as it will be sent. */
  readonly target: string
}

/** Longest token that is looked at, and its form: when it ends, and 32 bytes. */
const TOKEN = /^([0-9a-z]{1,11})\.([\w-]{43})$/

/** @param until milliseconds since the epoch on the wall clock */
export function requestToken(key: Uint8Array, line: RequestLine, until: number): string {
  const end = Math.ceil(until).toString(36)
  return `${end}.${mac(key, line, end).toString('base64url')}`
}

/** Whether the token was given for this request and its time is not over. */
export function tokenHolds(key: Uint8Array, token: string, line: RequestLine, now: number): boolean {
  const [, end, text] = TOKEN.exec(token) ?? []
  if (end === undefined || text === undefined || Number.parseInt(end, 36) <= now) return false
  // Compared as text: other spellings of the same bytes are other tokens.
  const expected = mac(key, line, end).toString('base64url')
  return timingSafeEqual(Buffer.from(text), Buffer.from(expected))
}

function mac(key: Uint8Array, { method, host, target }: RequestLine, end: string): Buffer {
  return createHmac('sha256', key)
    .update(JSON.stringify([end, method, host, target]))
    .digest()
}
