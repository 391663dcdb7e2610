//! When a group takes its turns: one at a time, another one for each poke meanwhile, and slower each time while something
//! refuses the same actions again and again.

/** Pause after a turn that changed nothing although it should have. Milliseconds, doubling. */
const REPEAT_PAUSE_FIRST_MS = 10
const REPEAT_PAUSE_LAST_MS = 2000

export interface TurnsOptions {
  readonly take: () => Promise<void>
  /** A turn that failed; the next watch tries again: what is lost is decided anew from what is then seen. */
  readonly failed: (error: Error) => void
  /** No turn is asked for any more. */
  readonly ended: () => void
}

export class Turns {
  readonly #options: TurnsOptions
  #poked = false
  #running: Promise<void> | null = null
  #lastActions = ''
  #repeats = 0
  #closed = false
  /** Ends the pause of the moment. */
  #wake: () => void = () => {}

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /** Asks for a turn soon; any number of pokes during a turn is one more turn. */
  poke(): void {
    this.#poked = true
    if (this.#running !== null || this.#closed) return
    this.#running = this.#run().finally(() => {
      this.#running = null
      this.#options.ended()
    })
  }

  /** News of a node ends the pause: a primary that dies does not wait for what another node refuses. */
  news(): void {
    this.poke()
    this.#wake()
  }

  async #run(): Promise<void> {
    while (this.#poked && !this.#closed) {
      this.#poked = false
      try {
        await this.#options.take()
      } catch (error) {
        this.#options.failed(error as Error)
        await this.#pause()
      }
    }
  }

  /**
   * The same actions again and again mean that something refuses them: slower each time. True when it has waited, after
   * which what was seen before is old.
   */
  async holdBack(actions: string): Promise<boolean> {
    this.#repeats = actions !== '[]' && actions === this.#lastActions ? this.#repeats + 1 : 0
    this.#lastActions = actions
    if (this.#repeats === 0) return false
    await this.#pause()
    return true
  }

  #pause(): Promise<void> {
    const ms = Math.min(REPEAT_PAUSE_FIRST_MS * 2 ** this.#repeats, REPEAT_PAUSE_LAST_MS)
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), ms)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = () => {}
        resolve()
      }
    })
  }

  /** No further turn; resolves when the one under way has ended. */
  async close(): Promise<void> {
    this.#closed = true
    this.#wake()
    await this.#running
  }
}
