//! The movable clock in all live workers: control moves first, then every worker, and whoever asked waits for all.
import type { MovableClock } from '../lib/clock.ts'
import type { LiveWorker, LiveWorkers } from './live-workers.ts'

export type ControlClock = Pick<MovableClock, 'offsetMs' | 'moveTo'>

/** A live worker that does not take the clock for so long makes the move fail. Milliseconds. */
const CLOCK_MS = 10_000

interface Waiting {
  readonly offsetMs: number
  settle(error: Error | null): void
}

export class ClockFeed {
  readonly #clock: ControlClock | null
  readonly #workers: LiveWorkers
  readonly #waiting = new Set<Waiting>()

  constructor(clock: ControlClock | null, workers: LiveWorkers) {
    this.#clock = clock
    this.#workers = workers
  }

  /** Before its first configuration, so that it never serves by an older clock than its peers. */
  welcome(worker: LiveWorker): void {
    if (this.#clock !== null) worker.connection?.send({ type: 'clock', offsetMs: this.#clock.offsetMs })
  }

  heard(worker: LiveWorker, offsetMs: number): void {
    worker.offsetMs = offsetMs
    this.progress()
  }

  /** Resolves those for whom every live worker has the clock by now. */
  progress(): void {
    for (const waiting of [...this.#waiting]) if (this.#behind(waiting.offsetMs).length === 0) waiting.settle(null)
  }

  #behind(offsetMs: number): string[] {
    const live = this.#workers.live()
    return live.filter((worker) => worker.offsetMs < offsetMs).map((worker) => worker.identity.worker)
  }

  advance(ms: number): Promise<void> {
    const clock = this.#clock
    if (clock === null) return Promise.reject(new Error('the clock cannot be moved: start with --movable-clock'))
    clock.moveTo(clock.offsetMs + ms)
    const { offsetMs } = clock
    for (const worker of this.#workers.connected()) worker.connection?.send({ type: 'clock', offsetMs })
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.settle(new Error(`the clock was moved, but not in time at ${this.#behind(offsetMs).join(', ')}`))
      }, CLOCK_MS)
      const waiting: Waiting = {
        offsetMs,
        settle: (error) => {
          clearTimeout(timer)
          this.#waiting.delete(waiting)
          if (error === null) resolve()
          else reject(error)
        },
      }
      this.#waiting.add(waiting)
      this.progress()
    })
  }

  close(): void {
    for (const waiting of [...this.#waiting]) waiting.settle(new Error('control stops'))
  }
}
