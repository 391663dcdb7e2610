//! Keeps what another worker hands over (hand-over.ts): a fetch of a key that this worker owns, whose bytes come from there.
import type { Socket } from 'node:net'
import { NOWHERE } from '../../domain/viewer.ts'
import type { Flight } from '../cache/flight.ts'
import { cacheKey } from '../cache/key.ts'
import type { Edge } from '../edge.ts'
import { Exchange } from '../exchange.ts'
import { type HandlerOptions, runInner } from '../handler.ts'
import type { ViewerRequest } from '../listen/viewer.ts'
import { NobodyReads } from '../nobody-reads.ts'
import { OriginFailure } from '../origin/failure.ts'
import { behaviorOf } from '../snapshot/snapshot.ts'
import { to } from '../stage.ts'
import { AnswerParser } from './answer-parser.ts'
import { BEGUN } from './hand-over.ts'
import type { PeerQuestion } from './protocol.ts'

/** `rest` is what has come behind the question. */
export function takeOver(
  request: ViewerRequest,
  question: PeerQuestion,
  rest: Buffer,
  socket: Socket,
  edge: Edge,
  handling: HandlerOptions,
): void {
  // Without the configuration that it was got under nobody knows where it belongs.
  const plan =
    edge.snapshot.revision < question.revision ? undefined : edge.snapshot.distributions.get(question.distributionId)
  const place = edge.places.named(question.place, question.layer)
  if (plan === undefined || place === undefined) return void socket.destroy()
  let flight: Flight | null = null
  const parser = new AnswerParser({
    early: () => {},
    head: (head) => {
      if (head.kind !== 'answer') return void socket.destroy()
      const behavior = behaviorOf(plan, question.path)
      const viewer = { ...question, location: question.location ?? NOWHERE }
      const key = cacheKey(place.keyPrefix, behavior.key, question.path, request, viewer)
      const begun = edge.flights.begin(key, head.answer.asOf)
      flight = begun
      begun.source = {
        pause: () => socket.pause(),
        resume: () => socket.resume(),
        abort: () => socket.destroy(),
      }
      begun.onHead(head.answer.status, '', [])
      const reply = new NobodyReads(() => begun.keeps)
      const x = new Exchange(request, reply, edge.snapshot, place, null, 'handed-over')
      x.distribution = plan
      x.behavior = behavior
      x.key = key
      x.flight = begun
      x.answer = head.answer
      x.path = question.path
      x.requestId = question.requestId
      x.cacheable = x.leads = true
      void runInner(x, to.cacheStore, edge, handling)
      socket.write(BEGUN)
    },
    data: (chunk) => flight?.onData(chunk),
    end: () => {
      flight?.onEnd()
      socket.destroySoon()
    },
  })
  const read = (bytes: Buffer): void => {
    if (!parser.read(bytes)) socket.destroy()
  }
  socket.on('data', read)
  socket.once('close', () => flight?.onFailure(new OriginFailure('reset', 'the worker that handed it over broke off')))
  if (rest.length > 0) read(rest)
}
