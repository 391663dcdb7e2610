//! Which worker of a POP owns a key: rendezvous hashing over the live ones, so that a worker that comes or goes moves
//! only its own keys. Every worker must agree, so that the hash has no secret; whoever can choose keys can crowd one
//! worker, no more than they can by asking for one key.
import type { WorkerIdentity } from '../feed-protocol.ts'
import { withoutVariant } from './variants.ts'

/** Workers for a key, the owner first, then who takes over when it is gone. */
export function ownersOf(key: string, workers: readonly WorkerIdentity[]): readonly WorkerIdentity[] {
  if (workers.length < 2) return workers
  // All variants of a key have one owner: the index that leads to them is there.
  const owned = withoutVariant(key)
  return workers
    .map((worker) => ({ worker, score: score(worker.worker, owned) }))
    .sort((x, y) => y.score - x.score || (x.worker.worker < y.worker.worker ? -1 : 1))
    .map(({ worker }) => worker)
}

/** True for the worker that keeps the key for the POP; always when it is alone. */
export function ownsKey(
  key: string,
  edge: { readonly name: string; readonly workers: readonly WorkerIdentity[] },
): boolean {
  return edge.workers.length < 2 || ownersOf(key, edge.workers)[0]?.worker === edge.name
}

/** 32 bits of FNV-1a over name and key, finished as in MurmurHash3: stable over processes and versions. */
function score(name: string, key: string): number {
  let hash = 2166136261
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 16777619)
  hash = Math.imul(hash ^ 10, 16777619)
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 16777619)
  hash = Math.imul(hash ^ (hash >>> 16), 2246822507)
  hash = Math.imul(hash ^ (hash >>> 13), 3266489909)
  return (hash ^ (hash >>> 16)) >>> 0
}
