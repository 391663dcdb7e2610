//! What a worker has for web ACLs: rate counters, challenges, samples, logs and counts of what rules did; and it tells the
//! operator what could not be evaluated.
import type { Clock } from '../../lib/clock.ts'
import type { PeriodKeys } from '../../lib/period-keys.ts'
import { COUNTER, type Counters } from '../../observe/counters.ts'
import type { WorkerIdentity } from '../feed-protocol.ts'
import { answerPuzzle, type PuzzleAnswer, type PuzzleRequest } from './challenge/answers.ts'
import { Claims, claimEverywhere } from './challenge/claims.ts'
import { ChallengeDesk } from './challenge/desk.ts'
import { PuzzleLimits } from './challenge/limits.ts'
import type { Challenges } from './challenges.ts'
import type { Evaluation, Evaluator } from './evaluate.ts'
import type { LogSource } from './log.ts'
import { WafLogs } from './log-files.ts'
import { PeerLines } from './peer-lines.ts'
import type { WafAnswer, WafQuestion } from './peer-question.ts'
import type { RulePlan, Verdict, WebAclPlan } from './plan.ts'
import { RateCounters } from './rate/counters.ts'
import { RuleCounts } from './rule-counts.ts'
import { Samples } from './samples.ts'

/** Milliseconds between two lines about what cannot be evaluated. */
const PROBLEM_EVERY_MS = 1_000

const VERDICT_COUNTER = {
  ALLOW: COUNTER.wafAllowed,
  BLOCK: COUNTER.wafBlocked,
  CAPTCHA: COUNTER.wafChallenged,
  CHALLENGE: COUNTER.wafChallenged,
} as const satisfies Readonly<Record<Verdict['action'], number>>

export interface WafParts {
  /** Name of this worker. */
  readonly name: string
  readonly counters: Counters
  readonly clock: Clock
  /** The live workers of the POP, this one included. */
  readonly workers: () => readonly WorkerIdentity[]
  /** What tokens are signed with. */
  readonly keys: Pick<PeriodKeys, 'keys' | 'close'>
  /** Directory of the home's logs. */
  readonly logDirectory: string
  readonly problem: (message: string) => void
}

export class Waf implements Evaluator {
  readonly challenges: Challenges
  readonly rates: RateCounters
  readonly samples = new Samples()
  readonly rules = new RuleCounts()
  readonly #parts: WafParts
  readonly #desk: ChallengeDesk
  readonly #limits: PuzzleLimits
  readonly #claims = new Claims()
  readonly #peers = new PeerLines()
  readonly #logs: WafLogs
  #lastProblem = Number.NEGATIVE_INFINITY

  constructor(parts: WafParts) {
    const { name, clock, workers, keys, counters, problem } = parts
    this.#parts = parts
    this.rates = new RateCounters({
      name,
      now: () => clock.now(),
      workers,
      ask: (worker, question) => this.#peers.ask(worker, question),
    })
    this.#desk = new ChallengeDesk(() => keys.keys)
    this.challenges = this.#desk
    this.#limits = new PuzzleLimits(() => clock.monotonic())
    this.#logs = new WafLogs({ directory: parts.logDirectory, worker: name, clock, counters, problem })
  }

  /** Answers another worker of the POP. */
  answer(question: WafQuestion): WafAnswer {
    if (question.waf !== 'claim') return this.rates.answer(question)
    return { first: this.#claims.claim(question.id, question.until, this.#parts.clock.now()) }
  }

  /** Answers what a challenge's page asks for (stages/waf-puzzle.ts). */
  answerPuzzle(request: PuzzleRequest): PuzzleAnswer | Promise<PuzzleAnswer> {
    const { name, workers, clock, counters } = this.#parts
    const now = (): number => clock.now()
    const ask: PeerLines['ask'] = (worker, question) => this.#peers.ask(worker, question)
    return answerPuzzle(request, {
      desk: this.#desk,
      limits: this.#limits,
      claim: (id, until) => claimEverywhere(id, until, { name, workers, ask, claims: this.#claims, now }),
      counted: (what) => counters.add(what === 'solved' ? COUNTER.wafSolved : COUNTER.wafUnsolved),
    })
  }

  /** A rule could not be evaluated, and counts as one that matched. */
  failed(plan: WebAclPlan, rule: RulePlan, error: unknown): void {
    this.#parts.counters.add(COUNTER.wafRuleFailures)
    const what = error instanceof Error ? error.message : String(error)
    this.#tell(`web ACL ${plan.doc.name}: the rule ${rule.name} cannot be evaluated and counts as a match: ${what}`)
  }

  /** A request was refused because its web ACL is not there, or cannot be evaluated. */
  refused(arn: string, why: string): void {
    this.#parts.counters.add(COUNTER.wafRefusals)
    this.#tell(`web ACL ${arn}: requests are refused with 503: ${why}`)
  }

  decided(plan: WebAclPlan, evaluation: Evaluation, verdict: Verdict, source: LogSource): void {
    const { counters } = this.#parts
    counters.add(VERDICT_COUNTER[verdict.action])
    if (evaluation.counted.length > 0) counters.add(COUNTER.wafCounted)
    this.rules.add(plan, evaluation, verdict)
    this.samples.add(plan, evaluation, verdict)
    if (plan.doc.logging !== undefined) this.#logs.add(plan, evaluation, verdict, source)
  }

  async close(): Promise<void> {
    this.rates.close()
    this.#peers.close()
    this.#parts.keys.close()
    await this.#logs.close()
  }

  #tell(message: string): void {
    const now = this.#parts.clock.monotonic()
    if (now - this.#lastProblem < PROBLEM_EVERY_MS) return
    this.#lastProblem = now
    this.#parts.problem(message)
  }
}
