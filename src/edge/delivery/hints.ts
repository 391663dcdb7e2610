//! Interim answers of the origin (103 Early Hints and other 1xx; RFC 9110 15.2, RFC 8297) on their way to the viewer whose
//! request fetched the answer, in strict mode. CloudFront passes none. Whoever only waits for that fetch gets none: what a
//! hint says is about the request that went out.
import { reasonPhrase } from '../../http/error-page.ts'
import { relayedHeaders } from '../../http/headers.ts'
import type { Exchange } from '../exchange.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'

/** Bytes of interim heads for one request: they are written whether the viewer reads or not. */
const HINT_BYTES_MAX = 64 * 1024

/** Name, value, name, value ... as they came. */
export type PassHint = (status: number, headers: readonly string[]) => void

/** What is to hear of them; null when none pass. HTTP/1.0 knows no interim answers. */
export function hintsFor(x: Exchange): PassHint | null {
  const { reply, peer, request } = x
  if (!(x.behavior as BehaviorPlan).strict || x.page !== null || request.httpVersion === '1.0') return null
  if (peer !== null) return peer.hint?.bind(peer) ?? null
  const write = reply.interim?.bind(reply)
  if (write === undefined) return null
  let left = HINT_BYTES_MAX
  return (status, headers) => {
    const head = hintHead(status, headers)
    left -= head.length
    if (left >= 0) write(head)
  }
}

/** Cookies are left to the answer itself: a hint is nothing to remember. */
const RULES = { setCookie: false, forwardsHeader: () => true, without: [] } as const

function hintHead(status: number, headers: readonly string[]): string {
  const lines = relayedHeaders(headers, RULES)
  let head = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`
  for (let i = 0; i < lines.length; i += 2) head += `${lines[i]}: ${lines[i + 1]}\r\n`
  return `${head}\r\n`
}
