//! What the origin's head means: a new answer, the stored one confirmed (304), or a reason to serve the stored one on.
import type { NotStoredReason } from '../../domain/outcomes.ts'
import type { Flight } from '../cache/flight.ts'
import type { StoredObject } from '../cache/object.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { type AnswerContext, answerOf, refreshedAnswer } from '../origin/answer.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const originResponse = stage({
  name: to.originResponse,
  next: [to.cacheStore, to.deliver, to.serveStale],
  run(x, edge) {
    const flight = x.flight as Flight
    const context: AnswerContext = {
      behavior: x.behavior as BehaviorPlan,
      method: x.request.method,
      refused: x.cacheable ? null : (x.notStored as NotStoredReason),
      now: edge.clock.now(),
      asOf: flight.asOf,
      via: `1.1 ${edge.pop.via}`,
      date: edge.date(),
      objectBytesMax: edge.store.objectBytesMax,
    }
    const { stale } = x
    if (stale !== null && flight.status === 304) {
      x.object = refresh(x, edge, stale, context)
      x.result = x.detailed = 'RefreshHit'
      flight.decide('look-again')
      return to.deliver
    }
    if (stale !== null && flight.status >= 500 && context.now < stale.staleUntil) {
      flight.stopKeeping()
      return to.serveStale
    }
    x.answer = answerOf(flight, context)
    x.result = x.detailed = flight.status >= 400 ? 'Error' : 'Miss'
    if (flight.status >= 500) x.detailed = 'Error'
    return to.cacheStore
  },
})

/** Stores the confirmed object with its new headers and lifetime; its bytes are the same. */
function refresh(x: Exchange, edge: Edge, stale: StoredObject, context: AnswerContext): StoredObject {
  const answer = refreshedAnswer(stale, x.flight as Flight, context)
  x.answer = answer
  x.notStored = answer.notStored
  const meta = { ...answer, distributionId: stale.distributionId, uri: stale.uri }
  // The old object is held by this request, so that putting the new one cannot overwrite the bytes it is copied from.
  const stored = answer.notStored === null ? edge.store.put(x.key, meta, [stale.body]) : null
  return stored ?? stale
}
