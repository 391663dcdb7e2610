//! Whether a worker has more to do than it can, and what it does not do then: first the refreshes that nobody waits for,
//! then the misses; hits go on. Pure: takes what was measured and the time. Each signal has two marks where shedding begins
//! and ends it at a lower one, after a while, so that it does not flicker.

/** What a worker is loaded with, each in its unit. */
export type LoadSignal =
  /** Milliseconds that every turn of the event loop was late, at least, for a second (loop-sampler.ts). */
  | 'event-loop'
  /** Requests to origins under way. */
  | 'origin-requests'
  /** Bytes of memory that the process takes. */
  | 'memory'
export type LoadBounds = Readonly<Record<LoadSignal, number>>

/** Nothing is shed; refreshes are; misses are, too. */
export type Shedding = 0 | 1 | 2
export const SHEDDING = { nothing: 0, refreshes: 1, misses: 2 } as const satisfies Readonly<Record<string, Shedding>>

/** Of the bound at which misses are shed: where refreshes are, and below which each ends. */
const REFRESHES_AT = 0.7
const ENDS_BELOW = 0.8
/** Milliseconds for which a signal must have been below that. */
const CALM_MS = 1_000

interface Judged {
  shedding: Shedding
  /** Time of the last look at which it was not below the end of what is shed. */
  lastHighAt: number
}

export class Overload {
  readonly #bounds: LoadBounds
  readonly #judged: Readonly<Record<LoadSignal, Judged>> = {
    'event-loop': { shedding: 0, lastHighAt: 0 },
    'origin-requests': { shedding: 0, lastHighAt: 0 },
    memory: { shedding: 0, lastHighAt: 0 },
  }

  constructor(bounds: LoadBounds) {
    this.#bounds = bounds
  }

  /** Judges one signal at `now` (milliseconds of a monotonic clock). */
  observe(signal: LoadSignal, value: number, now: number): void {
    const judged = this.#judged[signal]
    const share = value / this.#bounds[signal]
    const reached: Shedding = share >= 1 ? 2 : share >= REFRESHES_AT ? 1 : 0
    if (reached >= judged.shedding) {
      judged.shedding = reached
      judged.lastHighAt = now
      return
    }
    const end = judged.shedding === 2 ? ENDS_BELOW : REFRESHES_AT * ENDS_BELOW
    if (share >= end) judged.lastHighAt = now
    else if (now - judged.lastHighAt >= CALM_MS) {
      judged.shedding = reached
      judged.lastHighAt = now
    }
  }

  /** Why so much is shed, the gravest signal; null when not even that is. */
  cause(what: Exclude<Shedding, 0>): LoadSignal | null {
    for (const signal of GRAVEST_FIRST) if (this.#judged[signal].shedding >= what) return signal
    return null
  }
}

const GRAVEST_FIRST: readonly LoadSignal[] = ['event-loop', 'memory', 'origin-requests']
