//! The shape of a service: a table from the operation's name in AWS's model to the function that does it.
//! An operation validates, writes the wish into the state, and returns; reconcilers in control/ make it so.
import type { Caller } from '../domain/access-keys.ts'
import type { LogDestination } from '../domain/log-destination.ts'
import type { NodeMemory } from '../domain/node-memory.ts'
import type { Quotas } from '../domain/quotas.ts'
import type { SourceNetworks } from '../domain/source-networks.ts'
import type { SamplesFound } from '../domain/waf/seen.ts'
import type { Clock } from '../lib/clock.ts'
import type { State } from '../state/state.ts'
import type { KmsKeys } from './elasticache/kms-keys.ts'
import type { SnapshotStores } from './elasticache/snapshot-stores.ts'

/** What an operation may use besides its input. */
export interface ServiceContext {
  readonly state: State
  readonly clock: Clock
  /** Who calls; absent or null for nobody in particular. */
  readonly caller?: Caller | null
  /** 12 digits. */
  readonly accountId: string
  readonly region: string
  /** Domain under which distributions get their names, e.g. `cloudfront.localhost`. */
  readonly edgeDomain: string
  /** How many of everything there may be (domain/quotas.ts). */
  readonly quotas: Quotas
  /** Addresses for distributions that need one of their own; absent: none. */
  readonly dedicatedAddresses?: readonly string[]
  /** What the host offers now, from the keeper and the feed; for errors that tell the user what is missing. */
  readonly host: HostFacts
  /** Security groups and subnets that the operator defines; absent: none. */
  readonly sourceNetworks?: SourceNetworks
  /** Keys for encryption at rest; absent: none can be named. */
  readonly keys?: KmsKeys
  /** What the data of all cache nodes may take of this host's memory; absent: not limited. */
  readonly nodeMemory?: NodeMemory
  /** Where snapshots are exported to and imported from; absent where there is nothing of the kind. */
  readonly stores?: SnapshotStores
  /** ARNs of the topics that have a webhook; absent: none. */
  readonly topics?: ReadonlySet<string>
  /** Directories of imported certificates for caches, by name (lib/ca/imported.ts); absent for none. */
  readonly certificates?: ReadonlyMap<string, string>
  /**
   * The edge domain, when a public authority validates by DNS and its questions are to be led to the edge's name server by a
   * CNAME; absent where nobody looks at the CNAMEs that DescribeCertificate shows.
   */
  readonly challengeZone?: string
  /** What stands for log groups and delivery streams, by their names; those without one lead to files. Absent: all do. */
  readonly logDestinations?: ReadonlyMap<string, LogDestination>
  /** What edges have kept of the requests that web ACLs looked at; absent where no edge is asked. */
  readonly waf?: WafAtEdges
}

/** Questions of WAFv2 that only the edges can answer. */
export interface WafAtEdges {
  /** GetSampledRequests, of all edges together. Edges that do not answer are left out. */
  samples(wanted: WafSamplesWanted): Promise<SamplesFound>
  /** Addresses that a rate-based rule refuses now, at any edge. */
  rateLimited(wanted: WafRateWanted): Promise<readonly string[]>
}

export interface WafSamplesWanted {
  /** ARN of the web ACL. */
  readonly webAcl: string
  /** VisibilityConfig.MetricName of a rule, of a rule of one of its rule groups, or of the web ACL (its default action). */
  readonly metric: string
  /** Milliseconds since the epoch, by the movable clock. */
  readonly from: number
  readonly to: number
  /** 1 to 500. */
  readonly max: number
}

export interface WafRateWanted {
  /** ARN of the web ACL. */
  readonly webAcl: string
  /** ARN of the rule group that the rule is in; null for a rule of the web ACL itself. */
  readonly group: string | null
  /** Name of the rate-based rule. */
  readonly rule: string
}

export interface HostFacts {
  /** What keeps this host from filtering clients by their source, for a person; null when nothing does. Absent: it can't. */
  sourceFilterMissing?(): string | null
  /** Engine binaries found on this host; `features`: what their build can do (domain/parameters/parameter.ts). */
  binaries(): readonly { readonly engine: string; readonly version: string; readonly features?: readonly string[] }[]
  /** Bytes that the data of a redis or valkey node takes now; null when its engine does not answer. Absent: unknown. */
  usedMemory?(group: string, node: string): Promise<number | null>
}

/**
 * Input and output are the SDK's own types of the operation (`CreateDistributionCommandInput` without the metadata).
 * @throws Fault for every error that the caller is to see; anything else becomes the service's 500.
 */
export type Operation<Input, Output> = (input: Input, context: ServiceContext) => Promise<Output>

/** Operations by the name in the model. The server refuses to start when a name is not in the model. */
// biome-ignore lint/suspicious/noExplicitAny: each row has its own input and output; the rows themselves are typed.
export type OperationTable = Readonly<Record<string, Operation<any, any>>>
