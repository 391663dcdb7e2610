//! Distribution documents to matchers: everything that a request would otherwise have to parse, sort or look up.
import type {
  BehaviorDoc,
  ContinuousDeploymentDoc,
  DistributionDoc,
  ErrorResponseDoc,
  ViewerMtlsDoc,
} from '../../domain/distribution.ts'
import { type GeneratedHeader, generatedHeaders } from '../../domain/generated-headers.ts'
import type { CachePolicyDoc } from '../../domain/policy.ts'
import { remembered } from '../../lib/remembered.ts'
import { signersPlan } from '../access/signer-keys.ts'
import type { KeyRecipe } from '../cache/key.ts'
import { compileFields } from '../fields/plan.ts'
import { compileForward, type ForwardRecipe } from '../origin/forward.ts'
import { AWS_S3, type ReachedOrigin, reachedOrigin, type S3Settings } from '../origin/reached.ts'
import { encodePath } from './encode-path.ts'
import { headersPolicyPlan } from './headers-policy.ts'
import { admits, compileNames } from './name-rule.ts'
import { compilePathPatterns } from './path-patterns.ts'
import type {
  BehaviorPlan,
  DistributionPlan,
  ErrorPagePlan,
  FailoverPlan,
  GeoPlan,
  OriginPlan,
  StagingPlan,
} from './snapshot.ts'
import { compileTls } from './tls-plan.ts'

/** What the installation adds to every document. */
export interface Installed {
  /** Every distribution is in strict mode. */
  readonly rfcStrict?: boolean | undefined
  /** AWS's own S3 when absent. */
  readonly s3?: S3Settings | undefined
}

/** @throws Error when a behavior names an origin that is not there, or an S3 origin is not named like a bucket */
export function compileDistribution(document: DistributionDoc, installed: Installed = {}): DistributionPlan {
  const { rfcStrict = false, s3 = AWS_S3 } = installed
  const origins = new Map(document.origins.map((origin, at) => [origin.id, reachedOrigin(origin, at, s3)]))
  const make: Makers = {
    forward: remembered(compileForward),
    key: remembered(compileKey),
    fields: remembered(compileFields),
  }
  const { errorResponses = [] } = document
  const errorMinTtls = new Map(errorResponses.map((row) => [row.errorCode, row.cachingMinTtlSeconds]))
  return {
    doc: document,
    id: document.id,
    enabled: document.enabled,
    ...compileTls(document),
    staging: document.continuousDeployment === undefined ? null : compileStaging(document.continuousDeployment),
    webAclArn: document.webAclArn ?? '',
    geo: compileGeo(document.geoRestriction),
    rootPath: document.defaultRootObject === '' ? '' : encodePath(`/${document.defaultRootObject}`),
    behaviors: document.behaviors.map((behavior, at) => ({
      ...compileBehavior(
        document,
        heldTo(document.viewerMtls, behavior),
        make,
        origins,
        errorMinTtls,
        rfcStrict || (document.rfcStrict ?? false),
      ),
      field: at === document.behaviors.length - 1 ? 'DefaultCacheBehavior' : `CacheBehaviors.Items[${at}]`,
      tagHeader: document.cacheTagHeader ?? '',
    })),
    patterns: compilePathPatterns(document.behaviors.slice(0, -1).map(({ pathPattern }) => pathPattern)),
    errorPages: errorPages(errorResponses),
  }
}

/**
 * What viewers' certificates demand of a behavior, whatever it says: no plain HTTP (the API refuses it, too), and in
 * passthrough mode nothing out of a cache, for only the origin knows who may have it.
 */
function heldTo(mtls: ViewerMtlsDoc | undefined, behavior: BehaviorDoc): BehaviorDoc {
  if (mtls === undefined) return behavior
  const { viewerProtocolPolicy: policy, cachePolicy } = behavior
  return {
    ...behavior,
    viewerProtocolPolicy: policy === 'allow-all' ? 'https-only' : policy,
    cachePolicy: mtls.mode === 'passthrough' ? uncached(cachePolicy) : cachePolicy,
  }
}

const uncached = (policy: CachePolicyDoc): CachePolicyDoc => ({ ...policy, minTtl: 0, defaultTtl: 0, maxTtl: 0 })

function compileGeo(geo: DistributionDoc['geoRestriction']): GeoPlan | null {
  return geo === undefined ? null : { listed: new Set(geo.countries), allows: geo.type === 'whitelist' }
}

function compileStaging(policy: ContinuousDeploymentDoc): StagingPlan {
  const sticky = policy.traffic.kind === 'weight' ? policy.traffic.sticky : null
  return { ...policy, sessionSecret: sticky === null ? null : Buffer.from(sticky.secret, 'hex') }
}

function errorPages(responses: readonly ErrorResponseDoc[]): Map<number, ErrorPagePlan> {
  const pages = new Map<number, ErrorPagePlan>()
  for (const { errorCode, page } of responses) {
    if (page !== null) pages.set(errorCode, { path: encodePath(page.path), responseCode: page.responseCode })
  }
  return pages
}

/** What most behaviors of a distribution have in common is there once. */
interface Makers {
  readonly forward: typeof compileForward
  readonly key: typeof compileKey
  readonly fields: typeof compileFields
}

function compileBehavior(
  document: DistributionDoc,
  behavior: BehaviorDoc,
  make: Makers,
  origins: ReadonlyMap<string, ReachedOrigin>,
  errorMinTtls: ReadonlyMap<number, number>,
  strict: boolean,
): Omit<BehaviorPlan, 'tagHeader' | 'field'> {
  const { cachePolicy } = behavior
  const target = compileTarget(document, behavior, make, origins)
  const key = make.key(document.id, cachePolicy, strict ? target.forward : null)
  return {
    doc: behavior,
    pattern: behavior.pathPattern,
    allowedMethods: setOf(behavior.allowedMethods),
    cachedMethods: setOf(behavior.cachedMethods),
    caching: cachePolicy.maxTtl > 0,
    policy: cachePolicy,
    strict,
    grpc: behavior.grpc ?? false,
    fields: make.fields(behavior.fieldEncryption),
    compresses: (behavior.compress ?? false) && allowsCompression(cachePolicy),
    signers: behavior.signers === undefined ? null : signersPlan(behavior.signers),
    readsCookies: [key, target.forward, target.failover?.secondary.forward].some(
      (recipe) => recipe !== undefined && recipe.cookies.kind !== 'none',
    ),
    key,
    ...target,
    headersPolicy: headersPolicyPlan(behavior.responseHeadersPolicy),
    locates: [...key.generated, ...target.forward.generated].some((header) => header.from === 'location'),
    errorMinTtls,
  }
}

/** The origin, or the two of an origin group: each with what it is sent, its own path, headers and name among it. */
function compileTarget(
  document: DistributionDoc,
  behavior: BehaviorDoc,
  make: Makers,
  origins: ReadonlyMap<string, ReachedOrigin>,
): OriginPlan & Pick<BehaviorPlan, 'failover'> {
  const planOf = (id: string): OriginPlan => {
    const origin = origins.get(id)
    if (origin === undefined) throw new Error(`${document.id}: no origin with the id ${id}`)
    const { cachePolicy, originRequestPolicy, cachedMethods } = behavior
    return { origin, forward: make.forward(cachePolicy, originRequestPolicy, origin, cachedMethods) }
  }
  const groups = document.originGroups ?? []
  const at = groups.findIndex(({ id }) => id === behavior.originId)
  const group = groups[at]
  if (group === undefined) return { ...planOf(behavior.originId), failover: null }
  const failover: FailoverPlan = {
    groupId: group.id,
    field: `OriginGroups.Items[${at}]`,
    statusCodes: new Set(group.statusCodes),
    secondary: planOf(group.secondary),
  }
  return { ...planOf(group.primary), failover }
}

/** An encoding is enabled, and Accept-Encoding is not keyed as it came (spec 4.4); nothing without a TTL (5.1). */
function allowsCompression({ maxTtl, gzip, brotli, headers }: CachePolicyDoc): boolean {
  return maxTtl > 0 && (gzip || brotli) && !headers.names.includes('accept-encoding')
}

/** Sets by list: equal lists of the documents are the same list (shared-parts.ts). */
const SETS = new WeakMap<readonly string[], ReadonlySet<string>>()

function setOf(list: readonly string[]): ReadonlySet<string> {
  const known = SETS.get(list)
  if (known !== undefined) return known
  const made = new Set(list)
  SETS.set(list, made)
  return made
}

/** `forward` in strict mode only. */
function compileKey(distributionId: string, cachePolicy: CachePolicyDoc, forward: ForwardRecipe | null): KeyRecipe {
  const names = cachePolicy.headers.behavior === 'whitelist' ? cachePolicy.headers.names : []
  const headers = [...new Set(names)].sort()
  const lists = headers.includes('accept-encoding')
  const key: KeyRecipe = {
    distributionId,
    // Accept-Encoding is keyed in its normalized form when an encoding is enabled (spec 4.4), otherwise as it came.
    headers: headers.filter(
      (name) =>
        !generatedHeaders.has(name) &&
        !(lists && name === 'accept-encoding' && (cachePolicy.gzip || cachePolicy.brotli)),
    ),
    generated: headers.flatMap((name) => madeHeader(name) ?? []),
    cookies: compileNames(cachePolicy.cookies),
    queryStrings: compileNames(cachePolicy.queryStrings),
    gzip: cachePolicy.gzip,
    brotli: cachePolicy.brotli,
    strict: false,
    host: false,
  }
  return forward === null ? key : strictKey(key, forward)
}

/** A header that the edge makes; undefined for what it does not make, or not in a key. */
function madeHeader(name: string): GeneratedHeader | undefined {
  const header = generatedHeaders.get(name)
  return header?.keyable && header.make !== null ? header : undefined
}

/**
 * RFC 9111 2: the key holds the URI that the origin is asked for, whatever of it the cache policy lists. Headers and
 * cookies that it does not list are the business of Vary.
 */
function strictKey(key: KeyRecipe, forward: ForwardRecipe): KeyRecipe {
  const host = admits(forward.headers, 'host') && !key.headers.includes('host')
  return { ...key, queryStrings: forward.queryStrings, strict: true, host }
}
