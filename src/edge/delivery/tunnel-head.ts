//! The head of `101 Switching Protocols` to a viewer: the origin's, with the lines that every answer has (spec 6.4).
import { firstValue, relayedHeaders } from '../../http/headers.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { ownViewerLines } from '../explain.ts'
import { admits } from '../snapshot/name-rule.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'

/** `headers` are the origin's: name, value, name, value ... */
export function tunnelHead(x: Exchange, edge: Edge, headers: readonly string[]): string {
  const { forward, strict } = x.behavior as BehaviorPlan
  const lines = relayedHeaders(headers, {
    setCookie: strict || forward.cookies.kind !== 'none',
    forwardsHeader: (name) => admits(forward.headers, name),
    without: ['via'],
  })
  let text = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
  for (let i = 0; i < lines.length; i += 2) text += `${lines[i]}: ${lines[i + 1]}\r\n`
  if (firstValue(lines, 'date') === undefined) text += `Date: ${edge.date()}\r\n`
  text +=
    `Via: 1.1 ${x.place.via}\r\nX-Cache: ${x.result} from cloudfront\r\n` +
    `X-Amz-Cf-Pop: ${x.place.name}\r\nX-Amz-Cf-Id: ${x.requestId}${ownViewerLines(x)}\r\n\r\n`
  if (x.watcher !== null) x.watcher.sends(text)
  return text
}
