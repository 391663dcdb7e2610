//! Refreshing behind the viewer's back: a stale object was served, and the edge asks for its successor by itself, one
//! fetch for a key at a time (RFC 5861 3, spec/cloudfront.md 5.2). It is a request like any other from cache-wait on:
//! it joins the fetch that is under way, asks the owner of the key, revalidates, stores; only that nobody reads the
//! answer. In a POP of several workers the owner alone asks the origin: a peer that refreshes its copy waits for the
//! owner's refresh, and is never served what it has already.
import type { NotStoredReason, RefreshOutcome } from '../domain/outcomes.ts'
import { errorMinTtlMs } from './cache/failures.ts'
import { isSameAnswer } from './cache/finding.ts'
import type { StoredObject } from './cache/object.ts'
import { RememberedKeys } from './cache/remembered-keys.ts'
import type { Edge, RefreshBehind } from './edge.ts'
import { Exchange } from './exchange.ts'
import type { ViewerReply, ViewerRequest } from './listen/viewer.ts'
import { NobodyReads } from './nobody-reads.ts'
import { OF_ONE_DELIVERY, ownRequest } from './own-request.ts'
import type { BehaviorPlan } from './snapshot/snapshot.ts'

/** Refreshes of one worker under way at a time. Over it a stale object is fetched as if it could not be served. */
export const REFRESHES_MAX = 256

/** Walks an exchange of the edge's own from cache-wait to its end; resolves then, whatever happened. Never rejects. */
export type RunRefresh = (x: Exchange) => Promise<void>

export class Refreshes implements RefreshBehind {
  readonly #run: RunRefresh
  readonly #max: number
  readonly #underWay = new Set<string>()
  /** Clock.now() until which a key is left alone. */
  readonly #backOff = new RememberedKeys<number>()

  constructor(run: RunRefresh, max = REFRESHES_MAX) {
    this.#run = run
    this.#max = max
  }

  /** Refreshes that run now. */
  get size(): number {
    return this.#underWay.size
  }

  /**
   * Has `object`, which `x` found under its key, refreshed; returns at once. The fetch begins when the caller's own turn
   * is over, so that the stale answer is on its way first.
   */
  begin(x: Exchange, edge: Edge, object: StoredObject): RefreshOutcome {
    const { key } = x
    if (this.#underWay.has(key) || edge.flights.of(key) !== undefined) return 'under-way'
    if (this.backsOff(key, edge.clock.now())) return 'backing-off'
    if (this.#underWay.size >= this.#max) return 'too-many'
    if (edge.shield.sheds('refresh', (x.behavior as BehaviorPlan).origin.named) !== null) return 'shed'
    this.#underWay.add(key)
    const inner = refreshOf(x, edge, object)
    queueMicrotask(() => {
      this.#run(inner).then(() => {
        this.#underWay.delete(key)
        this.#settle(inner, edge, object)
      })
    })
    return 'begun'
  }

  backsOff(key: string, now: number): boolean {
    const until = this.#backOff.get(key)
    if (until === undefined) return false
    if (now < until) return true
    this.#backOff.delete(key)
    return false
  }

  #settle(inner: Exchange, edge: Edge, object: StoredObject): void {
    const { key } = object
    const current = edge.store.get(key)
    if (current === null || !isSameAnswer(current, object)) {
      this.#backOff.delete(key)
      return
    }
    // Strict mode: the successor is another variant, which is the newest from now on.
    if (inner.key !== key) return
    // The origin has another answer, and it is not for the cache: what is there is no longer what the origin has.
    const { answer, notStored } = inner
    if (answer !== null && answer.status < 500 && notStored !== null && !OF_THE_MOMENT.has(notStored)) {
      edge.store.delete(key)
      return
    }
    const { errorMinTtls } = inner.behavior as BehaviorPlan
    this.#backOff.set(key, edge.clock.now() + errorMinTtlMs(errorMinTtls, failedWith(inner)))
  }
}

/** Not kept for reasons that say nothing of the object: memory, or an error that the viewer's own fields may have caused. */
const OF_THE_MOMENT: ReadonlySet<NotStoredReason> = new Set(['memory-short', 'unkeyed-headers'])

/** Status that the failure of a refresh counts as. */
function failedWith({ flight, fault }: Exchange): number {
  if (fault !== null) return fault.status
  return flight !== null && flight.status >= 500 ? flight.status : 502
}

/** The exchange that asks for the successor of `object`; it knows what `x` knew when it looked into the cache. */
function refreshOf(x: Exchange, edge: Edge, object: StoredObject): Exchange {
  const reply: ViewerReply = new NobodyReads(() => inner.flight === null || inner.flight.keeps)
  const inner = new Exchange(wholeRequest(x.request), reply, x.snapshot, x.place, null, 'refresh')
  inner.requestId = edge.ids.next()
  inner.speaksFor(x)
  inner.distribution = x.distribution
  inner.behavior = x.behavior
  inner.path = x.path
  inner.cacheable = true
  inner.key = x.key
  inner.indexKey = x.indexKey
  inner.missReason = 'expired'
  object.hold()
  inner.stale = object
  return inner
}

const LEFT_OUT: ReadonlySet<string> = new Set(OF_ONE_DELIVERY)

function wholeRequest(request: ViewerRequest): ViewerRequest {
  const { path, query, errorOf } = request
  const method = request.method === 'HEAD' ? 'GET' : request.method
  return ownRequest(request, { method, path, query, errorOf }, LEFT_OUT)
}
