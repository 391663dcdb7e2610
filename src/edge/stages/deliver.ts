//! Sends the answer: a stored object in one write, a running fetch as its bytes arrive; or what the viewer's conditions
//! and range make of it (delivery/selected.ts).
import type { Answer, Flight } from '../cache/flight.ts'
import { INDEX, type StoredObject } from '../cache/object.ts'
import { pageFor, showAsPage } from '../custom-error.ts'
import { answerOfObject } from '../delivery/as-answer.ts'
import { hitHead, streamHead } from '../delivery/heads.ts'
import { noteOriginPart, selectFromFlight, selectFromObject } from '../delivery/selected.ts'
import { streamBody } from '../delivery/stream.ts'
import { passesTrailers } from '../delivery/trailing.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { toldOf } from '../explain.ts'
import { left } from '../leaving.ts'
import { ORIGIN_FAILURES } from '../origin/failure.ts'
import { stage, to } from '../stage.ts'

export const deliver = stage({
  name: to.deliver,
  next: [to.deliverSlices, to.deliverPart, to.record, to.errorPage, to.customError],
  run(x, edge) {
    if (x.object !== null) {
      if (x.object.status < 100) return x.object.status === INDEX.slices ? to.deliverSlices : to.deliverPart
      if (x.object.status >= 400 && pageFor(x, x.object.status) !== null) return to.customError
      const { selection } = x.facts
      // A peer gets all of it, and selects for its viewer.
      if (selection !== null && x.peer === null) {
        const next = selectFromObject(x, edge, x.object, selection)
        if (next !== null) return next
      }
      sendObject(x, edge, x.object)
      return to.record
    }
    const flight = x.flight as Flight
    if (flight.abandoned) return left(x)
    if (flight.failure !== null) {
      x.fault = { ...ORIGIN_FAILURES[flight.failure.kind], origin: flight.failure.kind }
      return to.errorPage
    }
    const answer = x.answer as Answer
    if (answer.status >= 400 && pageFor(x, answer.status) !== null) return to.customError
    const { selection } = x.facts
    // What the cache has no say in passes as the origin has it.
    if (selection !== null && x.peer === null && x.key !== '') {
      const next = selectFromFlight(x, edge, flight, answer, selection)
      if (next !== null) return next
    }
    return sendFlight(x, edge, flight, answer)
  },
})

function sendObject(x: Exchange, edge: Edge, object: StoredObject): void {
  const { reply } = x
  if (object.status >= 400) x.result = x.detailed = 'Error'
  x.firstByteAt = edge.clock.monotonic()
  x.contentType = object.contentType
  x.contentLength = object.body.length
  x.status = object.status
  if (x.page !== null) showAsPage(x, x.page)
  x.peer?.announce(answerOfObject(object), toldOf(x, edge))
  object.hold()
  const body = x.request.method === 'HEAD' ? null : object.body
  const { text, parts } = hitHead(x, edge, object)
  reply.whole(text, body, object.release, parts)
}

function sendFlight(x: Exchange, edge: Edge, flight: Flight, answer: Answer) {
  const { reply, request } = x
  x.status = answer.status
  if (answer.status >= 400 && x.result !== 'Error') x.result = x.detailed = 'Error'
  if (x.page !== null) showAsPage(x, x.page)
  x.contentType = answer.contentType
  x.contentLength = answer.length ?? -1
  x.firstByteAt = edge.clock.monotonic()
  if (answer.status === 206) noteOriginPart(x, answer.head)
  x.peer?.announce(answer, toldOf(x, edge))
  const { text, framing } = streamHead(x, edge, answer)
  const bodiless = request.method === 'HEAD' || answer.status === 204 || answer.status === 304
  const only = flight.ended && flight.chunk(1) === undefined
  // gRPC's Trailers-Only: a head that ends the answer, which a client takes for nothing else.
  const headOnly = x.grpc && flight.ended && flight.bytes === 0 && flight.trailers.length === 0
  if (bodiless || headOnly || (only && framing === 'length')) {
    reply.whole(text, bodiless ? null : (flight.chunk(0) ?? null), null)
    return to.record
  }
  reply.head(text, framing)
  return streamBody(flight, reply, null, framing === 'chunked' && passesTrailers(x)).then((end) => {
    if (end !== 'complete') x.brokeOff = end
    return to.record
  })
}
