//! What `/_cachefront` and the CLI may ask and tell a running installation. control/ implements it, api/ serves it,
//! main.ts puts the two together: neither imports the other.
import type { RuleCount } from '../../domain/waf/seen.ts'
import type {
  FailingOrigin,
  FoundObject,
  ObjectRequest,
  ObjectsWanted,
  OriginSeen,
  SeenObject,
  ShieldSeen,
  StorageSeen,
} from '../../edge/feed-protocol.ts'
import type { AttackSeen } from '../../edge/shield/attack-watch.ts'
import type { KeeperSeen } from '../../keeper/protocol.ts'

export interface PopHealth {
  readonly name: string
  readonly region: string
  /** `address:port`, or null while no worker listens. */
  readonly http: string | null
  readonly https: string | null
  /** A further address of its own, over HTTP and over HTTPS; absent for none. */
  readonly ipv6?: string
  readonly ipv6Https?: string
  /** Absent while it is up. */
  readonly state?: 'down'
}

/** A regional edge cache of the topology. */
export interface RegionalHealth {
  readonly name: string
  readonly region: string
  readonly state?: 'down'
}

/** A place of the network, for people. */
export type PlaceStatus = {
  readonly name: string
  readonly region: string
  readonly state: 'up' | 'down'
} & (
  | {
      readonly kind: 'pop'
      /** Of the regional edge cache that it asks. */
      readonly regional: string | null
      /** `address:port`; null while no worker listens. */
      readonly http: string | null
      readonly https: string | null
      readonly ipv6: string | null
      readonly ipv6Https: string | null
    }
  /** `shield`: of an origin, in a region that the topology has no regional edge cache in. */
  | { readonly kind: 'regional' | 'shield' }
)

/** One part of the installation and whether it answers. */
export interface PartHealth {
  /** `state`, `keeper`, `worker-0`, `engines`, `api` ... */
  readonly name: string
  readonly ok: boolean
  /** What is the matter, or what it is (`redis 7.0.15`), for a person. */
  readonly detail: string
}

export interface Health {
  readonly status: 'ok' | 'starting' | 'degraded'
  readonly version: string
  readonly revision: number
  readonly pops: readonly PopHealth[]
  /** Regional edge caches; origin shields are where distributions name them. */
  readonly regionals: readonly RegionalHealth[]
  readonly parts: readonly PartHealth[]
  /** Origins whose newest request failed, at most 20. They do not make the status worse. */
  readonly origins: readonly FailingOrigin[]
  /** Workers that are under attack, since when, and what was refused (docs/shield.md); absent for none. */
  readonly attacks?: readonly ({ readonly worker: string } & AttackSeen)[]
  /** Workers that have more to do than they can, and what they do not do; absent for none. */
  readonly overloads?: readonly ({ readonly worker: string } & NonNullable<ShieldSeen['overload']>)[]
}

/** A step of a walk through the caches. */
export type WalkStep =
  | {
      readonly kind: 'page'
      readonly worker: string
      readonly objects: readonly SeenObject[]
      /** Objects that were looked at for the page. */
      readonly looked: number
    }
  /** It did not answer: what it has from here on is not told. */
  | { readonly kind: 'missing'; readonly worker: string }

export interface Installation {
  health(): Promise<Health>
  /** The trace of one request, or null when no live worker has it; `missing` names workers that did not answer. */
  trace(id: string): Promise<{ readonly trace: unknown; readonly missing: readonly string[] } | null>
  /** Sums of all live workers' counters by name. */
  counters(): Promise<{ readonly counters: Readonly<Record<string, number>>; readonly missing: readonly string[] }>
  /** Walks through the caches of all live workers as fast as the reader takes the pages; ends when the reader does. */
  objects(wanted: ObjectsWanted): AsyncIterable<WalkStep>
  /** What a GET would find on each live worker. */
  object(request: ObjectRequest): Promise<{
    readonly workers: readonly ({ readonly worker: string } & FoundObject)[]
    readonly missing: readonly string[]
  }>
  /** What became of requests to origins, of all live workers together, the most asked first. */
  origins(): Promise<{ readonly origins: readonly OriginSeen[]; readonly missing: readonly string[] }>
  /** What rules of web ACLs did, of all live workers together, the busiest first. */
  wafRules(): Promise<{ readonly rules: readonly RuleCount[]; readonly missing: readonly string[] }>
  /** How full the caches of each live worker are. */
  storage(): Promise<{
    readonly workers: readonly ({ readonly worker: string } & StorageSeen)[]
    readonly missing: readonly string[]
  }>
  /** What the keeper of this host reported last: nodes, their processes and binaries; null while none answers. */
  keeperSeen(): KeeperSeen | null
  /** Null without `--movable-clock`. */
  readonly clock: {
    /** Milliseconds that the clock is ahead of the host's. */
    offsetMs(): number
    /** Moves the clock on by `ms` (> 0) and resolves when every live worker has it. */
    advance(ms: number): Promise<void>
  } | null
  /** POPs, regional edge caches, and the shields that distributions name. */
  places(): Promise<readonly PlaceStatus[]>
  /** Takes a place down or up; resolves with true when every live worker has it, with false when that takes too long. */
  switchPlace(name: string, state: 'up' | 'down'): Promise<boolean>
  /** Begins the shutdown that SIGTERM begins; resolves before the process exits. */
  stop(options: { readonly engines: boolean }): Promise<void>
}
