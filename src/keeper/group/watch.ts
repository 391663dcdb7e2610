//! The watch over the nodes of a group: asks each again and again whether it lives, and now and then for all it knows;
//! quickly while the group is on its way to what is wished.
import type { Clock } from '../../lib/clock.ts'
import type { EngineNode } from '../node.ts'

/** How often nodes are asked whether they live, in milliseconds, and every how many rounds for all they know. */
const WATCH_MS = 200
const LOOK_EVERY_ROUNDS = 5
/** While a group is on its way to what is wished, it is looked at this often. Milliseconds. */
const HURRY_MS = 15
/** A group that has not settled after this many quick looks is looked at as any other. */
const HURRY_ROUNDS = 400
/** A watch that comes this late means that the keeper itself was stopped: silence is forgiven. Milliseconds. */
const LATE_MS = 600

export interface WatchOptions {
  readonly clock: Clock
  readonly nodes: () => readonly EngineNode[]
  readonly isSettled: () => boolean
  /** Every node is. */
  readonly isWell: () => boolean
  /** Asks the group for a turn. */
  readonly poke: () => void
}

export class Watch {
  readonly #options: WatchOptions
  #timer: NodeJS.Timeout | null = null
  #last: number
  #rounds = 0
  #unsettledRounds = 0

  constructor(options: WatchOptions) {
    this.#options = options
    this.#last = options.clock.monotonic()
  }

  start(): void {
    this.#last = this.#options.clock.monotonic()
    this.#later()
  }

  /** The quick looks are counted anew. */
  countAnew(): void {
    this.#unsettledRounds = 0
  }

  /** The watch is late when this process was stopped or starved: what came of silence meanwhile proves nothing. */
  forgiveIfLate(): void {
    const now = this.#options.clock.monotonic()
    if (now - this.#last <= WATCH_MS + LATE_MS) return
    this.#last = now
    for (const node of this.#options.nodes()) node.forgiveSilence()
  }

  #later(): void {
    const hurries = !this.#options.isSettled() && this.#unsettledRounds < HURRY_ROUNDS
    this.#timer = setTimeout(() => this.#watch(), hurries ? HURRY_MS : WATCH_MS)
  }

  #watch(): void {
    const { clock, nodes, isSettled, isWell, poke } = this.#options
    this.forgiveIfLate()
    this.#last = clock.monotonic()
    this.#rounds++
    if (!isSettled()) this.#unsettledRounds++
    const looks = !isSettled() || this.#rounds % LOOK_EVERY_ROUNDS === 0
    for (const node of nodes()) {
      if (node.isAsked) continue
      void (looks ? node.look() : node.ping()).then(() => {
        if (looks) poke()
      })
    }
    // Silence itself is news when it lasts: nothing else would call for a turn.
    if (!isWell()) poke()
    this.#later()
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
  }
}
