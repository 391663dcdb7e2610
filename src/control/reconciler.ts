//! Runs the tasks that make wishes real. A task takes no input: it reads what is wished and what is seen, does what is
//! missing, and may be run at any time, any number of times. It runs on a poke (something changed) and on a period (in
//! case a poke was lost), never twice at once; a poke during a run means one more run.
import type { Clock } from '../lib/clock.ts'

export interface Task {
  readonly name: string
  /** Milliseconds between two runs when nothing pokes. */
  readonly periodMs: number
  /** Does what is missing and says what it did, in words for a person; empty when nothing was missing. */
  run(): Promise<readonly string[]>
}

export type TaskResult =
  | { readonly outcome: 'nothing-to-do' }
  | { readonly outcome: 'acted'; readonly actions: readonly string[] }
  | { readonly outcome: 'failed'; readonly message: string }

export interface TaskStatus {
  readonly name: string
  readonly state: 'waiting' | 'running'
  readonly runs: number
  /** Null before the first run has ended. */
  readonly last: { readonly startedAt: string; readonly durationMs: number; readonly result: TaskResult } | null
}

export interface Reconciler {
  /** Runs the task soon; all tasks without a name. */
  poke(name?: string): void
  status(): TaskStatus[]
  /** Resolves when no task runs and none will. */
  close(): Promise<void>
}

/** Starts every task once and then on pokes and periods. `onFailure` hears of each failed run. */
export function startReconciler(
  tasks: readonly Task[],
  clock: Clock,
  onFailure: (task: string, error: unknown) => void = () => {},
): Reconciler {
  const drivers = new Map(tasks.map((task) => [task.name, new Driver(task, clock, onFailure)]))
  for (const driver of drivers.values()) driver.poke()
  return {
    poke(name) {
      for (const driver of drivers.values()) if (name === undefined || driver.name === name) driver.poke()
    },
    status: () => [...drivers.values()].map((driver) => driver.status()),
    close: async () => {
      await Promise.all([...drivers.values()].map((driver) => driver.close()))
    },
  }
}

class Driver {
  readonly name: string
  readonly #task: Task
  readonly #clock: Clock
  readonly #onFailure: (task: string, error: unknown) => void
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> | null = null
  #again = false
  #closed = false
  #runs = 0
  #last: TaskStatus['last'] = null

  constructor(task: Task, clock: Clock, onFailure: (task: string, error: unknown) => void) {
    this.name = task.name
    this.#task = task
    this.#clock = clock
    this.#onFailure = onFailure
    this.#timer = setInterval(() => this.poke(), task.periodMs)
  }

  poke(): void {
    if (this.#closed) return
    this.#again = true
    this.#running ??= this.#loop().finally(() => {
      this.#running = null
    })
  }

  async #loop(): Promise<void> {
    // A task that fails is run again by the next poke or period, not at once: it would spin.
    while (this.#again && !this.#closed) {
      this.#again = false
      await this.#once()
    }
  }

  async #once(): Promise<void> {
    const startedAt = new Date(this.#clock.wall()).toISOString()
    const from = this.#clock.monotonic()
    let result: TaskResult
    try {
      const actions = await this.#task.run()
      result = actions.length === 0 ? { outcome: 'nothing-to-do' } : { outcome: 'acted', actions }
    } catch (error) {
      result = { outcome: 'failed', message: error instanceof Error ? error.message : String(error) }
      this.#onFailure(this.name, error)
    }
    this.#runs++
    this.#last = { startedAt, durationMs: this.#clock.monotonic() - from, result }
  }

  status(): TaskStatus {
    return {
      name: this.name,
      state: this.#running === null ? 'waiting' : 'running',
      runs: this.#runs,
      last: this.#last,
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#running
  }
}
