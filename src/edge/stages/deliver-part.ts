//! A part of the object is here (cache/parts.ts). A request for bytes within it is answered from it; any other goes on to
//! the origin, and takes the part along as the beginning of what it gets, if it is one.

import { type ByteRange, rangeLength } from '../../http/range.ts'
import type { StoredObject } from '../cache/object.ts'
import { bytesOfPart, holds, type PartPlace, placeOfPart } from '../cache/parts.ts'
import { capacityFault } from '../capacity.ts'
import { answerOfObject } from '../delivery/as-answer.ts'
import { choose } from '../delivery/choice.ts'
import { Cutter } from '../delivery/cutter.ts'
import { partHead, partialHead } from '../delivery/heads.ts'
import { bodiless, partOf } from '../delivery/selected.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { toldOf } from '../explain.ts'
import { leaveFlight } from '../leaving.ts'
import { ORIGIN_FAILURES } from '../origin/failure.ts'
import { stage, to } from '../stage.ts'

export const deliverPart = stage({
  name: to.deliverPart,
  next: [to.record, to.errorPage, to.cacheWait],
  run(x, edge) {
    const object = x.object as StoredObject
    if (x.inner !== null && x.peer === null) {
      // A refresh has what it came for.
      x.reply.whole('', null, null)
      return to.record
    }
    const { selection } = x.facts
    const place = placeOfPart(object)
    if (selection !== null && x.page === null) {
      const choice = choose(x.request.method, selection, { ...object, status: 200 }, place.length, edge.clock.now())
      if (choice.kind === 'parts' && holds(place, choice.ranges)) {
        if (x.peer === null) return send(x, edge, object, place, choice.ranges)
        const [only, another] = choice.ranges
        if (only !== undefined && another === undefined) return tell(x, edge, object, place, only)
      } else if (x.peer === null && (choice.kind === 'not-modified' || choice.kind === 'unsatisfiable')) {
        x.firstByteAt = edge.clock.monotonic()
        return bodiless(x, edge, choice, object, place.length)
      }
    }
    return goOn(x, object)
  },
})

function send(x: Exchange, edge: Edge, object: StoredObject, place: PartPlace, ranges: readonly ByteRange[]) {
  x.firstByteAt = edge.clock.monotonic()
  x.contentType = object.contentType
  const part = partOf(x, ranges, place.length, object.contentType)
  const cutter = new Cutter(part.pieces)
  cutter.skipTo(place.first)
  // A copy: the memory of the part may be used anew when a later one is joined to it.
  x.reply.whole(partialHead(x, edge, object, part), Buffer.concat(cutter.take(bytesOfPart(object))), null)
  return to.record
}

/** To a peer, as the origin would answer the same range. */
function tell(x: Exchange, edge: Edge, object: StoredObject, place: PartPlace, range: ByteRange) {
  x.status = 206
  x.firstByteAt = edge.clock.monotonic()
  const length = rangeLength(range)
  const from = range.first - place.first
  x.peer?.announce(
    { ...answerOfObject(object), status: 206, head: partHead(object.head, range, place.length), length },
    toldOf(x, edge),
  )
  x.reply.whole('', Buffer.from(bytesOfPart(object).subarray(from, from + length)), null)
  return to.record
}

/** The origin is asked, with the part at hand. */
function goOn(x: Exchange, object: StoredObject): typeof to.cacheWait | typeof to.errorPage {
  if (x.staleReason === 'shed') {
    x.fault = capacityFault()
    return to.errorPage
  }
  if (x.staleReason === 'origin-failed') {
    x.fault = { ...ORIGIN_FAILURES.reset, origin: 'reset' }
    return to.errorPage
  }
  if (x.flight !== null) {
    leaveFlight(x)
    x.flight = null
  }
  x.stale?.release()
  object.hold()
  x.part?.release()
  x.part = object
  x.object = x.stale = x.answer = null
  x.leads = false
  x.staleReason = null
  x.result = x.detailed = 'Miss'
  x.tier = 'edge'
  x.layer = x.place.layer
  x.missReason = 'absent'
  return to.cacheWait
}
