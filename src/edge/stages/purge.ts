//! Strict mode: something at the origin may have changed. What is stored of it is invalidated at every worker of the POP
//! before the viewer has the answer; an answer to POST that says what a GET would get takes its place (RFC 9110 9.3.3).

import type { Answer } from '../cache/flight.ts'
import { cacheKey } from '../cache/key.ts'
import { ownersOf } from '../cache/owner.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { headerPairs } from '../origin/answer.ts'
import { handOver } from '../peers/hand-over.ts'
import { purgeEverywhere } from '../peers/purge.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'
import { changedUris } from '../unsafe.ts'

export const purge = stage({
  name: to.purge,
  next: [to.cacheStore],
  run(x, edge) {
    const { key } = x.behavior as BehaviorPlan
    const answer = x.answer as Answer
    const uris = changedUris(x, headerPairs(answer.head))
    // Of several that change the same thing at a time nobody knows which was the last.
    const alone = !edge.invalidations.isDead(key.distributionId, uris[0] as string, answer.asOf)
    x.watcher?.note('invalidates', uris.join(' '))
    return purgeEverywhere(key.distributionId, uris, edge).then(async (asOf) => {
      // What it says is newer than what it made stale.
      const kept = { ...answer, asOf }
      x.key = cacheKey(x.place.keyPrefix, key, x.path, { ...x.request, method: 'GET' }, x)
      x.cacheable = alone && servesGets(x, edge, answer) && (await isWithOwner(x, edge, kept))
      x.answer = x.cacheable ? kept : { ...answer, notStored: answer.notStored ?? 'method-not-cached' }
      if (!x.cacheable) x.key = ''
      return to.cacheStore
    })
  },
})

/** Only what the origin itself gave a lifetime. */
const servesGets = ({ request }: Exchange, edge: Edge, { notStored, ttlSource, freshUntil }: Answer): boolean =>
  request.method === 'POST' && notStored === null && ttlSource !== 'heuristic' && freshUntil > edge.clock.now()

/** Later GETs look for it at the worker that owns the key: it is kept there, or nowhere. */
function isWithOwner(x: Exchange, edge: Edge, answer: Answer): boolean | Promise<boolean> {
  const owner = ownersOf(x.key, edge.workers)[0]
  return owner === undefined || owner.worker === edge.name || handOver(owner, x, answer)
}
