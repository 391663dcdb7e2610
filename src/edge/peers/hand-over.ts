//! An answer that this worker got and another one is to keep: that to a POST which later GETs may have, in strict mode
//! (stages/purge.ts). The worker that owns the key begins a fetch of it, whose bytes come from here; from then on whoever
//! asks for the key joins that fetch. One connection for each: the question as a line, then the answer in the frames of
//! peers/protocol.ts; the owner says in a line that it has begun, before anybody has a byte of the body.
//! The owner's end: take-over.ts.
import { connect } from 'node:net'
import type { Answer, Flight } from '../cache/flight.ts'
import { streamBody } from '../delivery/stream.ts'
import type { Exchange } from '../exchange.ts'
import type { WorkerIdentity } from '../feed-protocol.ts'
import { OF_ONE_DELIVERY } from '../own-request.ts'
import { questionOf } from './client.ts'
import { PeerReply } from './peer-reply.ts'
import type { PeerQuestion } from './protocol.ts'

/** An owner that has not begun by then is dead or frozen; the viewer's answer waits no longer. Milliseconds. */
const BEGIN_MS_MAX = 1_000
/** What the owner says then. */
export const BEGUN = 'begun\n'

export interface HandOverQuestion {
  /** As a GET would ask, with the default root object put in. */
  readonly handOver: PeerQuestion
}

export const isHandOver = (question: object): question is HandOverQuestion => 'handOver' in question

/**
 * Hands the answer over, and the body of its flight as it arrives. True when the owner has begun to keep it: then the
 * flight goes on to its end, also without its viewer.
 */
export function handOver(owner: WorkerIdentity, x: Exchange, answer: Answer): Promise<boolean> {
  const flight = x.flight as Flight
  if (!flight.keeps) return Promise.resolve(false)
  const { leaderHead: _, ...stored } = answer
  return new Promise((resolve) => {
    const socket = connect(owner.peerSocket)
    const reply = new PeerReply(socket, true)
    socket.on('error', () => {})
    socket.on('close', () => resolve(false))
    socket.setTimeout(BEGIN_MS_MAX, () => socket.destroy())
    socket.once('data', () => {
      socket.setTimeout(0)
      flight.join()
      streamBody(flight, reply).then(() => {
        flight.leave()
        socket.destroySoon()
      })
      resolve(true)
    })
    socket.write(`${JSON.stringify({ handOver: asGet(x) } satisfies HandOverQuestion)}\n`)
    reply.announce(stored, { result: 'Miss', layer: x.layer, upstream: null, trace: null })
  })
}

const LEFT_OUT: ReadonlySet<string> = new Set(OF_ONE_DELIVERY)

function asGet(x: Exchange): PeerQuestion {
  const { raw } = x.request.headers
  const rawHeaders = raw.filter((_, at) => !LEFT_OUT.has((raw[at - (at % 2)] as string).toLowerCase()))
  return { ...questionOf(x, x.place), method: 'GET', path: x.path, rawHeaders }
}
