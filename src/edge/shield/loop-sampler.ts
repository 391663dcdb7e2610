//! How late the event loop is for good: the smallest lateness of the turns of a second. One long turn says nothing (a large
//! configuration, a collection of garbage); when each of them is late, there is more to do than can be done. And it must be
//! this process that is busy: where others take the processor, doing less here would help nobody.

/** Milliseconds between two turns, and how many of them are judged together. */
export const TURN_MS = 100
const TURNS = 10
/** Share of a processor that the process must use for its lateness to be its own. */
const BUSY_SHARE = 0.5

export class LoopSampler {
  readonly #late: number[] = []
  #lastAt: number
  #windowAt: number
  #windowCpuMs: number
  #busyShare = 0

  /** `now` and `cpuMs` in milliseconds; the latter is the processor time that the process has used. */
  constructor(now: number, cpuMs: number) {
    this.#lastAt = this.#windowAt = now
    this.#windowCpuMs = cpuMs
  }

  /** A turn that was wanted TURN_MS after the one before. */
  turn(now: number, cpuMs: number): void {
    this.#late.push(Math.max(0, now - this.#lastAt - TURN_MS))
    if (this.#late.length > TURNS) this.#late.shift()
    this.#lastAt = now
    const wallMs = now - this.#windowAt
    if (wallMs < TURN_MS * TURNS) return
    this.#busyShare = (cpuMs - this.#windowCpuMs) / wallMs
    this.#windowAt = now
    this.#windowCpuMs = cpuMs
  }

  /** Milliseconds; 0 until there are enough turns. */
  get delayMs(): number {
    if (this.#late.length < TURNS || this.#busyShare < BUSY_SHARE) return 0
    return Math.min(...this.#late)
  }
}
