//! Runs logged requests through a web ACL and adds up what its rules would have done. What a log does not have (bodies, most
//! headers) no rule finds: the result says which rules look at it.
import type { WebAclDoc } from '../../../domain/waf/web-acl.ts'
import type { GeoLookup } from '../../geo/geo.ts'
import { compileWebAcl } from '../compile.ts'
import { Evaluation, type Evaluator, evaluate } from '../evaluate.ts'
import { Inspected, NO_BODY } from '../inspected.ts'
import type { RulePlan, Verdict, WebAclPlan } from '../plan.ts'
import { RateCounters } from '../rate/counters.ts'
import { RuleCounts } from '../rule-counts.ts'
import { type LoggedRequest, LogReader } from './log-line.ts'

export interface ReplayTotals {
  readonly lines: number
  /** Lines that no request could be read from. */
  readonly unreadable: number
  readonly requests: number
  readonly allowed: number
  readonly blocked: number
  readonly challenged: number
  /** Requests that a rule matched which let them go on. */
  readonly counted: number
  /** Of the blocked and challenged, those whose viewers had got an answer below 400. */
  readonly wouldHaveLost: number
  /** By rule, the busiest first. */
  readonly rules: ReturnType<RuleCounts['all']>
  /** Rules that look at bodies: a log has none. */
  readonly bodyRules: readonly string[]
  /** Rules that could not be evaluated, and why: each of their requests counts as a match. */
  readonly failures: Readonly<Record<string, string>>
}

/** A request that was not simply let through. */
export interface Replayed {
  /** Number of its line, from 1. */
  readonly line: number
  readonly logged: LoggedRequest
  readonly action: Verdict['action']
  /** `RULE`, `GROUP-RULE/RULE`; null for the default action. */
  readonly rule: string | null
  readonly counted: readonly string[]
}

export class Replay {
  readonly #plan: WebAclPlan
  readonly #geo: Pick<GeoLookup, 'find' | 'placesAddresses' | 'knowsSystems'>
  readonly #reader = new LogReader()
  readonly #rules = new RuleCounts()
  readonly #failures: Record<string, string> = {}
  readonly #evaluator: Evaluator
  readonly #rates: RateCounters
  #now = 0
  #lines = 0
  #unreadable = 0
  readonly #verdicts: Record<Verdict['action'], number> = { ALLOW: 0, BLOCK: 0, CAPTCHA: 0, CHALLENGE: 0 }
  #counted = 0
  #wouldHaveLost = 0

  /** @throws an error for a person when the web ACL cannot be evaluated */
  constructor(doc: WebAclDoc, geo: Pick<GeoLookup, 'find' | 'placesAddresses' | 'knowsSystems'>) {
    this.#plan = compileWebAcl(doc)
    if (this.#plan.broken !== null) throw new Error(this.#plan.broken)
    this.#geo = geo
    this.#rates = new RateCounters({ name: '', now: () => this.#now, workers: () => [], ask: async () => null })
    this.#evaluator = {
      failed: (_, rule, error) => {
        this.#failures[rule.name] ??= (error as Error).message
      },
      // Who would have solved one, nobody knows.
      challenges: {
        passes: () => false,
        fault: () => {
          throw new Error('nobody is answered')
        },
      },
    }
  }

  /** Null for a line that every rule lets go, or that tells of no request. */
  line(text: string): Replayed | null {
    this.#lines++
    const logged = this.#reader.read(text)
    if (logged === null) return null
    if (logged === undefined) {
      this.#unreadable++
      return null
    }
    // Logs are not quite in order: a window only goes forward.
    this.#now = Math.max(this.#now, logged.at ?? 0)
    const clock = { now: () => this.#now }
    const around = { geo: this.#geo, clock, waf: { rates: this.#rates } }
    const request = new Inspected(logged.request, logged.address, logged.requestId, around, NO_BODY)
    const evaluation = new Evaluation(request)
    // With a body, if an empty one, it waits for nothing.
    const verdict = evaluate(this.#plan, evaluation, this.#evaluator) as Verdict
    this.#rules.add(this.#plan, evaluation, verdict)
    this.#verdicts[verdict.action]++
    if (evaluation.counted.length > 0) this.#counted++
    const refused = verdict.action !== 'ALLOW'
    if (refused && logged.status > 0 && logged.status < 400) this.#wouldHaveLost++
    if (!refused && evaluation.counted.length === 0) return null
    return {
      line: this.#lines,
      logged,
      action: verdict.action,
      rule: verdict.rule === null ? null : nameOf(verdict.rule, verdict.within),
      counted: evaluation.counted.map((one) => nameOf(one.rule, one.within)),
    }
  }

  get totals(): ReplayTotals {
    const { ALLOW, BLOCK, CAPTCHA, CHALLENGE } = this.#verdicts
    const busy = ({ counts }: { counts: Readonly<Record<string, number>> }): number =>
      Object.values(counts).reduce((sum, count) => sum + count, 0)
    return {
      lines: this.#lines,
      unreadable: this.#unreadable,
      requests: ALLOW + BLOCK + CAPTCHA + CHALLENGE,
      allowed: ALLOW,
      blocked: BLOCK,
      challenged: CAPTCHA + CHALLENGE,
      counted: this.#counted,
      wouldHaveLost: this.#wouldHaveLost,
      rules: [...this.#rules.all()].sort((one, other) => busy(other) - busy(one)),
      bodyRules: this.#plan.rules.filter(({ needsBody }) => needsBody).map(({ name }) => name),
      failures: this.#failures,
    }
  }

  close(): void {
    this.#rates.close()
  }
}

const nameOf = (rule: RulePlan, within: RulePlan | null): string =>
  within === null ? rule.name : `${within.name}/${rule.name}`
