//! What control and an edge worker say to each other over the feed (JSON lines on a Unix socket, 0600, in the home).
//! The worker connects; control numbers every change; the worker acknowledges a revision when it has swapped, every
//! later request uses it, and no fetch of an older revision can be stored past its invalidations.
import type { ChallengeDoc } from '../domain/challenge.ts'
import type { DistributionDoc, InvalidationDoc } from '../domain/distribution.ts'
import type { OriginFailureKind } from '../domain/outcomes.ts'
import type { RuleCount, SamplesFound } from '../domain/waf/seen.ts'
import type { WebAclDoc } from '../domain/waf/web-acl.ts'
import type { AttackSeen } from './shield/attack-watch.ts'
import type { LoadSignal } from './shield/overload.ts'

/** A worker is live while it holds its lease: renewed each second, lasting five. Milliseconds. */
export const LEASE_RENEW_MS = 1_000
export const LEASE_MS = 5_000

export interface WorkerIdentity {
  /** `worker-0`, `worker-1`, ... unique in the installation. */
  readonly worker: string
  readonly pid: number
  /** Version of the program; control drains a worker of an older one. */
  readonly version: string
  /** Where viewers reach it: `address:port` of each POP it serves; `https` is null for a POP without that listener. */
  readonly pops: readonly {
    readonly name: string
    readonly region: string
    readonly http: string
    readonly https: string | null
    /** A further address, over HTTP and over HTTPS; null for none. */
    readonly ipv6?: string | null
    readonly ipv6Https?: string | null
  }[]
  /** Where its name server listens; null for one that cannot, absent for none. */
  readonly dns?: string | null
  /** Unix socket on which its peers ask it for the keys it owns. */
  readonly peerSocket: string
}

/** One numbered change. `distribution: null` means deleted. */
export type FeedChange =
  | { readonly kind: 'distribution'; readonly id: string; readonly distribution: DistributionDoc | null }
  | { readonly kind: 'invalidation'; readonly revision: number; readonly invalidation: InvalidationDoc }
  /** An operator takes a POP or a regional edge cache down, or up again. */
  | { readonly kind: 'place'; readonly name: string; readonly down: boolean }
  /** What an ACME server may ask for; null: no more. `id` as of challengeId. */
  | { readonly kind: 'challenge'; readonly id: string; readonly challenge: ChallengeDoc | null }
  /** By ARN; null: deleted, or no distribution names it any more. */
  | { readonly kind: 'web-acl'; readonly arn: string; readonly webAcl: WebAclDoc | null }

export type ToWorker =
  /** Everything, after a first connect or when the log no longer reaches back: all cached objects count as invalidated. */
  | {
      readonly type: 'snapshot'
      readonly revision: number
      /** As feed-packing.ts has them. */
      readonly distributions: readonly DistributionDoc[]
      readonly shared?: readonly object[]
      /** Ids of distributions that cannot be given as they are stored: the worker goes on with what it has of them. */
      readonly kept?: readonly string[]
      /** POPs and regional edge caches that are down; absent for none. */
      readonly down?: readonly string[]
      /** Absent for none. */
      readonly challenges?: readonly ChallengeDoc[]
      /** Those that distributions name; absent for none. */
      readonly webAcls?: readonly WebAclDoc[]
    }
  /** All changes after the revision the worker has, up to `revision`. May be empty of changes that concern the edge. */
  | {
      readonly type: 'changes'
      readonly revision: number
      readonly changes: readonly FeedChange[]
      readonly shared?: readonly object[]
    }
  /** The live workers of the POP, itself included; owners of keys are chosen among them. */
  | { readonly type: 'workers'; readonly workers: readonly WorkerIdentity[] }
  /** The movable clock; the worker answers `clock` when every later decision uses it. */
  | { readonly type: 'clock'; readonly offsetMs: number }
  | { readonly type: 'question'; readonly id: number; readonly question: Question }
  /** Stop accepting, finish what runs, exit 0. */
  | { readonly type: 'drain' }

export type FromWorker =
  /** First message; `revision` is that of the snapshot on its disk, -1 for none. */
  | { readonly type: 'hello'; readonly identity: WorkerIdentity; readonly revision: number }
  /** `failing`: origins whose newest request from this worker failed; absent for none. `silent` as with `acknowledge`. */
  | {
      readonly type: 'lease'
      readonly failing?: readonly FailingOrigin[]
      /** Absent while nobody attacks and nothing is shed. */
      readonly shield?: ShieldSeen
      readonly silent?: readonly SilentAddress[]
    }
  /** `silent`: dedicated addresses of that revision that the worker does not listen at; absent for none. */
  | { readonly type: 'acknowledge'; readonly revision: number; readonly silent?: readonly SilentAddress[] }
  | { readonly type: 'clock'; readonly offsetMs: number }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }

/** What control may ask a worker; the deadline of an answer is 2 s. */
export type Question =
  | { readonly kind: 'trace'; readonly traceId: string }
  | { readonly kind: 'counters' }
  /** A page of what is stored. `wanted` comes with the first page of a walk; the worker remembers it under `walk`. */
  | { readonly kind: 'objects'; readonly walk: string; readonly wanted: ObjectsWanted | null; readonly cursor: Cursor }
  /** What a GET for a URL would find, without asking for it. */
  | { readonly kind: 'object'; readonly request: ObjectRequest }
  | { readonly kind: 'storage' }
  /** Requests that a rule of a web ACL matched: at most `max` between two times (milliseconds since the epoch). */
  | {
      readonly kind: 'waf-samples'
      readonly webAcl: string
      readonly metric: string
      readonly from: number
      readonly to: number
      readonly max: number
    }
  /** Keys of a rate-based rule that are over the limit; `ids`: what the ids of its counters begin with. */
  | { readonly kind: 'waf-rate-keys'; readonly ids: string; readonly max: number }
  /** How often each rule did what. */
  | { readonly kind: 'waf-rules' }
  /** What became of requests to origins since the worker's start. */
  | { readonly kind: 'origins' }

export type Answer =
  | { readonly kind: 'trace'; readonly trace: unknown }
  | { readonly kind: 'counters'; readonly counters: Readonly<Record<string, number>> }
  | {
      readonly kind: 'objects'
      readonly objects: readonly SeenObject[]
      /** Objects that were looked at for this page. */
      readonly looked: number
      /** Null at the end. */
      readonly next: Cursor | null
    }
  | { readonly kind: 'object'; readonly found: FoundObject }
  | { readonly kind: 'storage'; readonly storage: StorageSeen }
  | { readonly kind: 'origins'; readonly origins: readonly OriginSeen[] }
  | { readonly kind: 'waf-samples'; readonly found: SamplesFound }
  | { readonly kind: 'waf-rate-keys'; readonly keys: readonly string[] }
  | { readonly kind: 'waf-rules'; readonly rules: readonly RuleCount[] }
  | { readonly kind: 'error'; readonly message: string }

/** What is wrong with an origin: it gave no usable answer, or one of its own that says so. */
export type OriginTrouble = OriginFailureKind | '5xx'

/** An origin of a distribution as a worker has found it. */
export interface OriginSeen {
  readonly distributionId: string
  readonly originId: string
  /** Requests; several attempts are one. */
  readonly requests: number
  /** Of these, after which the secondary of an origin group was asked. */
  readonly failovers: number
  readonly failures: Readonly<Partial<Record<OriginTrouble, number>>>
  /** The newest failure; `at` in ISO 8601, of the edge's (movable) clock. */
  readonly last: { readonly kind: OriginTrouble; readonly message: string; readonly at: string } | null
  /** The newest request failed. */
  readonly failing: boolean
}

/** Without the message: health is for everybody. */
export interface FailingOrigin {
  readonly distributionId: string
  readonly originId: string
  readonly kind: OriginTrouble
  /** ISO 8601. */
  readonly at: string
}

/** Whether a worker is attacked, or overloaded. */
export interface ShieldSeen {
  /** Null when there is none. */
  readonly attack: AttackSeen | null
  /** What is shed and why; null when nothing is. */
  readonly overload: { readonly sheds: 'refreshes' | 'misses'; readonly cause: LoadSignal } | null
}

/** A dedicated address that a worker cannot bind, and tries anew. */
export interface SilentAddress {
  readonly distributionId: string
  readonly address: string
  /** The system's word for why: EADDRINUSE, EADDRNOTAVAIL, EACCES. */
  readonly code: string
}

export interface ObjectsWanted {
  readonly distributionId: string
  /** How their paths begin; empty for all. */
  readonly prefix: string
  /** Only what these items would hit (a dry run); null for everything. */
  readonly invalidation: InvalidationDoc | null
}

/** Where a walk goes on; the numbers are the tier's own. */
export interface Cursor {
  readonly tier: 'memory' | 'disk'
  readonly at: number
}

/** An object as it lies in a worker's cache. */
export interface SeenObject {
  readonly key: string
  /** Name of the POP or regional edge cache whose object it is. */
  readonly place: string
  /** What invalidations are compared with. */
  readonly uri: string
  /** An answer, what leads to several (the variants of a key, the slices of a large object), or a part of an object. */
  readonly what: 'object' | 'variants' | 'slices' | 'part'
  readonly tiers: readonly ('memory' | 'disk')[]
  /** False for a copy of what another worker keeps for the same place. */
  readonly owned: boolean
  /** HTTP status; 0 for what leads to others. */
  readonly status: number
  /** Of key, head and body. */
  readonly bytes: number
  readonly ageSeconds: number
  /** Below 0 since it went stale. */
  readonly ttlSeconds: number
  /** What set its lifetime. */
  readonly ttlSource: string
  readonly standing: 'fresh' | 'stale' | 'softly-invalidated'
  readonly contentType: string
  readonly etag: string
  readonly tags: readonly string[]
  readonly variant: string
  /** Revision under which it was fetched. */
  readonly asOf: number
  /** Of a dry run: the items that hit it. */
  readonly items: readonly string[]
}

export interface ObjectRequest {
  /** Name of the POP or regional edge cache; absent for the first POP. */
  readonly place?: string
  readonly scheme: 'http' | 'https'
  /** Without port, lower case. */
  readonly host: string
  readonly path: string
  readonly query: string | null
  /** Name, value, name, value ... without Host. */
  readonly headers: readonly string[]
}

export interface FoundObject {
  /** Null when no distribution of this worker answers to the host. */
  readonly distributionId: string | null
  /** Pattern of the cache behavior. */
  readonly behavior: string
  /** Empty when the behavior caches nothing. */
  readonly key: string
  /** Name of the POP or regional edge cache that was asked. */
  readonly place: string
  /** Worker that keeps the key there. */
  readonly owner: string
  /** In memory. */
  readonly object: SeenObject | null
  readonly onDisk: boolean
  /** Other objects that it leads to: variants. */
  readonly leadsTo: readonly SeenObject[]
}

export interface StorageSeen {
  readonly tiers: readonly {
    readonly tier: 'memory' | 'disk'
    /** `open`, or why it is not used. */
    readonly state: string
    readonly objects: number
    readonly bytes: number
    readonly bytesMax: number
    /** Objects brought up from here for a request; null where that is not counted by itself. */
    readonly hits: number | null
    readonly evicted: number
  }[]
  readonly requests: {
    readonly hits: number
    readonly refreshHits: number
    readonly misses: number
    readonly errors: number
  }
  readonly stored: number
  readonly invalidations: {
    readonly revision: number
    readonly patterns: number
    readonly bytes: number
    readonly hits: number
  }
}
