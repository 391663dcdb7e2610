//! What protects a worker from those who ask too much: the budgets of addresses, the shedding of misses when it is
//! overloaded, and the watch over attacks. It holds the measured values and tells; who is refused is decided by the stages
//! `receive` and `admit-miss`, and by the listeners.
import type { Clock } from '../../lib/clock.ts'
import { COUNTER, type Counters } from '../../observe/counters.ts'
import type { Protection } from '../edge.ts'
import type { ShieldSeen } from '../feed-protocol.ts'
import type { RequestBudget, RequestVerdict } from '../listen/viewer.ts'
import type { UnderWay } from '../origin/under-way.ts'
import { type AttackCause, AttackWatch } from './attack-watch.ts'
import { LoopSampler, TURN_MS } from './loop-sampler.ts'
import { type LoadBounds, type LoadSignal, Overload, SHEDDING } from './overload.ts'
import { RequestBudgets, type RequestLimits } from './request-budgets.ts'

export interface ShieldLimits extends RequestLimits, LoadBounds {}

export interface ShieldParts {
  readonly clock: Clock
  readonly counters: Counters
  readonly limits: ShieldLimits
  /** Addresses whose requests are not counted. */
  readonly isExempt: (address: string) => boolean
  readonly underWay: UnderWay
  /** One line for the operator. */
  readonly problem: (message: string) => void
}

/** Of the bound of requests to origins, how much one origin may have: a slow one must not take what all others need. */
const ORIGIN_SHARE = 0.5
/** Milliseconds between two lines about an overload that begins. */
const TELL_EVERY_MS = 60_000

const SHED_COUNTER = {
  'event-loop': { refresh: COUNTER.shedRefreshEventLoop, miss: COUNTER.shedMissEventLoop },
  'origin-requests': { refresh: COUNTER.shedRefreshOrigins, miss: COUNTER.shedMissOrigins },
  memory: { refresh: COUNTER.shedRefreshMemory, miss: COUNTER.shedMissMemory },
} as const satisfies Readonly<Record<LoadSignal, { readonly refresh: number; readonly miss: number }>>

export class Shield implements Protection {
  readonly #parts: ShieldParts
  readonly #budgets: RequestBudgets
  readonly #overload: Overload
  readonly #attacks: AttackWatch
  readonly #sampler: LoopSampler
  readonly #timer: NodeJS.Timeout
  /** Clock.monotonic() since when misses are shed; null while they are not. */
  #shedsSince: number | null = null
  #shed = 0
  #tellAgainAt = Number.NEGATIVE_INFINITY
  #isTold = false

  constructor(parts: ShieldParts) {
    const { clock, limits, isExempt, problem } = parts
    this.#parts = parts
    this.#budgets = new RequestBudgets(limits, isExempt)
    this.#overload = new Overload(limits)
    this.#attacks = new AttackWatch(problem)
    this.#sampler = new LoopSampler(clock.monotonic(), cpuMs())
    this.#timer = setInterval(() => this.#turn(), TURN_MS).unref()
  }

  budgetOf(address: string, now: number): RequestBudget {
    return this.#budgets.of(address, now)
  }

  isShut(address: string): boolean {
    return this.#budgets.isShut(address, this.#parts.clock.monotonic())
  }

  /** Something was refused to `address`, empty for none. */
  refused(cause: AttackCause, address: string): void {
    const { clock } = this.#parts
    this.#attacks.refused(cause, address, clock.monotonic(), clock.wall())
    this.#parts.counters.set(COUNTER.underAttack, this.#attacks.seen === null ? 0 : 1)
  }

  limited(verdict: Exclude<RequestVerdict, 'within'>, address: string): void {
    this.#parts.counters.add(verdict === 'over' ? COUNTER.requestsLimited : COUNTER.requestsShunned)
    this.refused('requests', address)
  }

  /** Why what would go to that origin now is not to go; null when it may. What is refused is counted. */
  sheds(what: 'refresh' | 'miss', origin: string): LoadSignal | null {
    const { underWay, counters } = this.#parts
    this.#observeOrigins()
    const least = what === 'refresh' ? SHEDDING.refreshes : SHEDDING.misses
    const cause =
      this.#overload.cause(least) ?? (this.#isOverShare(what, underWay.of(origin)) ? 'origin-requests' : null)
    if (cause === null) return null
    counters.add(SHED_COUNTER[cause][what])
    if (what === 'miss') this.#shed++
    return cause
  }

  get seen(): ShieldSeen {
    const misses = this.#overload.cause(SHEDDING.misses)
    const refreshes = misses ?? this.#overload.cause(SHEDDING.refreshes)
    return {
      attack: this.#attacks.seen,
      overload: refreshes === null ? null : { sheds: misses === null ? 'refreshes' : 'misses', cause: refreshes },
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #isOverShare(what: 'refresh' | 'miss', underWay: number): boolean {
    const most = this.#parts.limits['origin-requests'] * ORIGIN_SHARE
    return underWay >= (what === 'refresh' ? most / 2 : most)
  }

  #observeOrigins(): void {
    const { underWay, clock } = this.#parts
    this.#overload.observe('origin-requests', underWay.total, clock.monotonic())
  }

  #turn(): void {
    const { clock, counters } = this.#parts
    const now = clock.monotonic()
    const memory = process.memoryUsage.rss()
    this.#sampler.turn(now, cpuMs())
    const { delayMs } = this.#sampler
    this.#overload.observe('event-loop', delayMs, now)
    this.#overload.observe('memory', memory, now)
    this.#observeOrigins()
    this.#attacks.tick(now)
    counters.set(COUNTER.eventLoopDelay, delayMs / 1_000)
    counters.set(COUNTER.processMemory, memory)
    counters.set(COUNTER.underAttack, this.#attacks.seen === null ? 0 : 1)
    this.#tell(this.#overload.cause(SHEDDING.misses), now)
  }

  /** The beginning and the end of an overload; not each of many that follow each other. */
  #tell(cause: LoadSignal | null, now: number): void {
    const { problem } = this.#parts
    if (cause !== null && this.#shedsSince === null) {
      this.#shedsSince = now
      this.#isTold = now >= this.#tellAgainAt
      if (!this.#isTold) return
      this.#tellAgainAt = now + TELL_EVERY_MS
      problem(`overloaded (${WORDS[cause]}): what is not in the cache is refused (503), hits go on`)
    } else if (cause === null && this.#shedsSince !== null) {
      const seconds = Math.round((now - this.#shedsSince) / 1_000)
      this.#shedsSince = null
      if (this.#isTold) problem(`no longer overloaded, after ${seconds} s: ${this.#shed} requests were refused`)
      if (this.#isTold) this.#shed = 0
    }
  }
}

const WORDS: Readonly<Record<LoadSignal, string>> = {
  'event-loop': 'more to do than the processor can',
  'origin-requests': 'too many requests to origins under way',
  memory: 'too much memory taken',
}

/** Processor time of this process. Milliseconds. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
