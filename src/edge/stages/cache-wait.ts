//! Joins the fetch of the same key that is under way, or leads a new one (spec/cloudfront.md 5.7). No request joins a
//! fetch that began before an invalidation which the request already knows.
import { asOfNow } from '../cache/as-of.ts'
import { mayStandIn } from '../cache/finding.ts'
import { type Answer, Flight } from '../cache/flight.ts'
import { invalidationUri } from '../cache/key.ts'
import { capacityFault } from '../capacity.ts'
import type { Exchange } from '../exchange.ts'
import { explainAlone } from '../explain-policies.ts'
import { left, unlessLeft } from '../leaving.ts'
import { ORIGIN_FAILURES } from '../origin/failure.ts'
import { loopCount, loops } from '../origin/forward.ts'
import { rangeKey, rangeToForward } from '../parts.ts'
import { admits } from '../snapshot/name-rule.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'
import { lookAgain, mayShare } from '../variant-choice.ts'

/** A request that was sent back to the cache this often goes to the origin for itself. */
const JOINS_MAX = 3

export const cacheWait = stage({
  name: to.cacheWait,
  next: [to.admitMiss, to.serveStale, to.cacheLookup, to.deliver, to.errorPage, to.record],
  run(x, edge) {
    const behavior = x.behavior as BehaviorPlan
    x.forwardedRange = rangeToForward(x)
    const key = x.forwardedRange === null ? x.key : rangeKey(x.key, x.forwardedRange)
    const uri = invalidationUri(behavior.key, x.path, x.request.query)
    const asOf = asOfNow(edge)
    x.leads = true
    const alone = whyAlone(x, behavior) ?? (edge.flights.isUnshared(key) ? 'unshared-before' : null)
    if (alone !== null) {
      x.watcher?.note('alone', alone)
      if (alone === 'cookies-forwarded') explainAlone(x, behavior)
      if (edge.flights.isUnshared(key)) x.peer?.alone?.()
      x.flight = new Flight(key, asOf)
      return to.admitMiss
    }
    const running = edge.flights.of(key)
    if (
      running === undefined ||
      !running.keeps ||
      // Before the head is here nobody knows which tags the answer will have.
      edge.invalidations.standing({
        distributionId: behavior.key.distributionId,
        uri,
        tags: running.answer?.tags ?? null,
        asOf: running.asOf,
      }) !== 'valid'
    ) {
      x.flight = edge.flights.begin(key, asOf)
      return to.admitMiss
    }
    x.leads = false
    running.join()
    x.flightsJoined++
    x.flight = running
    return unlessLeft(x, running, running.whenDecided).then((verdict) => {
      switch (verdict) {
        case 'left':
          return left(x)
        case 'shared':
          if (!mayShare(x, running.answer as Answer)) {
            running.leave()
            x.flight = null
            lookAgain(x)
            return to.cacheLookup
          }
          x.answer = asStored(running.answer as Answer)
          x.result = x.detailed = 'Hit'
          x.tier = 'collapsed'
          return to.deliver
        case 'failed': {
          const kind = running.failure?.kind ?? 'reset'
          x.fault = { ...ORIGIN_FAILURES[kind], origin: kind }
          return to.errorPage
        }
        case 'shed':
          if (x.stale !== null && mayStandIn(x.stale, edge.clock.now())) {
            x.staleReason = 'shed'
            return to.serveStale
          }
          x.fault = capacityFault()
          return to.errorPage
        case 'look-again':
          running.leave()
          x.flight = null
          lookAgain(x)
          return to.cacheLookup
        case 'alone':
          running.leave()
          x.peer?.alone?.()
          x.leads = true
          x.flight = new Flight(key, asOfNow(edge))
          return to.admitMiss
      }
    })
  },
})

/** Why a request shares no fetch, whatever its key; null when it may. */
function whyAlone(x: Exchange, behavior: BehaviorPlan): string | null {
  if (x.request.method === 'HEAD') return 'head'
  // It will be refused, and nobody else is to be refused with it.
  if (loops(x.request.headers)) return 'loop'
  // A distribution that comes back to itself: the fetch of the same key under way may be the one that waits for this request.
  if (loopCount(x.request.headers) > 0 && mayAskItself(x, behavior)) return 'loop'
  // CloudFront's rule (spec 5.7). To the RFCs cookies select nothing: what may be kept for others may be shared with them.
  if (!behavior.strict && behavior.forward.cookies.kind !== 'none') return 'cookies-forwarded'
  return x.flightsJoined >= JOINS_MAX ? 'joined-in-vain' : null
}

/**
 * Itself is one that it names as an origin, one whose policy sends requests on to it (continuous deployment), or whoever
 * has the viewer's Host, when that is sent to another distribution.
 */
function mayAskItself({ snapshot, distribution }: Exchange, behavior: BehaviorPlan): boolean {
  const { failover } = behavior
  return (failover === null ? [behavior] : [behavior, failover.secondary]).some(({ origin, forward }) => {
    const behind = snapshot.exactHosts.get(origin.named.toLowerCase())
    if (behind === undefined) return false
    return behind === distribution || behind.staging?.stagingId === distribution?.id || admits(forward.headers, 'host')
  })
}

/** For those who read along: without the fields that were meant for the one who fetched it. */
function asStored(answer: Answer): Answer {
  if (answer.leaderHead === undefined) return answer
  const { leaderHead: _, ...stored } = answer
  return stored
}
