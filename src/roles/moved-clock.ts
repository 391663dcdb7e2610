//! The movable clock of control: keeps in the home how far it was moved, so that time does not go back when control
//! starts again while its workers live on.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { MovableClock } from '../lib/clock.ts'

export class MovedClock extends MovableClock {
  readonly #file: string

  constructor(file: string) {
    super()
    this.#file = file
    super.moveTo(readOffset(file))
  }

  override moveTo(offsetMs: number): void {
    super.moveTo(offsetMs)
    const next = `${this.#file}.new`
    writeFileSync(next, JSON.stringify({ offsetMs: this.offsetMs }), { mode: 0o600 })
    renameSync(next, this.#file)
  }
}

/** Milliseconds; 0 when it was never moved. */
function readOffset(file: string): number {
  try {
    const { offsetMs } = JSON.parse(readFileSync(file, 'utf8')) as { offsetMs: number }
    return Number.isSafeInteger(offsetMs) && offsetMs > 0 ? offsetMs : 0
  } catch {
    return 0
  }
}
