//! Reads a running fetch for one viewer (or peer), at the viewer's own pace.
import type { OriginFailureKind } from '../../domain/outcomes.ts'
import type { BreakOff } from '../../domain/result-types.ts'
import type { Flight } from '../cache/flight.ts'
import type { ViewerReply } from '../listen/viewer.ts'
import type { Cutter } from './cutter.ts'

/** How a streamed answer ended. */
export type StreamEnd = 'complete' | BreakOff

/** An origin that is silent for too long is one thing, one that ends its answer in the middle another. */
export const breakOffOf = (kind: OriginFailureKind): BreakOff =>
  kind === 'read-timeout' || kind === 'completion-timeout' ? 'OriginCommError' : 'AbortedOrigin'

/**
 * Sends every byte of the flight's body, or what `cutter` takes out of it; resolves when that is done, the viewer has
 * left or was too slow for what is held for it, or the origin broke off. Trailers follow when `trailers` says so.
 */
export function streamBody(
  flight: Flight,
  reply: ViewerReply,
  cutter: Cutter | null = null,
  trailers = false,
): Promise<StreamEnd> {
  return new Promise((resolve) => {
    const reader = {
      at: 0,
      wake: () => pump(),
      cut: () => {
        reply.abort()
        finish('SlowReaderOriginError')
      },
    }
    let blocked = false
    let over = false
    const finish = (end: StreamEnd): void => {
      if (over) return
      over = true
      flight.stopReading(reader)
      reply.onDrain = null
      reply.onAbort = null
      resolve(end)
    }
    const pump = (): void => {
      if (over || blocked) return
      if (reply.gone) {
        finish('ClientCommError')
        return
      }
      for (let chunk = flight.chunk(reader.at); chunk !== undefined; chunk = flight.chunk(reader.at)) {
        reader.at++
        const flowing = cutter === null ? reply.write(chunk) : writePieces(reply, cutter.take(chunk))
        if (cutter?.done === true) {
          reply.end()
          finish('complete')
          return
        }
        if (!flowing) {
          blocked = true
          flight.progressed()
          return
        }
      }
      flight.progressed()
      if (flight.hasHad(reader.at)) {
        // Too slow: what it has not had is no longer to be had.
        reader.cut()
      } else if (flight.ended) {
        reply.end(trailers ? flight.trailers : [])
        finish('complete')
      } else if (flight.failure !== null) {
        // The only honest end of a body that the origin did not finish.
        reply.abort(flight.failure.cancelled)
        finish(flight.isPaused ? 'SlowReaderOriginError' : breakOffOf(flight.failure.kind))
      }
    }
    reply.onDrain = () => {
      blocked = false
      pump()
    }
    reply.onAbort = () => finish('ClientCommError')
    flight.read(reader)
    pump()
  })
}

/** The pieces of one chunk go out together; false when the viewer is behind. */
function writePieces(reply: ViewerReply, pieces: readonly Uint8Array[]): boolean {
  let flowing = true
  for (const piece of pieces) flowing = reply.write(piece)
  return flowing
}
