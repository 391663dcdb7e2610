//! Points in the history that objects and invalidations are compared by. The feed's revisions are whole numbers; what
//! the workers of a POP do among themselves between two of them (stages/purge.ts) lies between these numbers.

/** What a fetch that begins now is as of: no invalidation that this worker knows can be newer. */
export function asOfNow(edge: {
  readonly snapshot: { readonly revision: number }
  readonly invalidations: { readonly revision: number }
}): number {
  return Math.max(edge.snapshot.revision, edge.invalidations.revision)
}

const DOUBLE = new Float64Array(1)
const BITS = new BigUint64Array(DOUBLE.buffer)

/**
 * The next point after this one: the next larger double. After revision 1,000,000 there are 2^33 of them before the next
 * revision, after 1,000 ten bits more.
 */
export function nextAfter(point: number): number {
  DOUBLE[0] = Math.max(0, point)
  BITS[0] = (BITS[0] as bigint) + 1n
  return DOUBLE[0]
}
