//! The cache key of the request (cache/key.ts).
import { cacheKey as keyOf } from '../cache/key.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'

export const cacheKey = stage({
  name: to.cacheKey,
  next: [to.cacheLookup],
  run(x) {
    const { request } = x
    x.key = keyOf((x.behavior as BehaviorPlan).key, x.path, request)
    return to.cacheLookup
  },
})
