//! The session cookie in a viewer's header block: read, and taken out, so that no policy keys or forwards it. Both are
//! remembered with the block, which a connection repeats.
import type { HeaderBlock } from './listen/viewer.ts'
import { SESSION_COOKIE } from './session-cookie.ts'
import { cookiePairs, withoutCookies } from './without-cookies.ts'

const SESSIONS = {}
const WITHOUT = {}
const NAMED = `${SESSION_COOKIE}=`

/** Values of the cookie in the order that they came. */
export function sessionCookies(headers: HeaderBlock): readonly string[] {
  const known = headers.derived.get(SESSIONS)
  if (known !== undefined) return known as readonly string[]
  const values = headers
    .getAll('cookie')
    .flatMap(cookiePairs)
    .filter((pair) => pair.startsWith(NAMED))
    .map((pair) => pair.slice(NAMED.length))
  headers.derived.set(SESSIONS, values)
  return values
}

/** The block without it. */
export function withoutSession(headers: HeaderBlock): HeaderBlock {
  const known = headers.derived.get(WITHOUT)
  if (known !== undefined) return known as HeaderBlock
  const block = withoutCookies(headers, (pair) => pair.startsWith(NAMED))
  headers.derived.set(WITHOUT, block)
  return block
}
