//! A clock that only `moveTo` moves, for tests that compare ages: what they see does not depend on how long they take.
import { MovableClock } from '../../src/lib/clock.ts'

/** It stands at the time of its making. The wall clock and the monotonic one go on. */
export class StillClock extends MovableClock {
  readonly #madeAt = Date.now()

  override now(): number {
    return this.#madeAt + this.offsetMs
  }
}
