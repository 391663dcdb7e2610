//! The counters of rate-based rules of one worker (DESIGN 4): each worker counts what it sees, and tells the worker that the
//! hash of a key names, which adds up what all of them have and tells everybody which keys are over their limit. A
//! decision never waits: the owner of a key knows all but the last moment (FLUSH_MS) of the others, the others know its
//! last word and their own counts. When an owner is away, each worker goes on with what it has seen itself, keys that
//! were over stay so until their window would have emptied, and the next owner gets the counts that everybody has.
import { ownersOf } from '../../cache/owner.ts'
import type { WorkerIdentity } from '../../feed-protocol.ts'
import type { AskWorker } from '../peer-lines.ts'
import type { KeyCounts, KeyOver, RateRule, WafAnswer, WafQuestion } from '../peer-question.ts'
import { type KeyBudget, type SliceCount, SlidingCounts, underLimitAt } from './sliding-counts.ts'

/** Counts wait so long for others before they are told to the owner. Milliseconds. */
const FLUSH_MS = 100
/** After an owner did not answer, as often as that. */
const FAILED_FLUSHES = 10
/** Keys of one rule, in one table. */
const KEYS_MAX = 50_000
/** Keys of all rules together: about 250 bytes each. */
const ALL_KEYS_MAX = 300_000
/** Keys over their limit that are remembered for one rule. */
const OVER_MAX = 50_000
/** Counts in one message, which has to stay below the bytes that a peer reads (peers/server.ts). */
const COUNTS_PER_MESSAGE = 1_000
/** A new owner is told of keys that have reached this part of their limit: the many others would be a flood. */
const TOLD_FROM = 1 / 20
/** How often rules that nobody uses are looked for. Milliseconds. */
const LOOK_MS = 10_000
/** Keys that one look goes through for such as have become empty. */
const SWEPT = 500

export interface CountersParts {
  /** Name of this worker. */
  readonly name: string
  /** Milliseconds since the epoch, of the movable clock. */
  readonly now: () => number
  /** The live workers of the POP, this one included. */
  readonly workers: () => readonly WorkerIdentity[]
  readonly ask: AskWorker
  readonly flushMs?: number
  readonly keysMax?: number
}

interface Over {
  /** Milliseconds since the epoch. */
  readonly until: number
  /** Slice in which that was found out. */
  readonly slice: number
}

class RuleState {
  readonly rule: RateRule
  /** What this worker has seen. */
  readonly own: SlidingCounts
  /** What others have seen of the keys that are this worker's, by their name and pid. */
  readonly from = new Map<string, SlidingCounts>()
  /** What their owners have not been told yet: slice, count, slice, count ... */
  pending = new Map<string, number[]>()
  /** Keys over their limit: what owners have said, or what this worker as the owner has told. */
  readonly over = new Map<string, Over>()
  /** Those of them that the others are to hear of. */
  news = new Map<string, number>()
  usedAt = 0

  constructor(rule: RateRule, own: SlidingCounts) {
    this.rule = rule
    this.own = own
  }

  total(key: string, now: number): number {
    let total = this.own.count(key, now)
    for (const table of this.from.values()) total += table.count(key, now)
    return total
  }

  mergedSlices(key: string, now: number): readonly SliceCount[] {
    if (this.from.size === 0) return this.own.slicesOf(key, now)
    const merged = new Map<number, number>()
    for (const table of [this.own, ...this.from.values()])
      for (const [slice, count] of table.slicesOf(key, now)) merged.set(slice, (merged.get(slice) ?? 0) + count)
    return [...merged].sort(([one], [other]) => one - other)
  }

  /** Remembers a key; the one that was entered first leaves for it. */
  remember(key: string, over: Over): void {
    this.over.delete(key)
    if (this.over.size >= OVER_MAX) for (const first of this.over.keys()) if (this.over.delete(first)) break
    this.over.set(key, over)
  }

  clear(): void {
    this.own.clear()
    for (const table of this.from.values()) table.clear()
  }
}

export class RateCounters {
  readonly #parts: CountersParts
  readonly #rules = new Map<string, RuleState>()
  readonly #budget: KeyBudget = { left: ALL_KEYS_MAX }
  readonly #self: string
  /** Workers, by name and pid, that have to be told everything before they are told of what is new. */
  readonly #anew = new Set<string>()
  #workers: readonly WorkerIdentity[] = []
  #met = ''
  #timer: NodeJS.Timeout | null = null
  #flushing = false
  #closed = false
  #lookedAt = 0

  constructor(parts: CountersParts) {
    this.#parts = parts
    this.#self = `${parts.name}/${process.pid}`
  }

  /** Counts a request; true when its key has had more than the limit in the window, this request included. */
  hit(rule: RateRule, key: string): boolean {
    const now = this.#parts.now()
    const state = this.#stateOf(rule, now)
    const slice = state.own.sliceAt(now)
    const own = state.own.add(key, slice, 1, now)
    const wasOver = state.over.size > 0 && (state.over.get(key)?.until ?? 0) > now
    if (this.#isOwner(rule, key, this.#parts.workers())) {
      const isOver = own + this.#ofOthers(state, key, now) > rule.limit
      if (isOver) this.#announce(state, key, slice, now)
      return isOver || wasOver
    }
    const waiting = state.pending.get(key)
    if (waiting === undefined) state.pending.set(key, [slice, 1])
    else if (waiting[waiting.length - 2] === slice) waiting[waiting.length - 1]! += 1
    else waiting.push(slice, 1)
    this.#soon(this.#flushMs)
    return own > rule.limit || wasOver
  }

  /** Answers another worker. */
  answer(question: Exclude<WafQuestion, { readonly waf: 'claim' }>): WafAnswer {
    const now = this.#parts.now()
    const states = question.rules.map((rule) => this.#stateOf(rule, now))
    if (question.waf === 'over') {
      for (const [at, key, until] of question.over) this.#hear(states[at], key, until, now)
      return { over: [] }
    }
    const { from, counts } = question
    if (question.reset)
      for (const state of this.#rules.values()) {
        state.from.get(from)?.clear()
        state.from.delete(from)
      }
    const over: KeyOver[] = []
    for (const [at, key, ...slices] of counts) {
      const state = states[at]
      if (state === undefined) continue
      let table = state.from.get(from)
      if (table === undefined) {
        table = this.#table(state.rule)
        state.from.set(from, table)
      }
      for (let i = 0; i + 1 < slices.length; i += 2) table.add(key, slices[i] as number, slices[i + 1] as number, now)
      if (state.total(key, now) <= state.rule.limit) continue
      this.#announce(state, key, state.own.sliceAt(now), now)
      over.push([at, key, state.over.get(key)?.until ?? now + state.own.sliceMs])
    }
    return { over }
  }

  /** Keys that this worker answers for and that are over their limit now. */
  keysOver(isRule: (id: string) => boolean, max: number): readonly string[] {
    const now = this.#parts.now()
    const workers = this.#parts.workers()
    const found = new Set<string>()
    for (const state of this.#rules.values()) {
      if (!isRule(state.rule.id)) continue
      for (const table of [state.own, ...state.from.values()])
        for (const key of table.keys()) {
          if (found.size >= max) return [...found]
          if (state.total(key, now) > state.rule.limit && this.#isOwner(state.rule, key, workers)) found.add(key)
        }
    }
    return [...found]
  }

  /** Keys that are held, and those that had to leave while they still counted. */
  get seen(): { readonly keys: number; readonly dropped: number } {
    let dropped = 0
    for (const { own, from } of this.#rules.values()) {
      dropped += own.dropped
      for (const table of from.values()) dropped += table.dropped
    }
    return { keys: ALL_KEYS_MAX - this.#budget.left, dropped }
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#closed = true
  }

  get #flushMs(): number {
    return this.#parts.flushMs ?? FLUSH_MS
  }

  #stateOf(rule: RateRule, now: number): RuleState {
    if (now - this.#lookedAt > LOOK_MS) this.#forgetUnused(now)
    let state = this.#rules.get(rule.id)
    if (state === undefined) {
      state = new RuleState(rule, this.#table(rule))
      this.#rules.set(rule.id, state)
    }
    state.usedAt = now
    return state
  }

  #table({ windowMs }: RateRule): SlidingCounts {
    return new SlidingCounts(windowMs, this.#parts.keysMax ?? KEYS_MAX, this.#budget)
  }

  #ofOthers(state: RuleState, key: string, now: number): number {
    if (state.from.size === 0) return 0
    let sum = 0
    for (const table of state.from.values()) sum += table.count(key, now)
    return sum
  }

  #isOwner(rule: RateRule, key: string, workers: readonly WorkerIdentity[]): boolean {
    return workers.length < 2 || this.#ownerOf(rule, key, workers)?.worker === this.#parts.name
  }

  #ownerOf({ id }: RateRule, key: string, workers: readonly WorkerIdentity[]): WorkerIdentity | undefined {
    return ownersOf(`${id}\n${key}`, workers)[0]
  }

  /** As the owner: everybody is to hear that the key is over, once in each slice. */
  #announce(state: RuleState, key: string, slice: number, now: number): void {
    if (this.#parts.workers().length < 2 || state.over.get(key)?.slice === slice) return
    const until = underLimitAt(state.mergedSlices(key, now), state.rule.limit, state.own.sliceMs)
    state.remember(key, { until, slice })
    state.news.set(key, until)
    this.#soon(this.#flushMs)
  }

  #hear(state: RuleState | undefined, key: string, until: number, now: number): void {
    if (state === undefined || until <= now) return
    const known = state.over.get(key)?.until ?? 0
    if (until > known) state.remember(key, { until, slice: -1 })
  }

  #soon(ms: number): void {
    if (this.#timer !== null || this.#flushing || this.#closed) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      void this.#flush()
    }, ms).unref()
  }

  async #flush(): Promise<void> {
    this.#flushing = true
    this.#meet()
    const others = this.#workers.filter(({ worker }) => worker !== this.#parts.name)
    const messages = this.#messages(others)
    const told = await Promise.all(others.map((worker) => this.#tell(worker, messages.get(worker.worker) ?? [])))
    this.#flushing = false
    for (const state of this.#rules.values()) this.#forgetOver(state)
    const isMore = this.#anew.size > 0 || this.#rules.values().some(({ pending, news }) => pending.size + news.size > 0)
    if (isMore) this.#soon(told.includes(false) ? FAILED_FLUSHES * this.#flushMs : this.#flushMs)
  }

  /** After a change among the workers keys have other owners: each is told anew. */
  #meet(): void {
    this.#workers = this.#parts.workers()
    const met = this.#workers.map((worker) => `${worker.worker}/${worker.pid}/${worker.peerSocket}`).join()
    if (met === this.#met) return
    this.#met = met
    this.#anew.clear()
    for (const { worker } of this.#workers) if (worker !== this.#parts.name) this.#anew.add(worker)
  }

  /** What each is to be told, made at once: what is counted from here on waits for the next time. */
  #messages(others: readonly WorkerIdentity[]): Map<string, WafQuestion[]> {
    const now = this.#parts.now()
    const counts = new Map<string, { rule: RateRule; key: string; slices: number[] }[]>()
    const add = (rule: RateRule, key: string, slices: number[], onlyAnew: boolean): void => {
      const owner = this.#ownerOf(rule, key, this.#workers)?.worker
      if (owner === undefined || owner === this.#parts.name || this.#anew.has(owner) !== onlyAnew) return
      const list = counts.get(owner)
      if (list === undefined) counts.set(owner, [{ rule, key, slices }])
      else list.push({ rule, key, slices })
    }
    for (const { rule, own, pending } of this.#rules.values()) {
      for (const [key, slices] of pending) add(rule, key, slices, false)
      if (this.#anew.size === 0) continue
      for (const key of own.keys())
        if (own.count(key, now) >= rule.limit * TOLD_FROM) add(rule, key, own.slicesOf(key, now).flat(), true)
    }
    const messages = new Map<string, WafQuestion[]>()
    for (const { worker } of others) {
      const list = counts.get(worker) ?? []
      const all: WafQuestion[] = []
      const reset = this.#anew.has(worker)
      for (let at = 0; at < list.length || (reset && at === 0); at += COUNTS_PER_MESSAGE) {
        const part = list.slice(at, at + COUNTS_PER_MESSAGE)
        const rules = [...new Set(part.map(({ rule }) => rule))]
        const counted = part.map(({ rule, key, slices }): KeyCounts => [rules.indexOf(rule), key, ...slices])
        all.push({ waf: 'counts', from: this.#self, reset: reset && at === 0, rules, counts: counted })
      }
      messages.set(worker, [...all, ...this.#newsOf()])
    }
    for (const state of this.#rules.values()) {
      state.pending = new Map()
      state.news = new Map()
    }
    return messages
  }

  #newsOf(): WafQuestion[] {
    const all: { rule: RateRule; key: string; until: number }[] = []
    for (const { rule, news } of this.#rules.values()) for (const [key, until] of news) all.push({ rule, key, until })
    const messages: WafQuestion[] = []
    for (let at = 0; at < all.length; at += COUNTS_PER_MESSAGE) {
      const part = all.slice(at, at + COUNTS_PER_MESSAGE)
      const rules = [...new Set(part.map(({ rule }) => rule))]
      const over = part.map(({ rule, key, until }): KeyOver => [rules.indexOf(rule), key, until])
      messages.push({ waf: 'over', rules, over })
    }
    return messages
  }

  /** False when it does not answer: nobody knows what it has heard, and it is told everything the next time. */
  async #tell(worker: WorkerIdentity, messages: readonly WafQuestion[]): Promise<boolean> {
    for (const message of messages) {
      const answer = await this.#parts.ask(worker, message)
      if (answer === null || !('over' in answer)) {
        this.#anew.add(worker.worker)
        return false
      }
      const now = this.#parts.now()
      const rules = message.waf === 'counts' ? message.rules : []
      for (const [at, key, until] of answer.over)
        this.#hear(this.#rules.get((rules[at] as RateRule | undefined)?.id ?? ''), key, until, now)
    }
    if (messages.length > 0) this.#anew.delete(worker.worker)
    return true
  }

  #forgetOver({ over }: RuleState): void {
    const now = this.#parts.now()
    let looked = 0
    for (const [key, { until }] of over) {
      if (++looked > SWEPT) break
      if (until <= now) over.delete(key)
    }
  }

  /** What nobody has used for a whole window has no counts left. */
  #forgetUnused(now: number): void {
    this.#lookedAt = now
    for (const [id, state] of this.#rules) {
      const { rule, own, from } = state
      if (now - state.usedAt > rule.windowMs * 2) {
        state.clear()
        this.#rules.delete(id)
        continue
      }
      own.sweep(now, SWEPT)
      for (const [worker, table] of from) {
        table.sweep(now, SWEPT)
        if (table.size === 0) from.delete(worker)
      }
    }
  }
}
