//! Cache-Control (RFC 9111 5.2), read the careful way: quoted arguments, duplicates, numbers that overflow.

/** 100 years in seconds: the longest age that CloudFront takes (spec/cloudfront.md 5.1); larger numbers become it. */
export const SECONDS_MAX = 3_153_600_000

export interface CacheControl {
  readonly noStore: boolean
  /** `no-cache` that names no field. */
  readonly noCache: boolean
  /** `private` that names no field. */
  readonly isPrivate: boolean
  readonly isPublic: boolean
  readonly mustRevalidate: boolean
  readonly proxyRevalidate: boolean
  /** Not to be kept by a cache that does not know the status (5.2.2.3). */
  readonly mustUnderstand: boolean
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
  proxyRevalidate: boolean
  mustUnderstand: boolean
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
    const names = fieldNames(argument ?? '')
    if (names.length === 0) d.noCache = true
    d.withoutFields.push(...names)
  },
  private: (d, argument) => {
    const names = fieldNames(argument ?? '')
    if (names.length === 0) d.isPrivate = true
    d.withoutFields.push(...names)
  },
  public: (d) => {
    d.isPublic = true
  },
  'must-revalidate': (d) => {
    d.mustRevalidate = true
  },
  'proxy-revalidate': (d) => {
    d.proxyRevalidate = true
  },
  'must-understand': (d) => {
    d.mustUnderstand = true
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
    proxyRevalidate: false,
    mustUnderstand: false,
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

/** What a viewer asks of a shared cache (RFC 9111 5.2.1). Seconds; null when absent. */
export interface RequestControl {
  readonly noStore: boolean
  readonly noCache: boolean
  readonly onlyIfCached: boolean
  readonly maxAge: number | null
  readonly minFresh: number | null
  /** Infinite without an argument: however stale. */
  readonly maxStale: number | null
  /** RFC 5861 4. */
  readonly staleIfError: number | null
}

/** `values` are all Cache-Control field lines of a request; a number that is none counts as the most careful one. */
export function parseRequestControl(values: readonly string[]): RequestControl {
  const seconds: Record<'max-age' | 'min-fresh' | 'max-stale' | 'stale-if-error', number | null> = {
    'max-age': null,
    'stale-if-error': null,
    'min-fresh': null,
    'max-stale': null,
  }
  const named = new Set<string>()
  for (const value of values) {
    for (const [name, argument] of directives(value)) {
      named.add(name)
      if (name === 'max-age' || name === 'stale-if-error') seconds[name] = smaller(seconds[name], argument)
      else if (name === 'min-fresh') seconds[name] = Math.max(seconds[name] ?? 0, deltaSeconds(argument) ?? SECONDS_MAX)
      else if (name === 'max-stale') {
        const allowed = argument === null ? Number.POSITIVE_INFINITY : (deltaSeconds(argument) ?? 0)
        seconds[name] = Math.min(seconds[name] ?? Number.POSITIVE_INFINITY, allowed)
      }
    }
  }
  return {
    noStore: named.has('no-store'),
    noCache: named.has('no-cache'),
    onlyIfCached: named.has('only-if-cached'),
    maxAge: seconds['max-age'],
    minFresh: seconds['min-fresh'],
    maxStale: seconds['max-stale'],
    staleIfError: seconds['stale-if-error'],
  }
}

/** token [ "=" ( token / quoted-string ) ], separated by commas; a comma within quotes separates nothing. */
const DIRECTIVE = /[\s,="]*([^\s,="]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,"]*)))?[^,]*/gy

function directives(value: string): [name: string, argument: string | null][] {
  DIRECTIVE.lastIndex = 0
  const found: [string, string | null][] = []
  for (let match = DIRECTIVE.exec(value); match !== null && match[0] !== ''; match = DIRECTIVE.exec(value)) {
    const quoted = match[2]?.replace(/\\(.)/g, '$1')
    found.push([match[1]!.toLowerCase(), quoted ?? match[3] ?? null])
  }
  return found
}

const fieldNames = (argument: string): string[] =>
  argument
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')

/** delta-seconds (RFC 9111 1.2.2): only digits, else null; larger numbers become SECONDS_MAX. */
function deltaSeconds(argument: string | null): number | null {
  return argument !== null && /^[0-9]+$/.test(argument) ? Math.min(Number(argument), SECONDS_MAX) : null
}

/** Of two the smaller; what is no number is 0. */
function smaller(known: number | null, argument: string | null): number {
  const seconds = deltaSeconds(argument) ?? 0
  return known === null ? seconds : Math.min(known, seconds)
}
