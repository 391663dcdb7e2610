//! Distribution documents to matchers: everything that a request would otherwise have to parse, sort or look up.
import type { BehaviorDoc, DistributionDoc, ErrorResponseDoc, OriginDoc } from '../../domain/distribution.ts'
import type { CachePolicyDoc } from '../../domain/policy.ts'
import { GENERATED_KEY_HEADERS, type GeneratedKeyHeader, type KeyRecipe } from '../cache/key.ts'
import { compileForward, type ForwardRecipe } from '../origin/forward.ts'
import { encodePath } from './encode-path.ts'
import { admits, compileNames } from './name-rule.ts'
import { compilePathPattern } from './path-pattern.ts'
import type { BehaviorPlan, DistributionPlan, ErrorPagePlan, Snapshot } from './snapshot.ts'

/**
 * Compiles every distribution; one that is unchanged since `previous` keeps its plan and with it its derived keys. One
 * that cannot be compiled is reported and goes on as it was before; it never keeps the others from changing. With
 * `rfcStrict` every one is in strict mode.
 */
export function compileSnapshot(
  revision: number,
  documents: Iterable<DistributionDoc>,
  previous: Snapshot | null,
  onProblem: (id: string, error: Error) => void,
  rfcStrict = false,
): Snapshot {
  const distributions = new Map<string, DistributionPlan>()
  const exactHosts = new Map<string, DistributionPlan>()
  const wildcardHosts = new Map<string, DistributionPlan>()
  for (const document of documents) {
    const known = previous?.distributions.get(document.id)
    const plan = known?.doc === document ? known : (compiled(document, onProblem, rfcStrict) ?? known)
    if (plan === undefined) continue
    distributions.set(plan.id, plan)
    for (const host of ownNames(plan.doc)) exactHosts.set(host, plan)
    for (const alias of plan.doc.aliases) {
      if (alias.startsWith('*.')) wildcardHosts.set(alias.slice(1), plan)
      else exactHosts.set(alias, plan)
    }
  }
  return { revision, distributions, exactHosts, wildcardHosts }
}

function compiled(
  document: DistributionDoc,
  onProblem: (id: string, error: Error) => void,
  rfcStrict: boolean,
): DistributionPlan | undefined {
  try {
    return compileDistribution(document, rfcStrict)
  } catch (error) {
    onProblem(document.id, error as Error)
    return undefined
  }
}

/** `<label>.<edge domain>`, and the same label under `.cloudfront.net` (DESIGN 6, names). */
function ownNames(document: DistributionDoc): string[] {
  const name = document.domainName.toLowerCase()
  const dot = name.indexOf('.')
  return dot < 0 ? [name] : [name, `${name.slice(0, dot)}.cloudfront.net`]
}

export function compileDistribution(document: DistributionDoc, rfcStrict = false): DistributionPlan {
  const origins = new Map(document.origins.map((origin) => [origin.id, origin]))
  const { errorResponses = [] } = document
  const errorMinTtls = new Map(errorResponses.map((row) => [row.errorCode, row.cachingMinTtlSeconds]))
  return {
    doc: document,
    id: document.id,
    enabled: document.enabled,
    rootPath: document.defaultRootObject === '' ? '' : encodePath(`/${document.defaultRootObject}`),
    behaviors: document.behaviors.map((behavior, at) => ({
      ...compileBehavior(document, behavior, origins, errorMinTtls, rfcStrict || (document.rfcStrict ?? false)),
      field: at === document.behaviors.length - 1 ? 'DefaultCacheBehavior' : `CacheBehaviors.Items[${at}]`,
      tagHeader: document.cacheTagHeader ?? '',
    })),
    errorPages: errorPages(errorResponses),
  }
}

function errorPages(responses: readonly ErrorResponseDoc[]): Map<number, ErrorPagePlan> {
  const pages = new Map<number, ErrorPagePlan>()
  for (const { errorCode, page } of responses) {
    if (page !== null) pages.set(errorCode, { path: encodePath(page.path), responseCode: page.responseCode })
  }
  return pages
}

function compileBehavior(
  { id: distributionId }: DistributionDoc,
  behavior: BehaviorDoc,
  origins: ReadonlyMap<string, OriginDoc>,
  errorMinTtls: ReadonlyMap<number, number>,
  strict: boolean,
): Omit<BehaviorPlan, 'tagHeader' | 'field'> {
  const origin = origins.get(behavior.originId)
  if (origin === undefined) throw new Error(`${distributionId}: no origin with the id ${behavior.originId}`)
  const { cachePolicy } = behavior
  const forward = compileForward(cachePolicy, behavior.originRequestPolicy, origin, behavior.cachedMethods)
  const key = compileKey(distributionId, behavior)
  return {
    doc: behavior,
    pattern: behavior.pathPattern,
    matches: compilePathPattern(behavior.pathPattern),
    allowedMethods: new Set(behavior.allowedMethods),
    cachedMethods: new Set(behavior.cachedMethods),
    caching: cachePolicy.maxTtl > 0,
    policy: cachePolicy,
    strict,
    compresses: (behavior.compress ?? false) && allowsCompression(cachePolicy),
    key: strict ? strictKey(key, forward) : key,
    origin,
    forward,
    errorMinTtls,
  }
}

/** An encoding is enabled, and Accept-Encoding is not keyed as it came (spec 4.4); nothing without a TTL (5.1). */
function allowsCompression({ maxTtl, gzip, brotli, headers }: CachePolicyDoc): boolean {
  return maxTtl > 0 && (gzip || brotli) && !headers.names.includes('accept-encoding')
}

function compileKey(distributionId: string, { cachePolicy }: BehaviorDoc): KeyRecipe {
  const isGenerated = (name: string): name is GeneratedKeyHeader =>
    (GENERATED_KEY_HEADERS as readonly string[]).includes(name)
  const names = cachePolicy.headers.behavior === 'whitelist' ? cachePolicy.headers.names : []
  const headers = [...new Set(names)].sort()
  const lists = headers.includes('accept-encoding')
  return {
    distributionId,
    // Accept-Encoding is keyed in its normalized form when an encoding is enabled (spec 4.4), otherwise as it came.
    headers: headers.filter(
      (name) =>
        !isGenerated(name) && !(lists && name === 'accept-encoding' && (cachePolicy.gzip || cachePolicy.brotli)),
    ),
    generated: headers.filter(isGenerated),
    cookies: compileNames(cachePolicy.cookies),
    queryStrings: compileNames(cachePolicy.queryStrings),
    gzip: cachePolicy.gzip,
    brotli: cachePolicy.brotli,
    strict: false,
    host: false,
  }
}

/**
 * RFC 9111 2: the key holds the URI that the origin is asked for, whatever of it the cache policy lists. Headers and
 * cookies that it does not list are the business of Vary.
 */
function strictKey(key: KeyRecipe, forward: ForwardRecipe): KeyRecipe {
  const host = admits(forward.headers, 'host') && !key.headers.includes('host')
  return { ...key, queryStrings: forward.queryStrings, strict: true, host }
}
