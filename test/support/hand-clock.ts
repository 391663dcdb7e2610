//! A clock that a test moves.
import type { Clock } from '../../src/lib/clock.ts'

export interface HandClock extends Clock {
  forward(ms: number): void
}

/** Begins at 0; all three times are the same. */
export function handClock(): HandClock {
  let ms = 0
  return {
    now: () => ms,
    wall: () => ms,
    monotonic: () => ms,
    forward: (by) => {
      ms += by
    },
  }
}
