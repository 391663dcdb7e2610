//! How the workers of a POP agree on an invalidation of their own (stages/purge.ts): over the peers' sockets, one JSON
//! line as the question, one as the answer. First each says how far its history has come, then all invalidate at a point
//! after the furthest; so every object that any of them had fetched before is older, wherever its copies lie.
import { connect } from 'node:net'
import { asOfNow, nextAfter } from '../cache/as-of.ts'
import type { Edge } from '../edge.ts'
import type { WorkerIdentity } from '../feed-protocol.ts'

/** A worker that has not answered by then is dead or frozen; the viewer's answer waits no longer. Milliseconds. */
const ANSWER_MS_MAX = 1_000
/** Bytes of an answer. */
const ANSWER_BYTES_MAX = 1_000

export type PurgeQuestion =
  | { readonly purge: 'how-far' }
  | {
      readonly purge: 'invalidate'
      readonly distributionId: string
      /** As ObjectMeta.uri has them. */
      readonly uris: readonly string[]
      readonly asOf: number
    }

/** The point that the worker's history has come to, after what was asked for. */
interface PurgeAnswer {
  readonly asOf: number
}

export const isPurge = (question: object): question is PurgeQuestion => 'purge' in question

/** The peer's end. */
export async function answerPurge(question: PurgeQuestion, edge: Edge): Promise<string> {
  if (question.purge === 'invalidate') await invalidate(question.distributionId, question.uris, question.asOf, edge)
  return `${JSON.stringify({ asOf: asOfNow(edge) } satisfies PurgeAnswer)}\n`
}

/**
 * Invalidates at every worker of the POP whatever was fetched before now, and on their disks; resolves with the point from
 * which on fetches count. A worker that does not answer in time has the question in its socket: it invalidates when it
 * goes on. One that is not there reads of it in the journals of the others when it starts (cache/disk/siblings.ts).
 */
export async function purgeEverywhere(distributionId: string, uris: readonly string[], edge: Edge): Promise<number> {
  // Also those that are not live as far as control has told: one may be on its way back, or have lost its feed only.
  const peers = [...edge.met.values()].filter((worker) => worker.worker !== edge.name)
  const far = await Promise.all(peers.map((peer) => ask(peer, { purge: 'how-far' })))
  const asOf = nextAfter(Math.max(asOfNow(edge), ...far.map((point) => point ?? 0)))
  const [own] = await Promise.all([
    invalidate(distributionId, uris, asOf, edge),
    ...peers.map((peer) => ask(peer, { purge: 'invalidate', distributionId, uris, asOf })),
  ])
  return own
}

/** Not before what this worker knows itself: one that did not answer the first question is asked the second all the same. */
async function invalidate(distributionId: string, uris: readonly string[], asOf: number, edge: Edge): Promise<number> {
  const known = asOfNow(edge)
  const point = asOf > known ? asOf : nextAfter(known)
  for (const uri of uris) edge.invalidations.addExact(distributionId, uri, point)
  // The disk tier begins to write when this turn is over (cache/disk/invalidation-keeper.ts).
  await null
  await edge.disk.settled()
  return point
}

/** Null when there is no answer. */
function ask(peer: WorkerIdentity, question: PurgeQuestion): Promise<number | null> {
  return new Promise((resolve) => {
    const socket = connect(peer.peerSocket)
    let text = ''
    const end = (answer: number | null): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setEncoding('utf8')
    socket.setTimeout(ANSWER_MS_MAX, () => end(null))
    socket.on('error', () => end(null))
    socket.on('close', () => end(null))
    socket.on('data', (piece: string) => {
      text += piece
      if (text.endsWith('\n')) end(readAnswer(text))
      else if (text.length > ANSWER_BYTES_MAX) end(null)
    })
    socket.write(`${JSON.stringify(question)}\n`)
  })
}

function readAnswer(line: string): number | null {
  try {
    const { asOf } = JSON.parse(line) as Partial<PurgeAnswer>
    return typeof asOf === 'number' ? asOf : null
  } catch {
    return null
  }
}
