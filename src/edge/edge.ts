//! What the stages work with: one worker's parts, each behind the smallest interface that the request path needs.
import type { RefreshOutcome } from '../domain/outcomes.ts'
import type { Clock } from '../lib/clock.ts'
import type { VerifiedPolicies } from './access/verified-policies.ts'
import type { Flights } from './cache/collapse.ts'
import type { DiskTier } from './cache/disk/tier.ts'
import type { FailureMemory } from './cache/failures.ts'
import type { Flight } from './cache/flight.ts'
import type { Invalidations } from './cache/invalidation.ts'
import type { StoredObject } from './cache/object.ts'
import type { Store } from './cache/store.ts'
import type { Compressions } from './compression/compressions.ts'
import type { Exchange } from './exchange.ts'
import type { WorkerIdentity } from './feed-protocol.ts'
import type { FieldBodies } from './fields/body.ts'
import type { FieldCipher } from './fields/cipher.ts'
import type { GeoLookup } from './geo/geo.ts'
import type { RequestBudget, RequestVerdict } from './listen/viewer.ts'
import type { OriginFailure } from './origin/failure.ts'
import type { S3Keys } from './origin/sign.ts'
import type { OriginSources } from './origin/sources.ts'
import type { PeerResult } from './peers/protocol.ts'
import type { Place, Places } from './places.ts'
import type { RequestIds } from './request-ids.ts'
import type { Snapshot } from './snapshot/snapshot.ts'
import type { Waf } from './waf/waf.ts'

/** Asks the owner of a key at a place; the flight gets the answer's bytes. */
export interface AskPeers {
  ask(owner: WorkerIdentity, place: Place, x: Exchange, flight: Flight): Promise<PeerResult>
  /** Questions under way. */
  readonly busy: number
  /** Breaks off with every peer that is not among these; what waits for one goes on to the next in line. */
  onlyThese(workers: readonly WorkerIdentity[]): void
  close(): void
}

/** Has stale objects refreshed while they are served (edge/refresh.ts). */
export interface RefreshBehind {
  /** Has `object`, which `x` found under its key, refreshed; returns at once. */
  begin(x: Exchange, edge: Edge, object: StoredObject): RefreshOutcome
  /** Refreshes that run now. */
  readonly size: number
  /** True while the key is left alone because a refresh of it came to nothing. */
  backsOff(key: string, now: number): boolean
}

/** What an origin group's primary did, for which the secondary is asked. */
export interface PassedOver {
  /** 0 when no answer came. */
  readonly status: number
  /** Name, value, name, value ... */
  readonly headers: readonly string[]
  readonly failure: OriginFailure | null
}

/** What protects a worker (edge/shield/shield.ts). */
export interface Protection {
  /** The budget of requests that an address has, at `now` (Clock.monotonic()). */
  budgetOf(address: string, now: number): RequestBudget
  /** A request of `address` was refused: with a page, or by ending its connection. */
  limited(verdict: Exclude<RequestVerdict, 'within'>, address: string): void
  /** Why what would go to the origin of that name now is not to go; null when it may. What is refused is counted. */
  sheds(what: 'refresh' | 'miss', origin: string): string | null
}

export interface Edge {
  readonly clock: Clock
  readonly name: string
  readonly places: Places
  /** Ports of the HTTPS listeners of each POP, by its number; null for none. `ipv6`: of its further address. */
  httpsPorts: readonly { readonly https: number | null; readonly ipv6: number | null }[]
  /** Swapped whole by the feed; a request keeps the one it began with. */
  snapshot: Snapshot
  readonly invalidations: Invalidations
  readonly store: Store
  readonly disk: Pick<DiskTier, 'opening' | 'mayHave' | 'promote' | 'settled'>
  readonly flights: Flights
  readonly failures: FailureMemory
  readonly origins: Pick<OriginSources, 'send' | 'underWay' | 'close'>
  /** What requests to buckets are signed with; null when the operator has given none. */
  readonly s3Keys: S3Keys | null
  readonly geo: GeoLookup
  /** Who asks too much, and whether this worker has too much to do. */
  readonly shield: Protection
  readonly waf: Waf
  /** Policies of signed requests that were verified. */
  readonly verified: VerifiedPolicies
  readonly compressions: Compressions
  /** Bodies that wait to be encrypted, or were. */
  readonly fieldBodies: FieldBodies
  readonly fieldCipher: FieldCipher
  readonly refreshes: RefreshBehind
  readonly ids: RequestIds
  /** From 0 to below 1: which requests go to a staging distribution. */
  readonly random: () => number
  /** The live workers of the POP, this one included. */
  workers: readonly WorkerIdentity[]
  /** By name, every worker that ever was one of them: one that is on its way back may have what it had. */
  readonly met: Map<string, WorkerIdentity>
  readonly peers: AskPeers
  /**
   * Clock.monotonic() up to which the lease is held; a request that began later must let the worker catch up before the
   * cache answers. Infinite without a control plane: then the worker serves on what it knows.
   */
  leaseUntil: number
  /** Resolves when the worker has heard of every change that control had when it was asked. */
  catchUp(): Promise<void>
  /** Walks an exchange of the edge's own from that step to its end, at once as far as nothing is waited for. */
  walkInner(x: Exchange, from: 'cache-key' | 'cache-lookup'): void
  /** Tells the operator. */
  problem(message: string): void
  /** RFC 9110 date of this second. */
  date(): string
  /** Counts, tells and traces that the primary of an origin group is passed over. */
  recordFailover(x: Exchange, primary: PassedOver): void
  /** Counts what was asked of the origin or the owner, when something else is to be asked after it. */
  recordFetch(x: Exchange): void
  /** Counters, access log and trace of a finished request. */
  record(x: Exchange): void
}
