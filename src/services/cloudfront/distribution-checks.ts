//! What AWS refuses in a DistributionConfig (spec/cloudfront.md 2.1-2.6), in AWS's own codes. Checked before what is
//! not built (not-built.ts), so that a wrong value is called wrong.
import { isIP } from 'node:net'
import type { CacheBehavior, DefaultCacheBehavior, DistributionConfig } from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { QUOTAS, type Quotas } from '../../domain/quotas.ts'
import { HOP_BY_HOP } from '../../http/headers.ts'
import type { ServiceContext } from '../service.ts'
import { checkAccess } from './access-checks.ts'
import { checkErrorResponses } from './error-response-checks.ts'
import { checkForwardedValues } from './forwarded-values-checks.ts'
import { checkGrpc } from './grpc-checks.ts'
import { checkOrigins } from './origin-checks.ts'
import { checkOriginGroups } from './origin-group-checks.ts'

const ALIAS = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const ROOT_OBJECT = /^[A-Za-z0-9_\-.*$/~"'&]*$/
/** RFC 9110 section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/
const PATH_PATTERN = /^[A-Za-z0-9_\-.*$/~"'@:+&?]+$/

export const CONNECTION_MODES = ['direct', 'tenant-only'] as const

/** Values of the enumerations that are checked; the SDK's types do not check what came over the wire. */
const WORDS = {
  PriceClass: ['PriceClass_100', 'PriceClass_200', 'PriceClass_All', 'None'],
  HttpVersion: ['http1.1', 'http2', 'http3', 'http2and3'],
  ViewerProtocolPolicy: ['allow-all', 'https-only', 'redirect-to-https'],
  ConnectionMode: CONNECTION_MODES,
} as const

/** The legal sets of methods, each sorted. */
const CACHED_SETS = ['GET,HEAD', 'GET,HEAD,OPTIONS']
const ALLOWED_SETS = [...CACHED_SETS, 'DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT']

/**
 * Checks a configuration with all its defaults. Policies are checked where they are looked up (policy-references.ts).
 * @throws the fault of the first thing that is wrong.
 */
export function checkDistribution(
  config: DistributionConfig,
  { edgeDomain, quotas }: Pick<ServiceContext, 'edgeDomain' | 'quotas'>,
): void {
  if (!config.CallerReference) throw invalidArgument('CallerReference', 'it is required')
  if ((config.Comment ?? '').length > QUOTAS.commentChars) {
    throw invalidArgument('Comment', `it has at most ${QUOTAS.commentChars} characters`)
  }
  oneOf('PriceClass', config.PriceClass, WORDS.PriceClass)
  oneOf('HttpVersion', config.HttpVersion, WORDS.HttpVersion)
  oneOf('ConnectionMode', config.ConnectionMode ?? 'direct', WORDS.ConnectionMode)
  checkAliases(config.Aliases?.Items ?? [], { edgeDomain, quotas })
  checkRootObject(config.DefaultRootObject ?? '')
  checkCacheTags(config.CacheTagConfig)
  checkOrigins(config.Origins?.Items ?? [], quotas)
  const originIds = new Set(config.Origins?.Items?.map((origin) => origin.Id ?? ''))
  checkOriginGroups(config.OriginGroups?.Items ?? [], originIds, quotas)
  checkAccess(config)
  checkBehaviors(config, quotas)
  checkErrorResponses(config.CustomErrorResponses?.Items ?? [])
}

function oneOf(field: string, value: string | undefined, words: readonly string[]): void {
  if (!words.includes(value ?? '')) {
    throw invalidArgument(field, `${quoted(value ?? '')} is not one of ${words.join(', ')}`)
  }
}

/** Their form; whether a certificate covers them says certificate-checks.ts. */
export function checkAliases(
  aliases: readonly string[],
  { edgeDomain, quotas }: Pick<ServiceContext, 'edgeDomain' | 'quotas'>,
): void {
  if (aliases.length > quotas.aliasesPerDistribution) {
    throw cloudfrontFault(
      'TooManyDistributionCNAMEs',
      `A distribution has at most ${quotas.aliasesPerDistribution} aliases.`,
    )
  }
  const seen = new Set<string>()
  for (const alias of aliases) {
    if (alias.length > QUOTAS.originDomainChars || !ALIAS.test(alias) || isIP(alias) !== 0) {
      throw invalidArgument(
        'Aliases',
        `${quoted(alias)} is not a domain name in lower case, with or without a leading *.`,
      )
    }
    if (seen.has(alias)) throw invalidArgument('Aliases', `${quoted(alias)} is given twice`)
    seen.add(alias)
    for (const reserved of [edgeDomain, 'cloudfront.net']) {
      if (alias === reserved || alias.endsWith(`.${reserved}`)) {
        throw invalidArgument('Aliases', `${quoted(alias)} belongs to the names that distributions get`)
      }
    }
  }
}

function checkRootObject(object: string): void {
  const bad = !ROOT_OBJECT.test(object) || object.startsWith('/') || object.length > QUOTAS.rootObjectChars
  if (bad) {
    throw cloudfrontFault(
      'InvalidDefaultRootObject',
      `The default root object ${quoted(object)} is not valid: a path without a leading slash, of at most ${QUOTAS.rootObjectChars} characters.`,
    )
  }
}

/** What names AWS takes is unconfirmed: here every field name (RFC 9110 5.1) but those of one hop, which hold no tags. */
function checkCacheTags(tags: DistributionConfig['CacheTagConfig']): void {
  if (tags === undefined) return
  const name = tags.HeaderName ?? ''
  const isName = HEADER_NAME.test(name) && name.length <= QUOTAS.customHeaderNameChars
  if (!isName || HOP_BY_HOP.has(name.toLowerCase())) {
    throw invalidArgument(
      'CacheTagConfig.HeaderName',
      `${quoted(name)} must be the name of an end-to-end header, of at most ${QUOTAS.customHeaderNameChars} characters`,
    )
  }
}

function checkBehaviors(config: DistributionConfig, quotas: Quotas): void {
  const targets = new Set<string | undefined>([
    ...(config.Origins?.Items ?? []).map((origin) => origin.Id),
    ...(config.OriginGroups?.Items ?? []).map((group) => group.Id),
  ])
  const listed: readonly CacheBehavior[] = config.CacheBehaviors?.Items ?? []
  if (listed.length > quotas.behaviorsPerDistribution) {
    throw cloudfrontFault(
      'TooManyCacheBehaviors',
      `A distribution has at most ${quotas.behaviorsPerDistribution} cache behaviors besides the default one.`,
    )
  }
  const patterns = new Set<string>()
  for (const [at, behavior] of listed.entries()) {
    const path = `CacheBehaviors.Items[${at}]`
    const pattern = behavior.PathPattern ?? ''
    if (!PATH_PATTERN.test(pattern) || pattern.length > QUOTAS.pathPatternChars) {
      throw invalidArgument(
        `${path}.PathPattern`,
        `${quoted(pattern)} has characters that a pattern cannot have, or none`,
      )
    }
    // A leading slash means nothing (spec 3.2).
    const plain = pattern.replace(/^\//, '')
    if (patterns.has(plain)) throw invalidArgument(`${path}.PathPattern`, `${quoted(pattern)} is given twice`)
    patterns.add(plain)
    checkBehavior(behavior, path, targets, config, quotas)
  }
  checkBehavior(config.DefaultCacheBehavior, 'DefaultCacheBehavior', targets, config, quotas)
}

function checkBehavior(
  behavior: DefaultCacheBehavior | undefined,
  path: string,
  targets: ReadonlySet<string | undefined>,
  config: DistributionConfig,
  quotas: Quotas,
): void {
  if (behavior === undefined) throw invalidArgument(path, 'it is required')
  if (!behavior.TargetOriginId) throw invalidArgument(`${path}.TargetOriginId`, 'it is required')
  if (!targets.has(behavior.TargetOriginId)) {
    throw cloudfrontFault(
      'NoSuchOrigin',
      `One or more of your origins or origin groups do not exist: ${path}.TargetOriginId is ${quoted(behavior.TargetOriginId)}.`,
    )
  }
  oneOf(`${path}.ViewerProtocolPolicy`, behavior.ViewerProtocolPolicy, WORDS.ViewerProtocolPolicy)
  checkMethods(behavior, path)
  checkCaching(behavior, path)
  checkForwardedValues(behavior, path, quotas)
  checkGrpc(behavior, path, config)
}

function checkMethods({ AllowedMethods }: DefaultCacheBehavior, path: string): void {
  const allowed = AllowedMethods?.Items ?? []
  const cached = AllowedMethods?.CachedMethods?.Items ?? []
  if (!ALLOWED_SETS.includes([...allowed].sort().join(','))) {
    throw invalidArgument(`${path}.AllowedMethods`, `it is one of the sets ${ALLOWED_SETS.join(' | ')}`)
  }
  if (!CACHED_SETS.includes([...cached].sort().join(','))) {
    throw invalidArgument(`${path}.AllowedMethods.CachedMethods`, `it is one of the sets ${CACHED_SETS.join(' | ')}`)
  }
  if (!cached.every((method) => allowed.includes(method))) {
    throw invalidArgument(`${path}.AllowedMethods.CachedMethods`, 'a cached method must be allowed')
  }
}

/** A cache policy, or ForwardedValues with TTLs: exactly one of the two (spec 2.3). */
function checkCaching(behavior: DefaultCacheBehavior, path: string): void {
  const { CachePolicyId: policy, ForwardedValues: forwarded, OriginRequestPolicyId: request } = behavior
  const { MinTTL, DefaultTTL, MaxTTL } = behavior
  if (!policy && forwarded === undefined) {
    throw invalidArgument(`${path}.CachePolicyId`, 'a cache behavior has a CachePolicyId or ForwardedValues')
  }
  if (policy && forwarded !== undefined) {
    throw invalidArgument(`${path}.ForwardedValues`, 'it cannot stand beside a CachePolicyId')
  }
  if (request && !policy) throw invalidArgument(`${path}.OriginRequestPolicyId`, 'it needs a CachePolicyId')
  const ttls = [MinTTL, DefaultTTL, MaxTTL]
  if (policy && ttls.some((ttl) => ttl !== undefined)) {
    throw invalidArgument(
      `${path}.MinTTL, DefaultTTL, MaxTTL`,
      'they cannot stand beside a CachePolicyId, which has its own',
    )
  }
  const [least = 0, standard = Math.max(86_400, least), most = Math.max(31_536_000, standard)] = ttls
  if (![least, standard, most].every((ttl) => Number.isSafeInteger(ttl))) {
    throw invalidArgument(`${path}.MinTTL, DefaultTTL, MaxTTL`, 'they are whole numbers of seconds')
  }
  if (least < 0 || least > standard || standard > most) {
    throw cloudfrontFault('InvalidTTLOrder', `${path}: the order of TTLs is 0 <= MinTTL <= DefaultTTL <= MaxTTL.`)
  }
}
