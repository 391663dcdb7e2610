//! docs/conformance.md from a run. Pure.
import type { Departure, Why } from './expected.ts'
import type { Count, Judged } from './judge.ts'
import { KEYED_HEADERS, TTL } from './servers.ts'
import { VERSION } from './suite.ts'

const INTRODUCTION = `# Conformance

Printed by \`npm run conformance -- --write\`; do not edit.

A cache answers to two authorities: the RFCs (9110 and 9111 above all) and CloudFront's documentation. Where they agree,
the RFCs are followed. Where CloudFront documents something else, a distribution behaves as CloudFront does: this is the
default mode, and the only one today. A strict mode, in which the RFCs win, is not built yet.`

const RUN = `## The run

The public suite [http-cache-tests](https://cache-tests.fyi) ${VERSION}, with its own client, server and judgement,
against a real installation. The distribution was created through the AWS SDK: Min TTL ${TTL.min}, Default TTL
${TTL.default}, Max TTL ${TTL.max}; all query strings and the headers ${KEYED_HEADERS.join(', ')} in the cache key;
Managed-AllViewer as origin request policy; all methods allowed.`

const RULES = `## What decides in default mode

| question | answer |
|---|---|
| How long is a 2xx or 3xx fresh? | s-maxage, else max-age, else Expires, between Min TTL and Max TTL; else the greater of Min and Default TTL |
| no-store, private, no-cache? | With Min TTL 0 as in the RFC; with Min TTL above 0 the answer is kept for Min TTL |
| An Age that came with the answer? | It is subtracted; of a list the first member counts, what is no number is ignored |
| Expires, and the origin's clock is off? | From now, or from the origin's Date less its Age: the shorter |
| What makes variants? | The cache policy alone. Vary makes none; \`Vary: *\` is not kept with Min TTL 0 |
| An expired object? | It is revalidated with its ETag and Last-Modified; a 304 replaces stored fields except those that say what the bytes are |
| The origin fails (5xx, timeout, no connection)? | An expired copy is served and the origin asked again 10 seconds later, up to Max TTL; not with must-revalidate, proxy-revalidate, no-cache, or beyond stale-if-error |
| Errors of the origin? | 404, 414, 500-504 are kept for the error caching minimum TTL, or as long as the origin says; 400, 403, 405, 412, 415 only with max-age or s-maxage; others never |
| Cache-Control and Pragma of the viewer? | Forwarded, and without effect on the cache |
| A viewer's conditions? | 304 and 412 by RFC 9110, from a stored object and from one that is being fetched |
| A viewer's Range? | 206 and 416 from a stored object and from one that is being fetched; several ranges only in ascending order without overlap, else the whole object |
| no-cache="Set-Cookie"? | Kept without the field; the viewer whose request fetched it gets it |`

const HEADINGS: readonly (readonly [why: Why, heading: string])[] = [
  ['cloudfront', '## Where CloudFront departs, and so does this cache'],
  ['suite', "## Where this edition of the suite departs from today's RFCs"],
  ['not-built', '## Not built yet'],
]

export function documentOf(
  judged: readonly Judged[],
  counts: readonly Count[],
  departures: readonly Departure[],
): string {
  const parts = [INTRODUCTION, RUN, countsOf(counts), RULES]
  for (const [why, heading] of HEADINGS) {
    const rows = departures.filter((departure) => departure.why === why)
    if (rows.length > 0) parts.push(heading, departuresOf(rows))
  }
  parts.push(CHECKS, checksOf(judged))
  return `${parts.join('\n\n')}\n`
}

const CHECKS = `## What it does where both is right

The suite's \`check\` tests only ask.`

function countsOf(counts: readonly Count[]): string {
  const rows = counts.map(
    ({ kind, tests, passed, passedWithDependencies }) =>
      `| ${kind} | ${tests} | ${passed} | ${passedWithDependencies} |`,
  )
  return ['| kind | tests | passed | passed, and all that they depend on |', '|---|---|---|---|', ...rows].join('\n')
}

function departuresOf(rows: readonly Departure[]): string {
  const lines = rows.map(
    ({ here, wanted, tests }) => `| ${here} | ${wanted} | ${tests.map((id) => `\`${id}\``).join(' ')} |`,
  )
  return ['| here | the suite wants | tests |', '|---|---|---|', ...lines].join('\n')
}

function checksOf(judged: readonly Judged[]): string {
  const lines = judged
    .filter(({ kind }) => kind === 'check')
    .map(
      ({ id, name, verdict }) =>
        `| ${name.replaceAll('|', '\\|')} | ${verdict === 'pass' ? 'yes' : 'no'} | \`${id}\` |`,
    )
  return ['| question | answer | test |', '|---|---|---|', ...lines].join('\n')
}
