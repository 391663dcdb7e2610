//! The compiled configuration that requests are served with: immutable, swapped whole. A request keeps the snapshot it
//! began with. Everything that depends on configuration alone is worked out here, never per request.
import type { ChallengeDoc } from '../../domain/challenge.ts'
import type { BehaviorDoc, ContinuousDeploymentDoc, DistributionDoc } from '../../domain/distribution.ts'
import type { CachePolicyDoc } from '../../domain/policy.ts'
import { PersistentMap } from '../../lib/persistent-map.ts'
import type { SignersPlan } from '../access/signer-keys.ts'
import type { KeyRecipe } from '../cache/key.ts'
import type { FieldsPlan } from '../fields/plan.ts'
import type { ServedCertificate } from '../listen/tls/endpoints.ts'
import type { TlsTerms } from '../listen/tls/terms.ts'
import type { ForwardRecipe } from '../origin/forward.ts'
import type { ReachedOrigin } from '../origin/reached.ts'
import type { WebAclPlan } from '../waf/plan.ts'
import type { HeadersPolicyPlan } from './headers-policy.ts'
import { normalPath } from './normal-path.ts'
import { firstMatch, type PathPatterns } from './path-patterns.ts'

export interface Snapshot {
  /** Number of the newest change in it; -1 before the first. */
  readonly revision: number
  readonly distributions: PersistentMap<DistributionPlan>
  /** Exact host name, lower case without port, to distribution. */
  readonly exactHosts: PersistentMap<DistributionPlan>
  /** Wildcard aliases by what follows the star (`.example.com`); the longest match wins. */
  readonly wildcardHosts: PersistentMap<DistributionPlan>
  /** Names of the POPs and regional edge caches that an operator has taken down. */
  readonly down: ReadonlySet<string>
  /** What ACME servers may ask for now, by challengeId; empty nearly always. */
  readonly challenges: ReadonlyMap<string, ChallengeDoc>
  /** Web ACLs that distributions name, by ARN. */
  readonly webAcls: ReadonlyMap<string, WebAclPlan>
}

export interface DistributionPlan {
  readonly doc: DistributionDoc
  readonly id: string
  readonly enabled: boolean
  /** What connections to its aliases are under. */
  readonly tls: TlsTerms
  /** Those to its own names: the default policy (spec 13.2), the same terms of client certificates. */
  readonly ownTls: TlsTerms
  /** What they are shown; null for one of the installation's own. */
  readonly certificate: ServedCertificate | null
  /** Where some of its requests go instead; null for a distribution without a continuous deployment policy. */
  readonly staging: StagingPlan | null
  /** Null for a distribution that serves every country. */
  readonly geo: GeoPlan | null
  /** ARN of the web ACL that looks at its requests; empty for none. */
  readonly webAclArn: string
  /** `/index.html`; empty for none. */
  readonly rootPath: string
  /** In order of precedence; the last one matches everything. */
  readonly behaviors: readonly BehaviorPlan[]
  /** Their patterns in the same order, without that of the last one. */
  readonly patterns: PathPatterns
  /** Custom error pages by the status that they stand in for. */
  readonly errorPages: ReadonlyMap<number, ErrorPagePlan>
}

/** Restrictions.GeoRestriction (spec/cloudfront.md 12.1). */
export interface GeoPlan {
  /** ISO 3166-1 alpha-2. */
  readonly listed: ReadonlySet<string>
  /** Viewers of the listed countries are served, of all others not; false: the other way round. */
  readonly allows: boolean
}

export interface StagingPlan extends ContinuousDeploymentDoc {
  /** Null without session stickiness. */
  readonly sessionSecret: Uint8Array | null
}

export interface ErrorPagePlan {
  /** As viewers send it. */
  readonly path: string
  /** Status that the viewer gets with the page. */
  readonly responseCode: number
}

/** An origin that a behavior may ask, and what it is sent. */
export interface OriginPlan {
  readonly origin: ReachedOrigin
  readonly forward: ForwardRecipe
}

/** What an origin group has besides its primary. */
export interface FailoverPlan {
  readonly groupId: string
  /** `OriginGroups.Items[0]` */
  readonly field: string
  readonly statusCodes: ReadonlySet<number>
  readonly secondary: OriginPlan
}

export interface BehaviorPlan extends OriginPlan {
  readonly doc: BehaviorDoc
  readonly pattern: string
  /** Where it stands in the DistributionConfig: `DefaultCacheBehavior`, `CacheBehaviors.Items[2]`. */
  readonly field: string
  readonly allowedMethods: ReadonlySet<string>
  readonly cachedMethods: ReadonlySet<string>
  /** False when all TTLs are zero: nothing is kept, no error either (spec 5.1). */
  readonly caching: boolean
  readonly policy: CachePolicyDoc
  /** RFC 9110 and 9111 win where CloudFront departs from them. */
  readonly strict: boolean
  /** Header that cache tags are read from, lower case; empty for none. */
  readonly tagHeader: string
  /** True when answers may be compressed (spec 5.8); which ones is a matter of their heads. */
  readonly compresses: boolean
  /** Calls of gRPC are passed on as such. */
  readonly grpc: boolean
  /** What of bodies is encrypted; null without field-level encryption. */
  readonly fields: FieldsPlan | null
  /** Who may sign for its viewers; null for a public behavior. */
  readonly signers: SignersPlan | null
  /** The key or an origin has cookies of viewers. */
  readonly readsCookies: boolean
  readonly key: KeyRecipe
  /** Of an origin group the primary. */
  readonly origin: ReachedOrigin
  readonly forward: ForwardRecipe
  /** The key or the origin request has headers that tell where the viewer is. */
  readonly locates: boolean
  /** Null when the behavior's target is one origin. */
  readonly failover: FailoverPlan | null
  /** What is done to the headers of answers; null without a policy. */
  readonly headersPolicy: HeadersPolicyPlan | null
  /** ErrorCachingMinTTL in seconds by status, as far as the distribution sets it. */
  readonly errorMinTtls: ReadonlyMap<number, number>
}

/** Id of the installation's own certificates (ServedCertificate): those of its own names, and of aliases without one. */
export const OWN_CERTIFICATE = ''

export const EMPTY_SNAPSHOT: Snapshot = {
  revision: -1,
  distributions: PersistentMap.empty(),
  exactHosts: PersistentMap.empty(),
  wildcardHosts: PersistentMap.empty(),
  down: new Set(),
  challenges: new Map(),
  webAcls: new Map(),
}

/** Whether any distribution depends on where viewers are. */
export const locates = ({ distributions, webAcls }: Snapshot): boolean =>
  webAcls.values().some((plan) => plan.locates) ||
  distributions.values().some((plan) => plan.geo !== null || plan.behaviors.some((behavior) => behavior.locates))

/** The distribution of a host: exact names before wildcards, the longest wildcard first (spec 3.1 step 3). */
export function distributionOf(snapshot: Snapshot, host: string): DistributionPlan | undefined {
  const exact = snapshot.exactHosts.get(host)
  if (exact !== undefined || snapshot.wildcardHosts.size === 0) return exact
  for (let dot = host.indexOf('.'); dot > 0; dot = host.indexOf('.', dot + 1)) {
    const wildcard = snapshot.wildcardHosts.get(host.slice(dot))
    if (wildcard !== undefined) return wildcard
  }
  return undefined
}

/** The first behavior whose pattern matches; the last one always does. */
export function behaviorOf({ behaviors, patterns }: DistributionPlan, path: string): BehaviorPlan {
  const last = behaviors.length - 1
  const found = last === 0 ? -1 : firstMatch(patterns, normalPath(path))
  return behaviors[found < 0 ? last : found] as BehaviorPlan
}
