//! What AWS refuses in a cache policy or an origin request policy (spec/cloudfront.md 4.1, 4.2, 2.7), and their defaults.
import type { CachePolicyConfig, OriginRequestPolicyConfig } from '@aws-sdk/client-cloudfront'
import { type CloudfrontCode, cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { notImplemented } from '../../domain/faults.ts'
import { generatedHeadersNotBuilt } from '../../domain/generated-headers.ts'
import { REFUSED_HEADERS } from '../../domain/policy-headers.ts'
import { QUOTAS, type Quotas } from '../../domain/quotas.ts'
import { counted } from './distribution-defaults.ts'

type Kind = keyof typeof REFUSED_HEADERS

/** Headers, cookies or query strings of a policy, whatever AWS calls their members. */
interface Part {
  readonly field: 'Header' | 'Cookie' | 'QueryString'
  readonly behavior: string | undefined
  readonly names: readonly string[]
}

const BEHAVIORS: Readonly<Record<Kind, Readonly<Record<Part['field'], readonly string[]>>>> = {
  'cache-policy': {
    Header: ['none', 'whitelist'],
    Cookie: ['none', 'whitelist', 'allExcept', 'all'],
    QueryString: ['none', 'whitelist', 'allExcept', 'all'],
  },
  'origin-request-policy': {
    Header: ['none', 'whitelist', 'allViewer', 'allViewerAndWhitelistCloudFront', 'allExcept'],
    Cookie: ['none', 'whitelist', 'allExcept', 'all'],
    QueryString: ['none', 'whitelist', 'allExcept', 'all'],
  },
}

/** Behaviors that need a list of names; the others must not have one. */
const WITH_NAMES: ReadonlySet<string> = new Set(['whitelist', 'allExcept', 'allViewerAndWhitelistCloudFront'])

const TOO_MANY: Readonly<Record<Kind, Readonly<Record<Part['field'], CloudfrontCode>>>> = {
  'cache-policy': {
    Header: 'TooManyHeadersInCachePolicy',
    Cookie: 'TooManyCookiesInCachePolicy',
    QueryString: 'TooManyQueryStringsInCachePolicy',
  },
  'origin-request-policy': {
    Header: 'TooManyHeadersInOriginRequestPolicy',
    Cookie: 'TooManyCookiesInOriginRequestPolicy',
    QueryString: 'TooManyQueryStringsInOriginRequestPolicy',
  },
}

const HEADER_NAME = /^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/
/** Longest policy name, in characters (unconfirmed). */
const NAME_CHARS_MAX = 128
/** Seconds. */
const DAY = 86_400
const YEAR = 31_536_000

/** A cache policy with every field. @throws the fault of the first thing that is wrong, then NotImplemented. */
export function acceptedCachePolicy(given: CachePolicyConfig, quotas: Quotas): CachePolicyConfig {
  checkName(given)
  const [MinTTL, DefaultTTL, MaxTTL] = ttls(given)
  const parameters = given.ParametersInCacheKeyAndForwardedToOrigin
  const { HeadersConfig: headers, CookiesConfig: cookies, QueryStringsConfig: queries } = parameters ?? {}
  const parts: readonly Part[] = [
    { field: 'Header', behavior: headers?.HeaderBehavior ?? 'none', names: headers?.Headers?.Items ?? [] },
    { field: 'Cookie', behavior: cookies?.CookieBehavior ?? 'none', names: cookies?.Cookies?.Items ?? [] },
    {
      field: 'QueryString',
      behavior: queries?.QueryStringBehavior ?? 'none',
      names: queries?.QueryStrings?.Items ?? [],
    },
  ]
  checkParts('cache-policy', parts, quotas)
  const gzip = parameters?.EnableAcceptEncodingGzip ?? false
  const brotli = parameters?.EnableAcceptEncodingBrotli ?? false
  if (MaxTTL === 0) checkCachingDisabled(parts, gzip, brotli)
  refuseGenerated(parts)
  return {
    Name: given.Name,
    Comment: given.Comment ?? '',
    MinTTL,
    DefaultTTL,
    MaxTTL,
    ParametersInCacheKeyAndForwardedToOrigin: {
      EnableAcceptEncodingGzip: gzip,
      EnableAcceptEncodingBrotli: brotli,
      HeadersConfig: {
        HeaderBehavior: headers?.HeaderBehavior ?? 'none',
        ...(headers?.Headers?.Items?.length ? { Headers: counted(headers.Headers.Items) } : {}),
      },
      CookiesConfig: {
        CookieBehavior: cookies?.CookieBehavior ?? 'none',
        ...(cookies?.Cookies?.Items?.length ? { Cookies: counted(cookies.Cookies.Items) } : {}),
      },
      QueryStringsConfig: {
        QueryStringBehavior: queries?.QueryStringBehavior ?? 'none',
        ...(queries?.QueryStrings?.Items?.length ? { QueryStrings: counted(queries.QueryStrings.Items) } : {}),
      },
    },
  }
}

/** An origin request policy with every field. @throws as acceptedCachePolicy. */
export function acceptedOriginRequestPolicy(
  given: OriginRequestPolicyConfig,
  quotas: Quotas,
): OriginRequestPolicyConfig {
  checkName(given)
  const { HeadersConfig: headers, CookiesConfig: cookies, QueryStringsConfig: queries } = given
  const parts: readonly Part[] = [
    { field: 'Header', behavior: headers?.HeaderBehavior, names: headers?.Headers?.Items ?? [] },
    { field: 'Cookie', behavior: cookies?.CookieBehavior, names: cookies?.Cookies?.Items ?? [] },
    { field: 'QueryString', behavior: queries?.QueryStringBehavior, names: queries?.QueryStrings?.Items ?? [] },
  ]
  checkParts('origin-request-policy', parts, quotas)
  refuseGenerated(parts)
  return { ...given, Comment: given.Comment ?? '' }
}

/** Of a policy of any kind. @throws InvalidArgument */
export function checkName({ Name, Comment }: { Name?: string | undefined; Comment?: string | undefined }): void {
  if (!Name || !/^[A-Za-z0-9_-]+$/.test(Name) || Name.length > NAME_CHARS_MAX) {
    throw invalidArgument('Name', `it has 1 to ${NAME_CHARS_MAX} letters, digits, hyphens and underscores`)
  }
  if (Name.startsWith('Managed-')) throw invalidArgument('Name', 'names that begin with Managed- are those of AWS')
  if ((Comment ?? '').length > QUOTAS.commentChars) {
    throw invalidArgument('Comment', `it has at most ${QUOTAS.commentChars} characters`)
  }
}

function ttls(given: CachePolicyConfig): readonly [number, number, number] {
  const least = given.MinTTL ?? 0
  const standard = given.DefaultTTL ?? Math.max(DAY, least)
  const most = given.MaxTTL ?? Math.max(YEAR, standard)
  if (![least, standard, most].every((ttl) => Number.isSafeInteger(ttl))) {
    throw invalidArgument('MinTTL, DefaultTTL, MaxTTL', 'they are whole numbers of seconds')
  }
  if (least < 0 || least > standard || standard > most) {
    throw cloudfrontFault(
      'InvalidTTLOrder',
      `The order of TTLs is 0 <= MinTTL <= DefaultTTL <= MaxTTL; these are ${least}, ${standard} and ${most}.`,
    )
  }
  return [least, standard, most]
}

function checkParts(kind: Kind, parts: readonly Part[], quotas: Quotas): void {
  for (const { field, behavior = '', names } of parts) {
    const allowed = BEHAVIORS[kind][field]
    if (!allowed.includes(behavior)) {
      throw invalidArgument(`${field}Behavior`, `${quoted(behavior)} is not one of ${allowed.join(', ')}`)
    }
    if (WITH_NAMES.has(behavior) !== names.length > 0) {
      const rule = names.length > 0 ? `has no list of names` : 'needs a list of names'
      throw invalidArgument(`${field}Behavior`, `${behavior} ${rule}`)
    }
    if (names.length > quotas.namesPerPolicyPart) {
      throw cloudfrontFault(TOO_MANY[kind][field], `A policy lists at most ${quotas.namesPerPolicyPart} of them.`)
    }
    checkNames(kind, field, behavior, names)
  }
  const characters = parts.flatMap((part) => part.names).reduce((sum, name) => sum + name.length, 0)
  if (characters > QUOTAS.namesPerPolicyChars) {
    throw invalidArgument(
      'Headers, Cookies, QueryStrings',
      `together they have at most ${QUOTAS.namesPerPolicyChars} characters`,
    )
  }
}

function checkNames(kind: Kind, field: Part['field'], behavior: string, names: readonly string[]): void {
  const seen = new Set<string>()
  for (const name of names) {
    const key = field === 'Header' ? name.toLowerCase() : name
    if (name === '' || seen.has(key)) throw invalidArgument(`${field}s`, `${quoted(name)} is empty or given twice`)
    seen.add(key)
    if (field !== 'Header') continue
    if (!HEADER_NAME.test(name) || name === '*')
      throw invalidArgument('Headers', `${quoted(name)} is not the name of a header`)
    // What a policy keeps out may be anything.
    if (behavior !== 'allExcept' && (REFUSED_HEADERS[kind].has(key) || key.startsWith('x-edge-'))) {
      throw invalidArgument('Headers', `a policy of this kind cannot list the header ${name}`)
    }
    if (behavior === 'allViewerAndWhitelistCloudFront' && !key.startsWith('cloudfront-')) {
      throw invalidArgument('Headers', `${behavior} lists CloudFront-* headers only, not ${quoted(name)}`)
    }
  }
}

/** All TTLs are 0: a key would have no meaning (spec 4.1). */
function checkCachingDisabled(parts: readonly Part[], gzip: boolean, brotli: boolean): void {
  const wrong =
    parts.find((part) => part.behavior !== 'none')?.field ??
    (gzip ? 'EnableAcceptEncodingGzip' : brotli ? 'EnableAcceptEncodingBrotli' : undefined)
  if (wrong === undefined) return
  const field = wrong.startsWith('Enable') ? wrong : `${wrong}Behavior`
  throw cloudfrontFault('InvalidArgument', `The parameter ${field} is invalid for policy with caching disabled.`)
}

function refuseGenerated(parts: readonly Part[]): void {
  const header = parts.find((part) => part.field === 'Header')
  if (header === undefined || header.behavior === 'allExcept') return
  const names = generatedHeadersNotBuilt(header.names)
  if (names.length > 0) throw notImplemented(`A policy that lists ${names.join(', ')}`)
}
