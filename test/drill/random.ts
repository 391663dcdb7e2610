//! Numbers that a seed decides: the same seed gives the same drill.

export interface Random {
  /** A whole number from 0 to `below` - 1. */
  whole(below: number): number
  pick<T>(from: readonly T[]): T
}

/** xorshift32; the seed is any whole number. */
export function seededRandom(seed: number): Random {
  let x = (seed ^ 0x9e3779b9) | 0 || 1
  const whole = (below: number): number => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) % below
  }
  return { whole, pick: (from) => from[whole(from.length)]! }
}
