//! Caches of `capacity` equal objects, each a policy of eviction: ours as it is, and what it is compared with.
import { S3Fifo } from '../../src/edge/cache/eviction.ts'

/** Asks for an object, which is admitted when it is not there; true for a hit. */
export type Ask = (object: number) => boolean

export interface Policy {
  readonly name: string
  readonly about: string
  readonly start: (capacity: number, objects: number) => Ask
}

/** Bytes of an object, so that ours is set up as it is in the memory tier: a ghost for each 2 KiB. */
const OBJECT_BYTES = 2_048

function s3fifo(capacity: number, objects: number): Ask {
  const eviction = new S3Fifo(capacity * OBJECT_BYTES, capacity)
  const entryOf = new Int32Array(objects).fill(-1)
  const objectIn = new Uint32Array(capacity)
  let used = 0
  return (object) => {
    const known = entryOf[object] as number
    if (known >= 0) {
      eviction.use(known)
      return true
    }
    let entry = used
    if (used < capacity) used++
    else {
      entry = eviction.evict()
      entryOf[objectIn[entry] as number] = -1
    }
    objectIn[entry] = object
    entryOf[object] = entry
    eviction.admit(entry, OBJECT_BYTES, Math.imul(object + 1, 2_654_435_761) >>> 0)
    return false
  }
}

/** A queue of objects, linked by their numbers; `moveOnUse` makes LRU of FIFO. Object numbers begin at 1 in it, 0 is none. */
function queue(capacity: number, objects: number, moveOnUse: boolean): Ask {
  const next = new Uint32Array(objects + 1)
  const previous = new Uint32Array(objects + 1)
  const present = new Uint8Array(objects + 1)
  let count = 0
  // Place 0 is both ends: next[0] is the oldest, previous[0] the newest.
  const append = (at: number): void => {
    const last = previous[0] as number
    next[last] = at
    previous[at] = last
    next[at] = 0
    previous[0] = at
  }
  const takeOut = (at: number): void => {
    next[previous[at] as number] = next[at] as number
    previous[next[at] as number] = previous[at] as number
  }
  return (object) => {
    const at = object + 1
    if (present[at] === 1) {
      if (moveOnUse) {
        takeOut(at)
        append(at)
      }
      return true
    }
    if (count === capacity) {
      const oldest = next[0] as number
      takeOut(oldest)
      present[oldest] = 0
    } else count++
    present[at] = 1
    append(at)
    return false
  }
}

export const POLICIES: readonly Policy[] = [
  { name: 's3-fifo', about: 'ours', start: s3fifo },
  {
    name: 'lru',
    about: 'the least recently used leaves',
    start: (capacity, objects) => queue(capacity, objects, true),
  },
  { name: 'fifo', about: 'the oldest leaves', start: (capacity, objects) => queue(capacity, objects, false) },
]

/** Share of the requests after the first `warmUp` that are hits, in percent. */
export function hitPercent(
  policy: Policy,
  trace: Uint32Array,
  capacity: number,
  objects: number,
  warmUp: number,
): number {
  const ask = policy.start(capacity, objects)
  let hits = 0
  for (let n = 0; n < trace.length; n++) if (ask(trace[n] as number) && n >= warmUp) hits++
  return (100 * hits) / (trace.length - warmUp)
}

/** No policy that keeps a fixed set can do better: the most asked for objects of the whole trace. */
export function bestFixedPercent(trace: Uint32Array, capacity: number, objects: number, warmUp: number): number {
  const asked = new Uint32Array(objects)
  for (const object of trace) asked[object] = (asked[object] as number) + 1
  const kept = new Set([...asked.keys()].sort((a, b) => (asked[b] as number) - (asked[a] as number)).slice(0, capacity))
  let hits = 0
  for (let n = warmUp; n < trace.length; n++) if (kept.has(trace[n] as number)) hits++
  return (100 * hits) / (trace.length - warmUp)
}
