//! What control and an edge worker say to each other over the feed (JSON lines on a Unix socket, 0600, in the home).
//! The worker connects; control numbers every change; the worker acknowledges a revision when it has swapped, every
//! later request uses it, and no fetch of an older revision can be stored past its invalidations.
import type { DistributionDoc, InvalidationDoc } from '../domain/distribution.ts'

/** A worker is live while it holds its lease: renewed each second, lasting five. Milliseconds. */
export const LEASE_RENEW_MS = 1_000
export const LEASE_MS = 5_000

export interface WorkerIdentity {
  /** `worker-0`, `worker-1`, ... unique in the installation. */
  readonly worker: string
  readonly pid: number
  /** Version of the program; control drains a worker of an older one. */
  readonly version: string
  /** Where viewers reach it: `address:port` of each POP it serves. */
  readonly pops: readonly { readonly name: string; readonly region: string; readonly http: string }[]
  /** Unix socket on which its peers ask it for the keys it owns. */
  readonly peerSocket: string
}

/** One numbered change. `distribution: null` means deleted. */
export type FeedChange =
  | { readonly kind: 'distribution'; readonly id: string; readonly distribution: DistributionDoc | null }
  | { readonly kind: 'invalidation'; readonly revision: number; readonly invalidation: InvalidationDoc }

export type ToWorker =
  /** Everything, after a first connect or when the log no longer reaches back: all cached objects count as invalidated. */
  | {
      readonly type: 'snapshot'
      readonly revision: number
      readonly distributions: readonly DistributionDoc[]
    }
  /** All changes after the revision the worker has, up to `revision`. May be empty of changes that concern the edge. */
  | { readonly type: 'changes'; readonly revision: number; readonly changes: readonly FeedChange[] }
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
  | { readonly type: 'lease' }
  | { readonly type: 'acknowledge'; readonly revision: number }
  | { readonly type: 'clock'; readonly offsetMs: number }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }

/** What control may ask a worker; the deadline of an answer is 2 s. */
export type Question =
  | { readonly kind: 'trace'; readonly traceId: string }
  | { readonly kind: 'counters' }
  | { readonly kind: 'cache'; readonly distributionId: string; readonly limit: number }

export type Answer =
  | { readonly kind: 'trace'; readonly trace: unknown }
  | { readonly kind: 'counters'; readonly counters: Readonly<Record<string, number>> }
  | {
      readonly kind: 'cache'
      readonly objects: readonly { key: string; bytes: number; ageSeconds: number; ttlSeconds: number }[]
    }
  | { readonly kind: 'error'; readonly message: string }
