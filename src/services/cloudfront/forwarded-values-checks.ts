//! What AWS refuses in ForwardedValues (spec/cloudfront.md 2.3, 2.7, 4.5), in AWS's own codes. Its TTLs are checked with
//! those of cache policies; headers for S3 origins where origins are known (origin-access.ts).
import type { CookiePreference, DefaultCacheBehavior, ForwardedValues } from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { REFUSED_HEADERS } from '../../domain/policy-headers.ts'
import { QUOTAS, type Quotas } from '../../domain/quotas.ts'

const HEADER_NAME = /^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/
/** A cookie's name (RFC 6265 4.1.1), with `*` and `?` as wildcards (4.5). */
const COOKIE_NAME = /^[!#$%&'*+.?^_`|~A-Za-z0-9-]+$/
const FORWARD = ['none', 'whitelist', 'all'] as const

/** @throws the fault of the first thing that is wrong */
export function checkForwardedValues(behavior: DefaultCacheBehavior, path: string, quotas: Quotas): void {
  const { ForwardedValues: values } = behavior
  if (values === undefined) return
  const field = `${path}.ForwardedValues`
  checkCookies(values.Cookies, `${field}.Cookies`, quotas)
  checkHeaders(values, behavior.MinTTL ?? 0, `${field}.Headers`, quotas)
  checkQueryKeys(values, `${field}.QueryStringCacheKeys`, quotas)
}

function checkCookies(cookies: CookiePreference | undefined, field: string, quotas: Quotas): void {
  const forward = cookies?.Forward ?? ''
  if (!(FORWARD as readonly string[]).includes(forward)) {
    throw invalidArgument(`${field}.Forward`, `${quoted(forward)} is not one of ${FORWARD.join(', ')}`)
  }
  const names = cookies?.WhitelistedNames?.Items ?? []
  if ((forward === 'whitelist') !== names.length > 0) {
    const rule = names.length > 0 ? 'only Forward whitelist has WhitelistedNames' : 'whitelist needs WhitelistedNames'
    throw cloudfrontFault('InvalidForwardCookies', `${field}: ${rule}.`)
  }
  if (names.length > quotas.namesPerPolicyPart) {
    throw cloudfrontFault(
      'TooManyCookieNamesInWhiteList',
      `${field}.WhitelistedNames has at most ${quotas.namesPerPolicyPart} names.`,
    )
  }
  unique(`${field}.WhitelistedNames`, names)
  const bad = names.find((name) => !COOKIE_NAME.test(name))
  if (bad !== undefined)
    throw invalidArgument(`${field}.WhitelistedNames`, `${quoted(bad)} is not the name of a cookie`)
  // AWS counts a byte for each name besides its own.
  const bytes = names.reduce((sum, name) => sum + name.length + 1, 0)
  if (bytes > QUOTAS.legacyNamesChars) {
    throw invalidArgument(
      `${field}.WhitelistedNames`,
      `all names together have at most ${QUOTAS.legacyNamesChars} characters, less one for each name`,
    )
  }
}

function checkHeaders({ Headers }: ForwardedValues, minTtl: number, field: string, quotas: Quotas): void {
  const names = Headers?.Items ?? []
  if (names.length > quotas.namesPerPolicyPart) {
    throw cloudfrontFault('TooManyHeadersInForwardedValues', `${field} has at most ${quotas.namesPerPolicyPart} names.`)
  }
  if (names.includes('*')) {
    if (names.length > 1) throw invalidArgument(field, '* stands alone: it means every header')
    if (minTtl !== 0) throw invalidArgument(`${field}`, '* keeps nothing in the cache: it needs a MinTTL of 0')
    return
  }
  unique(
    field,
    names.map((name) => name.toLowerCase()),
  )
  for (const name of names) {
    if (!HEADER_NAME.test(name)) throw invalidArgument(field, `${quoted(name)} is not the name of a header`)
    const lower = name.toLowerCase()
    if (REFUSED_HEADERS['cache-policy'].has(lower) || lower.startsWith('x-edge-')) {
      throw invalidArgument(field, `the header ${name} cannot be part of a cache key`)
    }
  }
}

function checkQueryKeys({ QueryString, QueryStringCacheKeys }: ForwardedValues, field: string, quotas: Quotas): void {
  const keys = QueryStringCacheKeys?.Items ?? []
  if (keys.length > quotas.namesPerPolicyPart) {
    throw cloudfrontFault('TooManyQueryStringParameters', `${field} has at most ${quotas.namesPerPolicyPart} names.`)
  }
  const refuse = (rule: string) => cloudfrontFault('InvalidQueryStringParameters', `${field}: ${rule}.`)
  if (keys.length > 0 && QueryString !== true) throw refuse('they need QueryString true')
  if (new Set(keys).size !== keys.length) throw refuse('a name is given twice')
  // What else AWS refuses in them is unconfirmed: here what no name between ? & and = can be.
  const bad = keys.find((key) => key === '' || key.length > QUOTAS.queryKeyChars || /[&=#?\s]/.test(key))
  if (bad !== undefined) throw refuse(`${quoted(bad)} is not a name of 1 to ${QUOTAS.queryKeyChars} characters`)
  const characters = keys.reduce((sum, key) => sum + key.length, 0)
  if (characters > QUOTAS.legacyNamesChars) {
    throw refuse(`all names together have at most ${QUOTAS.legacyNamesChars} characters`)
  }
}

function unique(field: string, names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw invalidArgument(field, `${quoted(twice)} is given twice`)
}
