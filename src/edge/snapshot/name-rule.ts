//! Which headers, cookies or query strings a policy means, compiled for one question: is this name in?
import type { NameList } from '../../domain/policy.ts'
import { NOT_PASSED_BY_DEFAULT } from '../../domain/policy-headers.ts'
import { compilePathPatterns, firstMatch, type PathPatterns } from './path-patterns.ts'

export interface NameRule {
  readonly kind: 'none' | 'all' | 'only' | 'except'
  readonly names: ReadonlySet<string>
  /** Of `only`: names with wildcards; absent without any. */
  readonly patterns?: PathPatterns
}

export const NONE: NameRule = { kind: 'none', names: new Set() }
const ALL: NameRule = { kind: 'all', names: new Set() }
const LEGACY: NameRule = { kind: 'except', names: new Set(NOT_PASSED_BY_DEFAULT) }

/** `allViewer` lists of headers count as `all` here; the headers that CloudFront makes are added by origin/forward.ts. */
export function compileNames(list: NameList): NameRule {
  switch (list.behavior) {
    case 'none':
      return NONE
    case 'whitelist':
      return list.names.length === 0 ? NONE : { kind: 'only', names: new Set(list.names), ...wildcards(list) }
    case 'allExcept':
      return list.names.length === 0 ? ALL : { kind: 'except', names: new Set(list.names) }
    case 'legacy':
      return LEGACY
    case 'all':
    case 'allViewer':
    case 'allViewerAndWhitelistCloudFront':
      return ALL
  }
}

/** `*` stands for any characters or none, `?` for one, as in path patterns (spec 4.5, 3.2). */
function wildcards({ names, wildcards: isWild }: NameList): { patterns?: PathPatterns } {
  const wild = isWild === true ? names.filter((name) => /[*?]/.test(name)) : []
  return wild.length === 0 ? {} : { patterns: compilePathPatterns(wild) }
}

export function admits(rule: NameRule, name: string): boolean {
  switch (rule.kind) {
    case 'none':
      return false
    case 'all':
      return true
    case 'only':
      return rule.names.has(name) || (rule.patterns !== undefined && firstMatch(rule.patterns, name) >= 0)
    case 'except':
      return !rule.names.has(name)
  }
}

/**
 * What reaches the origin when a cache policy and an origin request policy both speak: the union, and what one of them
 * includes beats what the other excludes (the table of spec/cloudfront.md 4.2), except that two `allExcept` lists both
 * keep their names out.
 */
export function union(cache: NameRule, request: NameRule): NameRule {
  if (cache.kind === 'none') return request
  if (request.kind === 'none') return cache
  if (cache.kind === 'all' || request.kind === 'all') return ALL
  if (cache.kind === 'only' && request.kind === 'only') {
    return { kind: 'only', names: new Set([...cache.names, ...request.names]) }
  }
  if (cache.kind === 'except' && request.kind === 'except') {
    return { kind: 'except', names: new Set([...cache.names, ...request.names]) }
  }
  const [except, only] = cache.kind === 'except' ? [cache, request] : [request, cache]
  return { kind: 'except', names: new Set([...except.names].filter((name) => !only.names.has(name))) }
}

/** Keeps the admitted parts of a query string in the viewer's order; `&` is the only delimiter (spec 4.3). */
export function filterQuery(rule: NameRule, query: string | null): string {
  if (query === null || query === '' || rule.kind === 'none') return ''
  if (rule.kind === 'all') return query
  return query
    .split('&')
    .filter((part) => part !== '' && admits(rule, nameOf(part)))
    .join('&')
}

/** The admitted cookies, sorted by name, as one Cookie header; empty for none (spec 4.3, 6.1). */
export function filterCookies(rule: NameRule, cookieHeaders: readonly string[]): string {
  if (rule.kind === 'none' || cookieHeaders.length === 0) return ''
  const pairs: { readonly name: string; readonly pair: string }[] = []
  for (const header of cookieHeaders) {
    for (const piece of header.split(';')) {
      const pair = piece.trim()
      const name = nameOf(pair)
      // Only well-formed name=value pairs go on (spec 6.1).
      if (name !== '' && name !== pair && admits(rule, name)) pairs.push({ name, pair })
    }
  }
  if (pairs.length > 1) pairs.sort(byName)
  return pairs.map(({ pair }) => pair).join('; ')
}

const nameOf = (part: string): string => {
  const equals = part.indexOf('=')
  return equals < 0 ? part : part.slice(0, equals)
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0
