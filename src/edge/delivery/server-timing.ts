//! The Server-Timing header that a response headers policy asks for (spec/cloudfront.md 4.9): what the cache did, where, and
//! how long it took.
import { allValues } from '../../http/headers.ts'
import type { Exchange } from '../exchange.ts'
import { headerPairs } from '../origin/answer.ts'
import type { PolicyEdit } from '../snapshot/headers-policy.ts'

/** A line without the break behind it, beginning with one. `head` is the answer's own, as the origin sent it. */
export function timingLine(x: Exchange, { removesTiming }: PolicyEdit, head: string): string {
  const what = cameFrom(x)
  const metrics = what === 'miss' || what === 'refresh' ? upstream(x) : []
  // One header on a miss; what the origin said of another delivery is no news of this one.
  if (what === 'miss' && !removesTiming) metrics.push(...allValues(headerPairs(head), 'server-timing'))
  if (what !== null) metrics.push(`cdn-cache-${what}`)
  metrics.push(`cdn-pop;desc="${x.place.name}"`, `cdn-rid;desc="${x.requestId}"`)
  if (what === 'hit') metrics.push(`cdn-hit-layer;desc="${x.layer}"`)
  metrics.push(`cdn-downstream-fbl;dur=${ms(x.firstByteAt - x.viewerRequest.startedAt)}`)
  return `\r\nServer-Timing: ${metrics.join(',')}`
}

/** Null for an answer that the edge made without asking anybody. */
function cameFrom(x: Exchange): 'hit' | 'refresh' | 'miss' | null {
  if (x.result === 'RefreshHit') return 'refresh'
  if (x.result === 'Hit') return 'hit'
  if (x.fault !== null) return x.fault.origin === null ? null : 'miss'
  // An error says Error wherever it came from.
  return x.object !== null && x.upstream === null ? 'hit' : 'miss'
}

/** Nothing when it is not known: of a large object that is put together of slices. */
function upstream({ upstream: times }: Exchange): string[] {
  if (times === null) return []
  const { layer, dnsMs, connectMs, firstByteMs } = times
  return [
    `cdn-upstream-layer;desc="${layer}"`,
    ...(dnsMs === null ? [] : [`cdn-upstream-dns;dur=${ms(dnsMs)}`]),
    ...(connectMs === null ? [] : [`cdn-upstream-connect;dur=${ms(connectMs)}`]),
    `cdn-upstream-fbl;dur=${ms(firstByteMs)}`,
  ]
}

const ms = (duration: number): number => Math.max(0, Math.round(duration))
