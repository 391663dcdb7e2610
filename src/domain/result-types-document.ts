//! docs/access-log.md, printed from the tables of result-types.ts.
import { DETAILED_TYPES, RESULT_TYPES, UNUSED_TYPES } from './result-types.ts'

const rows = (table: Readonly<Record<string, string>>): string =>
  Object.entries(table)
    .map(([word, when]) => `| \`${word}\` | ${when} |`)
    .join('\n')

export function resultTypesDocument(): string {
  return `# The access log

<!-- Printed by \`npm run docs\` from src/domain/result-types.ts. -->

Every worker writes \`logs/access-NAME.log\` below the home: the two header lines and the 33 fields of CloudFront's standard log,
one line a request, when it has ended. \`cachefront logs\` follows them.

## x-edge-result-type, x-edge-response-result-type
The first says what became of the whole answer, the second what it was when its first byte went out. They differ where an
answer broke off after it had begun: the final one is \`Error\` then. X-Cache has the word of the first byte.

| word | when |
|---|---|
${rows(RESULT_TYPES)}

## x-edge-detailed-result-type
The same word as x-edge-result-type, or:

| word | when |
|---|---|
${rows(DETAILED_TYPES)}

Who was kept out is told apart: \`InvalidRequestBlocked\` (the web ACL), \`ClientGeoBlocked\` (the country),
\`InvalidRequestMethod\` (the method), \`LimitExceeded\` (the rate, docs/shield.md), \`CapacityExceeded\` (the load). An error status
that the origin itself sent, or that a signed URL or cookie is refused with, is \`Error\`.

## What has no line, or a short one
- A request whose URL or headers are too large (414, 494) has none, as with CloudFront.
- Of one that is malformed before anybody knows whose it is (400, 408, 417, 505) what could be read is there: method and path
  when only a header is wrong, \`-\` otherwise, also for the distribution.
- A TLS handshake that is refused (no such name, no client certificate that the distribution trusts) has no request and no line;
  \`cachefront_edge_connections_dropped_total\` counts it. \`InvalidRequestCertificate\` is the request on a connection that was
  made for another name.
- \`000\` as status: nothing was answered, for the viewer had left.

## Words of CloudFront that are never written
| word | why |
|---|---|
${rows(UNUSED_TYPES)}
`
}
