//! docs/http2.md: the limits of HTTP/2 as a document (`npm run docs` writes it, a check compares it).
import { HTTP2_RATES, HTTP2_SIZES } from './limits.ts'

export function http2Document(): string {
  return [
    ...BEFORE,
    '| limit | value | why |',
    '|---|---|---|',
    ...Object.entries(HTTP2_SIZES).map(
      ([name, { value, unit, why }]) => `| \`${name}\` | ${value.toLocaleString('en-US')} ${unit} | ${why} |`,
    ),
    '',
    ...BETWEEN,
    '| budget | at once | a second | what counts | why |',
    '|---|---|---|---|---|',
    ...Object.entries(HTTP2_RATES).map(
      ([name, { burst, perSecond, counts, why }]) =>
        `| \`${name}\` | ${burst.toLocaleString('en-US')} | ${perSecond} | ${counts} | ${why} |`,
    ),
    '',
    ...AFTER,
    '',
  ].join('\n')
}

const BEFORE = [
  '# HTTP/2 for viewers',
  '',
  '<!-- Printed by `npm run docs` from src/edge/listen/http2/limits.ts. -->',
  '',
  'Viewers that offer `h2` in the TLS handshake get HTTP/2 (RFC 9113) where the HttpVersion of the distribution is `http2` or',
  '`http2and3` and TLS is 1.2 or newer; all others HTTP/1.1. Not over plain HTTP. The listener is our own, as that of HTTP/1.1 is',
  '(docs/decisions.md says why).',
  '',
  '- What HTTP/1.1 answers by itself is answered here: 400, 408, 414, 417, 494, with the same pages. What is malformed as HTTP/2',
  '  (RFC 9113 8.1 to 8.3) ends its stream with PROTOCOL_ERROR.',
  '- A header block is what HTTP/1.1 would have: `Host` from `:authority`, crumbs of cookies joined, at most 32,768 bytes and 256',
  '  fields. `cs-bytes` of the access log counts the fields as text, not as they came compressed.',
  '- Answers share the connection by RFC 9218: urgency 0 to 7 and `i`, of the `Priority` header or PRIORITY_UPDATE; of equal',
  '  urgency one after the other, incremental ones in turns. The priorities of RFC 7540 are read and mean nothing.',
  '- Trailers pass both ways, interim answers (103, 100 when a body is waited for) too. Nothing is pushed. WebSocket is one of',
  '  HTTP/1.1, and CONNECT is refused.',
  '- A request that is answered before its end: what is on its way may still come for 2 s, then the stream ends with NO_ERROR.',
  '- A drain says GOAWAY twice: first that no more requests are wanted, then, when the viewer has seen it, which were taken.',
  '- The header table for answers stays empty: a header block means the same on all connections and is encoded once for each',
  '  cached object.',
  '',
  '## Limits of a connection',
  '',
  'Besides those of HTTP/1.1 (times, sizes of heads, connections). Over one of them the connection ends with GOAWAY and',
  'ENHANCE_YOUR_CALM, unless the table says otherwise; `cachefront_edge_http2_limits_total` counts by the name of the limit.',
  '',
]

const BETWEEN = [
  '## What a viewer may do so often',
  '',
  'So many at once, and so many a second on the long run. Requests, and DATA frames that carry something either way, each earn',
  'four more `pings` and `controls`: those who work may ask.',
  '',
]

const AFTER = [
  'A viewer that keeps an answer waiting for a window has `sendStallMs` (60 s) for it, and a second more for each 100 bytes that',
  'it takes; then its stream ends with CANCEL.',
]
