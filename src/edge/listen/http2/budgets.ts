//! The budgets of one connection (limits.ts, HTTP2_RATES): made when they are first needed, which is never for most.
import { Budget } from './budget.ts'
import type { Http2RateName } from './limits.ts'

/** Frames without content that a request, or a frame with content, lets a viewer send besides. */
const EARNED = 4

export class Budgets {
  readonly #since: number
  readonly #budgets = new Map<Http2RateName, Budget>()
  /** Looked at with each frame that carries something. */
  #controls: Budget | null = null
  #pings: Budget | null = null

  constructor(now: number) {
    this.#since = now
  }

  /** False when it is used up. */
  take(name: Http2RateName, now: number): boolean {
    let budget = this.#budgets.get(name)
    if (budget === undefined) {
      budget = new Budget(name, this.#since)
      this.#budgets.set(name, budget)
      if (name === 'controls') this.#controls = budget
      if (name === 'pings') this.#pings = budget
    }
    return budget.take(now)
  }

  /** Something useful was done. */
  earn(): void {
    this.#controls?.earn(EARNED)
    this.#pings?.earn(EARNED)
  }
}
