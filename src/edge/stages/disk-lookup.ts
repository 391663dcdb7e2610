//! Memory lacks the object: does the disk have it? If so it is brought into memory, fresh or stale, and cache-lookup
//! judges it as any other. Small objects are read at once, large ones while others are served.
import { ownsKey } from '../cache/owner.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { stage, to } from '../stage.ts'

export const diskLookup = stage({
  name: to.diskLookup,
  next: [to.cacheLookup, to.cacheWait],
  run(x, edge) {
    x.diskKey = x.key
    const { opening } = edge.disk
    return opening === null ? look(x, edge) : opening.then(() => look(x, edge))
  },
})

function look(x: Exchange, edge: Edge) {
  const { key } = x
  // Only the owner's disk counts: what another one still has may be from before the keys were divided anew.
  if (!edge.disk.mayHave(key) || !(x.peer?.remote === true || ownsKey(key, edge))) return to.cacheWait
  const found = edge.disk.promote(key)
  return typeof found === 'boolean' ? noted(x, found) : found.then((there) => noted(x, there))
}

function noted(x: Exchange, found: boolean) {
  x.watcher?.note('found', found)
  if (!found) return to.cacheWait
  x.fromDisk = x.key
  x.missReason = null
  return to.cacheLookup
}
