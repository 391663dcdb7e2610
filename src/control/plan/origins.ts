//! What several workers have found of the same origins, as one. PURE.
import type { OriginSeen } from '../../edge/feed-protocol.ts'

/** Counts are sums, the last failure is the newest one; an origin fails when it does for any worker. Most asked first. */
export function mergeOrigins(seen: readonly OriginSeen[]): OriginSeen[] {
  const merged = new Map<string, OriginSeen>()
  for (const origin of seen) {
    const key = `${origin.distributionId} ${origin.originId}`
    const known = merged.get(key)
    merged.set(key, known === undefined ? origin : together(known, origin))
  }
  return [...merged.values()].sort((one, other) => other.requests - one.requests)
}

function together(one: OriginSeen, other: OriginSeen): OriginSeen {
  const failures = { ...one.failures }
  for (const [kind, count] of Object.entries(other.failures) as [keyof typeof failures, number][]) {
    failures[kind] = (failures[kind] ?? 0) + count
  }
  const newer = (one.last?.at ?? '') < (other.last?.at ?? '') ? other.last : one.last
  return {
    ...one,
    requests: one.requests + other.requests,
    failovers: one.failovers + other.failovers,
    failures,
    last: newer,
    failing: one.failing || other.failing,
  }
}
