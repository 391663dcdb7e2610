//! docs/conformance.md from a run. Pure.
import type { Departure, Mode, Why } from './expected.ts'
import { type Count, count, type Judged } from './judge.ts'
import { KEYED_HEADERS, TTL } from './servers.ts'
import { VERSION } from './suite.ts'

const INTRODUCTION = `# Conformance

Printed by \`npm run conformance -- --write\`; do not edit.

A cache answers to two authorities: the RFCs (9110, 9111, 5861 and 9213 above all) and CloudFront's documentation. Where
they agree, the RFCs are followed. Where CloudFront documents something else, a distribution behaves as CloudFront does:
this is the default mode. In strict mode the RFCs win. A distribution is strict with the tag
\`cachefront:rfc-strict=true\`, all of them are with \`cachefront up --rfc-strict\` (\`CACHEFRONT_RFC_STRICT=true\`).`

const RUN = `## The run

The public suite [http-cache-tests](https://cache-tests.fyi) ${VERSION}, with its own client, server and judgement,
against a real installation. The distribution was created through the AWS SDK: Min TTL ${TTL.min}, Default TTL
${TTL.default}, Max TTL ${TTL.max}; all query strings in the cache key, in default mode the headers
${KEYED_HEADERS.join(', ')} as well; Managed-AllViewer as origin request policy; all methods allowed.`

const RULES = `## What decides

| question | default mode | strict mode |
|---|---|---|
| How long is an answer fresh? | 2xx and 3xx: s-maxage, else max-age, else Expires, between Min TTL and Max TTL; else the greater of Min and Default TTL | Any final status: s-maxage, else max-age, else Expires less Date; of the policy only Max TTL counts |
| Nothing says how long? | Default TTL | A tenth of the time since Last-Modified, a day at most, for the statuses of RFC 9110 15.1 and with \`public\` |
| CDN-Cache-Control? | A header like any other | A valid one takes the place of Cache-Control and Expires (RFC 9213); it goes on to the viewer |
| All TTLs zero? | Nothing is cached | Nothing is cached |
| no-store, private, no-cache? | With Min TTL 0 as in the RFC; with Min TTL above 0 the answer is kept for Min TTL | As in the RFC; with must-understand no-store counts for unknown statuses only |
| no-cache="Set-Cookie", private="X"? | Kept without the field; the viewer whose request fetched it gets it | The same |
| An answer to Authorization? | Kept; what is forwarded and keyed is the policy's matter | Kept only with public, s-maxage or must-revalidate |
| Concurrent misses of one key? | One fetch for all of them; each its own where the behavior forwards cookies (Managed-AllViewer does), as CloudFront has it, and where the answer turns out to be nobody else's | One fetch for all of them, cookies forwarded or not; each its own where the answer turns out to be nobody else's, or another variant |
| Set-Cookie? | Removed unless cookies are forwarded, else kept and replayed | Kept and replayed, as no RFC forbids it |
| An Age that came with the answer? | Subtracted; of a list the first member counts, what is no number is ignored | The same; the time that the answer took is added, and an older Date counts |
| Expires, and the origin's clock is off? | From now, or from the origin's Date less its Age: the shorter | From the origin's Date |
| What makes variants? | The cache policy alone; \`Vary: *\` is not kept with Min TTL 0 | The cache policy and Vary, 64 variants of a key at most; \`Vary: *\` is not kept |
| An expired object? | Revalidated with its ETag and Last-Modified; a 304 replaces stored fields except those that say what the bytes are | The same |
| stale-while-revalidate? | Served stale while one fetch behind refreshes it, up to Max TTL | The same |
| The origin does not answer? | An expired copy is served and the origin asked again 10 seconds later, up to Max TTL and stale-if-error; not with must-revalidate, proxy-revalidate or no-cache | The same, but asked again after 1 second, and not with s-maxage either |
| The origin answers 5xx? | As if it did not answer | The viewer gets it, unless it is 500, 502, 503 or 504 and stale-if-error says that a copy is to be served |
| Errors without a copy? | 404, 414, 500-504 are kept for the error caching minimum TTL, or as long as the origin says; 400, 403, 405, 412, 415 only with max-age or s-maxage; others never | Kept as any other status; no error caching minimum TTL |
| A viewer's Cache-Control? | Forwarded, without effect on the cache | no-cache, max-age, min-fresh and max-stale decide what may be served; no-store passes the cache by; only-if-cached is a 504 where the origin would be asked. **Any viewer can so make the origin work**: a CDN that faces the public may not want this, and default mode does not do it |
| A viewer's Pragma? | Forwarded, without effect | The same: RFC 9111 5.4 no longer gives it any |
| POST, PUT, DELETE, PATCH? | Nothing but an invalidation request removes an object | A 2xx or 3xx invalidates the URL, and Location and Content-Location of the same origin, in every variant and on every worker, before the viewer has the answer |
| A method that nobody knows? | 403 | Passed on where the behavior allows all seven methods, and treated as unsafe |
| X-Cache, Cache-Status? | X-Cache as CloudFront has it | Cache-Status (RFC 9211) as well |
| OPTIONS? | Kept where the behavior says so | Never kept (RFC 9110 9.3.7) |
| HEAD? | Served from a stored GET; its own answer is not kept | The origin's answer to it also freshens the stored GET, or makes it stale (RFC 9111 4.3.5) |
| A distribution that changes its mode? | What is stored stays until the lifetime ends that it was stored with; an invalidation of \`/*\` ends it at once | The same |
| A viewer's conditions? | 304 and 412 by RFC 9110, from a stored object and from one that is being fetched | The same |
| A viewer's Range? | 206 and 416 from a stored object, from one that is being fetched and from stored parts; several ranges only in ascending order without overlap, else the whole object. A miss asks the origin for the whole | The same, but the first range of an object goes to the origin as it is, and its part is kept |
| A 206 of the origin? | Kept; joined to another part, or completed, when strong validators are equal | The same |
| An object over 16 MiB, or an eighth of the memory? | Kept in slices of up to 1 MiB when the origin answers ranges and gives a strong validator | The same |`

const HEADINGS: readonly (readonly [mode: Mode | 'both', why: Why, heading: string])[] = [
  ['default', 'cloudfront', '## Default mode: where CloudFront departs, and so does this cache'],
  ['both', 'choice', '## Where the RFCs leave a choice'],
  ['both', 'suite', "## Where this edition of the suite departs from today's RFCs"],
  ['both', 'not-built', '## Not built yet'],
]

export interface DocumentedRun {
  readonly mode: Mode
  readonly results: readonly Judged[]
}

export function documentOf(runs: readonly DocumentedRun[], departures: readonly Departure[]): string {
  const parts = [INTRODUCTION, RUN, countsOf(runs), RULES]
  for (const [mode, why, heading] of HEADINGS) {
    const rows = departures.filter((one) => one.why === why && (mode === 'both' || one.modes.includes(mode)))
    if (rows.length > 0) parts.push(heading, departuresOf(rows))
  }
  parts.push(CHECKS, checksOf(runs))
  return `${parts.join('\n\n')}\n`
}

const CHECKS = `## What it does where both is right

The suite's \`check\` tests only ask.`

function countsOf(runs: readonly DocumentedRun[]): string {
  const row = (mode: Mode, { kind, tests, passed, passedWithDependencies }: Count) =>
    `| ${mode} | ${kind} | ${tests} | ${passed} | ${passedWithDependencies} |`
  const rows = runs.flatMap(({ mode, results }) => count(results).map((one) => row(mode, one)))
  return [
    '| mode | kind | tests | passed | passed, and all that they depend on |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

function departuresOf(rows: readonly Departure[]): string {
  const lines = rows.map(
    ({ modes, here, wanted, tests }) =>
      `| ${modes.length > 1 ? 'both' : modes[0]} | ${here} | ${wanted} | ${tests.map((id) => `\`${id}\``).join(' ')} |`,
  )
  return ['| mode | here | the suite wants | tests |', '|---|---|---|---|', ...lines].join('\n')
}

function checksOf(runs: readonly DocumentedRun[]): string {
  const answers = runs.map(({ results }) => new Map(results.map((one) => [one.id, one.verdict === 'pass'])))
  const lines = (runs[0]?.results ?? [])
    .filter(({ kind }) => kind === 'check')
    .map(({ id, name }) => {
      const said = answers.map((of) => (of.get(id) === true ? 'yes' : 'no')).join(' | ')
      return `| ${name.replaceAll('|', '\\|')} | ${said} | \`${id}\` |`
    })
  const modes = runs.map(({ mode }) => mode).join(' | ')
  return [`| question | ${modes} | test |`, `|---|${'---|'.repeat(runs.length)}---|`, ...lines].join('\n')
}
