//! A changing call is run once for one signature: whoever sends the same bytes again, on purpose or because the answer was
//! lost, gets the first answer again. So nothing that is overheard can be repeated, and no honest client is refused:
//! what it sends twice it wants once. Calls that failed are forgotten, so that they may be tried again.
import type { WireAnswer } from '../aws/protocol.ts'
import type { Clock } from '../lib/clock.ts'

/** Signatures that are remembered. An installation that changes more than 100 things a second for 15 minutes has more. */
const REMEMBERED_MAX = 100_000
/** Answers that are kept: all together, and the largest one. Those that are not are refused a second time. Bytes. */
const ANSWER_BYTES_MAX = { all: 8 * 1024 * 1024, one: 256 * 1024 } as const

/** What came of a call; null when its answer cannot be given again. */
type Outcome = WireAnswer | null

interface Run {
  /** When its signature is no longer accepted anyway. Milliseconds on the wall clock. */
  readonly until: number
  outcome: Promise<Outcome>
  settle: (outcome: Outcome) => void
  bytes: number
}

export type Beginning =
  | { readonly kind: 'first' }
  /** Resolves with the first answer; null when it is not to be had. */
  | { readonly kind: 'again'; readonly outcome: Promise<Outcome> }
  | { readonly kind: 'full' }

export class Replays {
  readonly #clock: Clock
  readonly #max: number
  readonly #runs = new Map<string, Run>()
  #bytes = 0

  constructor(clock: Clock, max = REMEMBERED_MAX) {
    this.#clock = clock
    this.#max = max
  }

  /** @param until until when a signature with this digest is accepted; milliseconds on the wall clock */
  begin(digest: string, until: number): Beginning {
    const now = this.#clock.wall()
    const run = this.#runs.get(digest)
    if (run !== undefined && run.until >= now) return { kind: 'again', outcome: run.outcome }
    if (run !== undefined) this.#forget(digest)
    if (this.#runs.size >= this.#max) this.#sweep(now)
    if (this.#runs.size >= this.#max) return { kind: 'full' }
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    this.#runs.set(digest, { until, outcome: promise, settle: resolve, bytes: 0 })
    return { kind: 'first' }
  }

  /** What came of the first call. `keep` false: it is told to those who wait and never again. */
  end(digest: string, answer: WireAnswer, keep: boolean): void {
    const run = this.#runs.get(digest)
    if (run === undefined) return
    run.settle(keep ? answer : null)
    // What was refused or broke has changed nothing.
    if (answer.status >= 400) {
      this.#runs.delete(digest)
      return
    }
    const bytes = Buffer.byteLength(answer.body)
    if (!keep || bytes > ANSWER_BYTES_MAX.one || this.#bytes + bytes > ANSWER_BYTES_MAX.all) {
      run.outcome = Promise.resolve(null)
      return
    }
    run.bytes = bytes
    this.#bytes += bytes
  }

  #sweep(now: number): void {
    for (const [digest, { until }] of this.#runs) if (until < now) this.#forget(digest)
  }

  #forget(digest: string): void {
    this.#bytes -= this.#runs.get(digest)?.bytes ?? 0
    this.#runs.delete(digest)
  }
}
