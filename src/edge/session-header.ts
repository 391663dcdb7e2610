//! The session cookie in a viewer's header block: read, and taken out, so that no policy keys or forwards it. Both are
//! remembered with the block, which a connection repeats.
import { unframedHeaders } from './listen/header-block.ts'
import type { HeaderBlock } from './listen/viewer.ts'
import { SESSION_COOKIE } from './session-cookie.ts'
import { headerOrder, keepHeaderOrder } from './viewer/header-order.ts'

const SESSIONS = {}
const WITHOUT = {}
const NAMED = `${SESSION_COOKIE}=`

const pairsOf = (cookie: string): string[] => cookie.split(';').map((pair) => pair.trim())

/** Values of the cookie in the order that they came. */
export function sessionCookies(headers: HeaderBlock): readonly string[] {
  const known = headers.derived.get(SESSIONS)
  if (known !== undefined) return known as readonly string[]
  const values = headers
    .getAll('cookie')
    .flatMap(pairsOf)
    .filter((pair) => pair.startsWith(NAMED))
    .map((pair) => pair.slice(NAMED.length))
  headers.derived.set(SESSIONS, values)
  return values
}

/** The block without it. */
export function withoutSession(headers: HeaderBlock): HeaderBlock {
  const known = headers.derived.get(WITHOUT)
  if (known !== undefined) return known as HeaderBlock
  const { raw } = headers
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const [name, value] = [raw[i] as string, raw[i + 1] as string]
    const isCookie = name.toLowerCase() === 'cookie'
    const cookies = isCookie ? pairsOf(value).filter((pair) => !pair.startsWith(NAMED)) : []
    if (!isCookie) kept.push(name, value)
    else if (cookies.length > 0) kept.push(name, cookies.join('; '))
  }
  const block = unframedHeaders(kept, headers.get('host') ?? headers.host)
  keepHeaderOrder(block, headerOrder(headers))
  headers.derived.set(WITHOUT, block)
  return block
}
