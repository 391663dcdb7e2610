//! Keeps the answer when its last byte is here, and tells those who wait whether they may read along.
import { isSameAnswer } from '../cache/finding.ts'
import type { Answer, Flight, Keep } from '../cache/flight.ts'
import type { Lender } from '../cache/flight-body.ts'
import { invalidationUri } from '../cache/key.ts'
import type { StoredObject } from '../cache/object.ts'
import { INDEX } from '../cache/object.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { isAsAsked, keepPart, rangeKey } from '../parts.ts'
import { takeOverIndex } from '../slicing.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'
import { placeAnswer } from '../variant-choice.ts'

export const cacheStore = stage({
  name: to.cacheStore,
  next: [to.deliver],
  run(x, edge) {
    const flight = x.flight as Flight
    if ((x.answer as Answer).status === INDEX.slices) return takeOver(x, edge, flight, x.answer as Answer)
    const ranged = x.forwardedRange !== null && flight.key === rangeKey(x.key, x.forwardedRange)
    // An owner's answer to HEAD describes a kept object and has no body: it is no object of ours.
    const head = x.request.method === 'HEAD'
    const answer = head ? (x.answer as Answer) : placed(x, edge, flight, x.answer as Answer)
    flight.answer = x.answer = answer
    x.notStored = answer.notStored
    if (!x.cacheable || head || answer.notStored !== null) {
      flight.stopKeeping()
      if (x.cacheable && !head) edge.flights.unshare(flight)
      if (answer.notStored === 'over-object-limit') edge.flights.outgrow(x.key)
      flight.decide('alone')
      return to.deliver
    }
    keepWhenComplete(x, edge, flight, answer)
    if (isPart(x, answer)) {
      // For those who asked for the very same part.
      if (!ranged) edge.flights.close(flight)
      flight.decide(ranged && flight.keeps && isAsAsked(x, answer) ? 'shared' : 'alone')
    } else if (!flight.keeps) {
      flight.decide('alone')
    } else if (Math.max(answer.freshUntil, answer.swrUntil) > edge.clock.now()) {
      edge.flights.share(x.key)
      flight.decide('shared')
    } else {
      // Kept for revalidation only: every request asks the origin for itself (spec 5.7).
      edge.flights.unshare(flight)
      flight.decide('alone')
    }
    return to.deliver
  },
})

/** The owner has a large object: its index is kept here too, the bytes are asked for slice by slice. */
async function takeOver(x: Exchange, edge: Edge, flight: Flight, answer: Answer): Promise<typeof to.deliver> {
  x.object = await takeOverIndex(x, edge, flight, answer)
  // Without it the flight has failed: deliver tells.
  return to.deliver
}

/** Strict mode: an answer with Vary is a variant, and its fetch is one for that variant from here on. */
function placed(x: Exchange, edge: Edge, flight: Flight, answer: Answer): Answer {
  if (!(x.behavior as BehaviorPlan).strict || !x.cacheable || answer.notStored !== null) return answer
  const asked = x.key
  const own = placeAnswer(x, edge, answer)
  if (x.key !== asked && x.forwardedRange === null) {
    edge.flights.share(asked)
    edge.flights.move(flight, x.key)
  }
  return own
}

/** A slice is an object of its own. */
const isPart = (x: Exchange, answer: Answer): boolean => answer.status === 206 && x.slice === null

function keepWhenComplete(x: Exchange, edge: Edge, flight: Flight, answer: Answer): void {
  const { key: recipe } = x.behavior as BehaviorPlan
  // By the end of the body the exchange may be about a custom error page.
  const { key } = x
  const part = isPart(x, answer)
  const uri = invalidationUri(recipe, x.path, x.request.query)
  const keep: Keep = (chunks) => {
    if (edge.invalidations.isDead(recipe.distributionId, uri, answer.asOf, answer.tags)) return null
    const newer = edge.store.get(key)
    if (newer !== null && newer.asOf > answer.asOf) return null
    if (part) {
      keepPart(edge, key, answer, { distributionId: recipe.distributionId, uri }, chunks)
      return null
    }
    const stored = edge.store.put(key, { ...answer, distributionId: recipe.distributionId, uri }, chunks)
    if (stored === null) return null
    if (flight.owedCoding !== null) edge.compressions.owe(edge.store, stored, flight.owedCoding)
    return lenderOf(edge, stored)
  }
  flight.keepUpTo(edge.store.objectBytesMax, keep, (why) => {
    if (x.flight === flight) x.notStored = why
    if (why === 'memory-short') return edge.flights.close(flight)
    edge.flights.unshare(flight)
    edge.flights.outgrow(key)
  })
}

/** Lends bytes of the object as long as it is in the store; copies, for nothing is held there. */
const lenderOf = (edge: Edge, { key, bornAt, asOf, body }: StoredObject): Lender => {
  const { length } = body
  return (from, to) => {
    const now = edge.store.get(key)
    if (now === null || !isSameAnswer(now, { bornAt, asOf }) || now.body.length !== length) return null
    return Buffer.from(now.body.subarray(from, to))
  }
}
