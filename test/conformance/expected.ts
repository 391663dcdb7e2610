//! Required and optimal tests of the suite that are not passed, by mode, each group with its reason. A test that fails
//! without a row here, and one that passes in spite of its row, fail the run.

/** CloudFront's behaviour; or the RFCs, by the tag `cachefront:rfc-strict=true`. */
export type Mode = 'default' | 'strict'
export const MODES: readonly Mode[] = ['default', 'strict']

export type Why =
  /** CloudFront's documented behaviour departs from the RFCs, or from what the suite wishes for. */
  | 'cloudfront'
  /** The present RFCs say otherwise, or no cache can pass it. */
  | 'suite'
  /** The RFC allows both, and the other is better for people. */
  | 'choice'
  /** Not built yet. */
  | 'not-built'

export interface Departure {
  readonly modes: readonly Mode[]
  readonly why: Why
  /** Section of spec/cloudfront.md, or of an RFC. */
  readonly source: string
  /** What is done here. */
  readonly here: string
  /** What the suite wants. */
  readonly wanted: string
  readonly tests: readonly string[]
}

const UNSAFE = ['POST', 'PUT', 'DELETE', 'M-SEARCH'] as const

export const DEPARTURES: readonly Departure[] = [
  {
    modes: ['default'],
    why: 'cloudfront',
    source: 'spec 5.1',
    here: 'Without a lifetime from the origin, Default TTL counts (0 in this run): there is no heuristic freshness.',
    wanted: 'A lifetime guessed from Last-Modified (RFC 9111 4.2.2).',
    tests: [200, 203, 204, 405, 410, 599].map((status) => `heuristic-${status}-cached`),
  },
  {
    modes: ['default'],
    why: 'cloudfront',
    source: 'spec 5.4',
    here: '404, 414, 500-504 are kept for the error caching minimum TTL (10 seconds unless set), whatever the origin says.',
    wanted: 'Errors whose lifetime is over, or that have none, are not served again.',
    tests: [
      ...[404, 500, 502, 503, 504].map((status) => `status-${status}-stale`),
      ...[502, 503, 504].map((status) => `heuristic-${status}-not_cached`),
    ],
  },
  {
    modes: ['default'],
    why: 'cloudfront',
    source: 'spec 5.4',
    here: '400 is kept only with max-age or s-maxage (not with Expires alone); 410, 499 and 599 never.',
    wanted: 'Any status is kept when the origin gives it a lifetime (RFC 9111 3).',
    tests: [400, 410, 499, 599].map((status) => `status-${status}-fresh`),
  },
  {
    modes: ['default'],
    why: 'cloudfront',
    source: 'spec 3.4',
    here: 'Only GET, HEAD and (where a behavior says so) OPTIONS are cached.',
    wanted: 'A POST answered with Content-Location and a lifetime serves later GETs (RFC 9110 9.3.3).',
    tests: ['method-POST'],
  },
  {
    modes: ['default'],
    why: 'cloudfront',
    source: 'spec 8',
    here: 'Nothing but an invalidation request removes an object; a method that the behavior does not allow is a 403.',
    wanted: 'A successful POST, PUT, DELETE or unknown method makes the stored GET invalid (RFC 9111 4.4).',
    tests: [
      ...UNSAFE.flatMap((method) => ['', '-location', '-cl'].map((place) => `invalidate-${method}${place}`)),
      'invalidate-M-SEARCH-failed',
    ],
  },
  {
    modes: ['default'],
    why: 'cloudfront',
    source: 'spec 4.3, 5.5',
    here: 'The cache key holds the listed headers with their exact values; Vary makes no variants of its own.',
    wanted: 'Values of Accept-Language and others are compared by meaning, not by spelling.',
    tests: ['lang-order', 'lang-case', 'lang-space', 'lang-select', 'space'].map((how) => `vary-normalise-${how}`),
  },
  {
    modes: ['default'],
    why: 'cloudfront',
    source: 'spec 4.2, 4.3, 6.1',
    here:
      'Authorization decides nothing unless the cache policy lists it, which puts it into the key. (By default it is ' +
      'not forwarded for GET; this run forwards all headers.)',
    wanted: 'An answer to a request with Authorization is kept only with public, s-maxage or must-revalidate.',
    tests: ['other-authorization'],
  },
  {
    modes: ['default'],
    why: 'cloudfront',
    source: 'spec 5.2',
    here: 's-maxage does not forbid stale answers while the origin fails: an expired copy is served on.',
    wanted: 's-maxage includes proxy-revalidate (RFC 9111 5.2.2.10).',
    tests: ['stale-close-s-maxage=2'],
  },
  {
    modes: MODES,
    why: 'suite',
    source: 'RFC 9213',
    here: 'Surrogate-Control is a header like any other.',
    wanted: 'Lifetimes and directives from Surrogate-Control, an obsolete W3C note (RFC 9213 took its place).',
    tests: [
      'max-age',
      'max-age-max',
      'max-age-max-plus',
      'max-age-me-target',
      'max-age-extension',
      'max-age-case-insensitive',
      'max-age-expires',
      'max-age-cc-max-age-invalid-expires',
      'max-age-0-expires',
      'max-age-short-cc-max-age',
      'max-age-long-cc-max-age',
      'no-store-cc-fresh',
      'fresh-cc-nostore',
    ].map((what) => `surrogate-${what}`),
  },
  {
    modes: MODES,
    why: 'suite',
    source: 'RFC 9111 5.1',
    here: 'Of several members of Age the first counts; one that is no number is ignored, as the RFC has it since 2022.',
    wanted: 'Such an answer is stale (from before the RFC; the present edition of the suite agrees with the RFC).',
    tests: [
      'nonnumeric',
      'negative',
      'float',
      'prefix-twoline',
      'dup-0',
      'dup-0-twoline',
      'dup-old',
      'parameter',
      'numeric-parameter',
    ].map((what) => `age-parse-${what}`),
  },
  {
    modes: MODES,
    why: 'suite',
    source: 'RFC 9110 15.6.3',
    here: 'The origin breaks off and no stale answer is allowed: 502 of the edge.',
    wanted: 'An answer that the origin numbered, which no gateway can give when the origin gave none.',
    tests: ['must-revalidate', 'proxy-revalidate', 'no-cache'].map((directive) => `stale-close-${directive}`),
  },
  {
    modes: ['strict'],
    why: 'suite',
    source: 'RFC 9110 15.6.3',
    here: 'The same: s-maxage forbids the stale answer, the origin gave none, and the edge says 502.',
    wanted: 'An answer that the origin numbered.',
    tests: ['stale-close-s-maxage=2'],
  },
  {
    modes: MODES,
    why: 'suite',
    source: 'RFC 9111 4.3.2',
    here: 'Without Last-Modified, a Date after If-Modified-Since means 200: the viewer has an older copy.',
    wanted: '304, which would confirm a copy of which nothing is known.',
    tests: ['conditional-lm-fresh-no-lm'],
  },
  {
    modes: ['default'],
    why: 'cloudfront',
    source: 'spec 5.6',
    here:
      'The whole is asked for in place of the first range, as CloudFront may; a part that comes all the same is kept, and ' +
      'is completed only when a strong validator lets the two be joined.',
    wanted: 'The range goes to the origin as it is; what is missing is asked for without a validator too.',
    tests: ['partial-store-partial-reuse-partial', 'partial-store-partial-complete'],
  },
]

/** Those of a mode by the test's id. */
export const expectedIn = (mode: Mode): ReadonlyMap<string, Departure> =>
  new Map(
    DEPARTURES.filter(({ modes }) => modes.includes(mode)).flatMap((departure) =>
      departure.tests.map((id) => [id, departure] as const),
    ),
  )
