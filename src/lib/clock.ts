//! The only file that reads time. Everything else is given a `Clock`, so that tests and `cachefront clock` can move it.
// The global of this name is looked up through a getter at every use.
import { performance } from 'node:perf_hooks'

export interface Clock {
  /** Milliseconds since the epoch, moved by `cachefront clock`: freshness, signed conditions, schedules, retention. */
  now(): number
  /** Milliseconds since the epoch, never moved: SigV4, TLS, log file names of the host. */
  wall(): number
  /** Milliseconds from an arbitrary start, never moved, never backwards: timeouts, leases, durations. */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  wall: () => Date.now(),
  monotonic: () => performance.now(),
}

/** A clock that `--movable-clock` allows to advance. It only goes forward. */
export class MovableClock implements Clock {
  #offsetMs = 0

  now(): number {
    return Date.now() + this.#offsetMs
  }

  wall(): number {
    return Date.now()
  }

  monotonic(): number {
    return performance.now()
  }

  get offsetMs(): number {
    return this.#offsetMs
  }

  /** Sets the distance to the wall clock, in milliseconds; a smaller one than now is ignored (time never goes back). */
  moveTo(offsetMs: number): void {
    if (offsetMs > this.#offsetMs) this.#offsetMs = offsetMs
  }
}
