//! Who the edge workers are and which of them are live. A worker is live while it holds its lease: its connection may
//! break for a moment, and it serves on meanwhile, so a lost connection ends nothing before the lease does.
import {
  type FailingOrigin,
  type FromWorker,
  LEASE_MS,
  type ShieldSeen,
  type SilentAddress,
  type ToWorker,
  type WorkerIdentity,
} from '../edge/feed-protocol.ts'
import type { Clock } from '../lib/clock.ts'
import type { JsonLines } from '../lib/json-lines.ts'

export interface LiveWorker {
  readonly identity: WorkerIdentity
  /** Null after the connection was lost. */
  connection: JsonLines<ToWorker> | null
  /** In Clock.monotonic(). */
  leaseUntil: number
  /** Revision up to which it was told everything; null when nothing was sent on this connection yet. */
  sent: number | null
  /** Revision that it said it had before the first message of this connection. */
  readonly had: number
  /** Revision that it uses for every request; -1 before the first acknowledgement. */
  acknowledged: number
  /** Origins that fail, as it said with its last lease. */
  failing: readonly FailingOrigin[]
  /** Whether it is attacked or overloaded, as it said with its last lease; null when neither. */
  shield: ShieldSeen | null
  /** Dedicated addresses that it cannot bind, as it said last. */
  silent: readonly SilentAddress[]
  /** Milliseconds that its clock is ahead, as it said last. */
  offsetMs: number
}

export type Hello = Extract<FromWorker, { type: 'hello' }>

export class LiveWorkers {
  readonly #clock: Clock
  readonly #byName = new Map<string, LiveWorker>()
  readonly #expected: ReadonlySet<string>
  /** Until then a worker that was wished and has not come yet may be one that serves and is about to come back. */
  readonly #expectedUntil: number

  constructor(clock: Clock, expected: readonly string[]) {
    this.#clock = clock
    this.#expected = new Set(expected)
    this.#expectedUntil = clock.monotonic() + LEASE_MS
  }

  /** A worker came, or came back: the newer connection of a name replaces the older. */
  join(hello: Hello, connection: JsonLines<ToWorker>): LiveWorker {
    const worker: LiveWorker = {
      identity: hello.identity,
      connection,
      leaseUntil: this.#clock.monotonic() + LEASE_MS,
      sent: null,
      had: hello.revision,
      acknowledged: -1,
      failing: [],
      silent: [],
      shield: null,
      offsetMs: 0,
    }
    this.#byName.get(hello.identity.worker)?.connection?.close()
    this.#byName.set(hello.identity.worker, worker)
    return worker
  }

  renew(worker: LiveWorker, failing: readonly FailingOrigin[] = []): void {
    worker.failing = failing
    worker.leaseUntil = this.#clock.monotonic() + LEASE_MS
  }

  /** Forgets workers whose lease has lapsed and returns them. */
  lapse(): LiveWorker[] {
    const now = this.#clock.monotonic()
    const lapsed = [...this.#byName.values()].filter((worker) => worker.leaseUntil <= now)
    for (const worker of lapsed) this.#byName.delete(worker.identity.worker)
    return lapsed
  }

  live(): LiveWorker[] {
    const now = this.#clock.monotonic()
    return [...this.#byName.values()].filter((worker) => worker.leaseUntil > now)
  }

  connected(): LiveWorker[] {
    return this.live().filter((worker) => worker.connection !== null)
  }

  /** Wished workers that are not live. */
  missing(): string[] {
    const live = new Set(this.live().map((worker) => worker.identity.worker))
    return [...this.#expected].filter((name) => !live.has(name))
  }

  /**
   * The revision that every live worker has acknowledged; null when there is none: no worker is live, or this control
   * has only begun and a wished worker that may be serving has not come back yet.
   */
  acknowledged(): number | null {
    const live = this.live()
    if (live.length === 0) return null
    if (this.#clock.monotonic() < this.#expectedUntil && this.missing().length > 0) return null
    return Math.min(...live.map((worker) => worker.acknowledged))
  }
}
