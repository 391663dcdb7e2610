//! Chance that a seed decides: the same seed gives the same case everywhere.

export interface Random {
  /** From 0 up to, not including, 1. */
  fraction(): number
  /** A whole number from 0 to `below` - 1. */
  whole(below: number): number
  pick<T>(from: readonly T[]): T
  /** True in this share of calls. */
  chance(share: number): boolean
}

/** mulberry32; neighbouring seeds give cases that have nothing to do with each other. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const whole = (below: number): number => Math.floor(fraction() * below)
  return { fraction, whole, pick: (from) => from[whole(from.length)]!, chance: (share) => fraction() < share }
}

/** One seed of several numbers. */
export function seedOf(...numbers: readonly number[]): number {
  let seed = 2166136261
  for (const number of numbers) seed = Math.imul(seed ^ (number | 0), 16777619) ^ (seed >>> 13)
  return seed >>> 0
}
