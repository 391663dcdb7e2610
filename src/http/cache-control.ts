//! Cache-Control (RFC 9111 5.2), read the careful way: quoted arguments, duplicates, numbers that overflow.

/** 100 years in seconds: the longest age that CloudFront takes (spec/cloudfront.md 5.1); larger numbers become it. */
export const SECONDS_MAX = 3_153_600_000

export interface CacheControl {
  readonly noStore: boolean
  /** `no-cache` without an argument. */
  readonly noCache: boolean
  /** `private` without an argument. */
  readonly isPrivate: boolean
  readonly isPublic: boolean
  readonly mustRevalidate: boolean
  /** Seconds; null when absent. A value that is no number counts as 0: what is unclear is stale (RFC 9111 4.2.1). */
  readonly maxAge: number | null
  readonly sMaxage: number | null
  readonly staleWhileRevalidate: number | null
  readonly staleIfError: number | null
  /** Lower-case names of `no-cache="..."` and `private="..."`: these fields are not stored (5.2.2.4, 5.2.2.7). */
  readonly withoutFields: readonly string[]
}

interface Draft {
  noStore: boolean
  noCache: boolean
  isPrivate: boolean
  isPublic: boolean
  mustRevalidate: boolean
  maxAge: number | null
  sMaxage: number | null
  staleWhileRevalidate: number | null
  staleIfError: number | null
  withoutFields: string[]
}

/** What each directive does; those not listed are ignored (5.2.3). Of two numbers the smaller counts. */
const DIRECTIVES: Readonly<Record<string, (draft: Draft, argument: string | null) => void>> = {
  'no-store': (d) => {
    d.noStore = true
  },
  'no-cache': (d, argument) => {
    if (argument === null) d.noCache = true
    else d.withoutFields.push(...fieldNames(argument))
  },
  private: (d, argument) => {
    if (argument === null) d.isPrivate = true
    else d.withoutFields.push(...fieldNames(argument))
  },
  public: (d) => {
    d.isPublic = true
  },
  'must-revalidate': (d) => {
    d.mustRevalidate = true
  },
  'proxy-revalidate': (d) => {
    d.mustRevalidate = true
  },
  'max-age': (d, argument) => {
    d.maxAge = smaller(d.maxAge, argument)
  },
  's-maxage': (d, argument) => {
    d.sMaxage = smaller(d.sMaxage, argument)
  },
  'stale-while-revalidate': (d, argument) => {
    d.staleWhileRevalidate = smaller(d.staleWhileRevalidate, argument)
  },
  'stale-if-error': (d, argument) => {
    d.staleIfError = smaller(d.staleIfError, argument)
  },
}

/** `values` are all Cache-Control field lines of a message, in order. */
export function parseCacheControl(values: readonly string[]): CacheControl {
  const draft: Draft = {
    noStore: false,
    noCache: false,
    isPrivate: false,
    isPublic: false,
    mustRevalidate: false,
    maxAge: null,
    sMaxage: null,
    staleWhileRevalidate: null,
    staleIfError: null,
    withoutFields: [],
  }
  for (const value of values) {
    for (const [name, argument] of directives(value)) {
      if (Object.hasOwn(DIRECTIVES, name)) DIRECTIVES[name]?.(draft, argument)
    }
  }
  return draft
}

/** token [ "=" ( token / quoted-string ) ], separated by commas; a comma within quotes separates nothing. */
const DIRECTIVE = /[\s,="]*([^\s,="]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,"]*)))?[^,]*/gy

function* directives(value: string): Generator<[name: string, argument: string | null]> {
  DIRECTIVE.lastIndex = 0
  const found: [string, string | null][] = []
  for (let match = DIRECTIVE.exec(value); match !== null && match[0] !== ''; match = DIRECTIVE.exec(value)) {
    const quoted = match[2]?.replace(/\\(.)/g, '$1')
    found.push([match[1]!.toLowerCase(), quoted ?? match[3] ?? null])
  }
  yield* found
}

const fieldNames = (argument: string): string[] =>
  argument
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')

/** delta-seconds (RFC 9111 1.2.2): only digits; anything else is 0. */
function smaller(known: number | null, argument: string | null): number {
  const seconds = argument !== null && /^[0-9]+$/.test(argument) ? Math.min(Number(argument), SECONDS_MAX) : 0
  return known === null ? seconds : Math.min(known, seconds)
}
