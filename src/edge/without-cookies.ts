//! A viewer's header block without some of its cookies: what is between the viewer and the edge no policy keys or forwards.
import { unframedHeaders } from './listen/header-block.ts'
import type { HeaderBlock } from './listen/viewer.ts'
import { headerOrder, keepHeaderOrder } from './viewer/header-order.ts'

/** Cookies of one Cookie field, each as `name=value`. */
export const cookiePairs = (cookie: string): string[] => cookie.split(';').map((pair) => pair.trim())

/** `isMeant` says of a pair whether it goes. */
export function withoutCookies(headers: HeaderBlock, isMeant: (pair: string) => boolean): HeaderBlock {
  const { raw } = headers
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const [name, value] = [raw[i] as string, raw[i + 1] as string]
    const isCookie = name.toLowerCase() === 'cookie'
    const cookies = isCookie ? cookiePairs(value).filter((pair) => !isMeant(pair)) : []
    if (!isCookie) kept.push(name, value)
    else if (cookies.length > 0) kept.push(name, cookies.join('; '))
  }
  const block = unframedHeaders(kept, headers.get('host') ?? headers.host)
  keepHeaderOrder(block, headerOrder(headers))
  return block
}
