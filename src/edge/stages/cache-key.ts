//! The cache key of the request (cache/key.ts).
import { cacheKey as keyOf } from '../cache/key.ts'
import { sliceKey } from '../cache/slices.ts'
import { explainKey } from '../explain-policies.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const cacheKey = stage({
  name: to.cacheKey,
  next: [to.cacheLookup],
  run(x) {
    const { request } = x
    if (x.watcher !== null) explainKey(x, x.behavior as BehaviorPlan)
    // Of a slice, who asks knows the key: it is that of the object, or of one variant of it, with the slice's number.
    const { key } = x.behavior as BehaviorPlan
    x.key = x.slice !== null ? sliceKey(x.slice) : keyOf(x.place.keyPrefix, key, x.path, request, x)
    return to.cacheLookup
  },
})
