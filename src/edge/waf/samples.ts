//! Samples of what rules matched in the last three hours (GetSampledRequests). Of each metric a few requests of every five
//! minutes, each as likely as any other, and how many there were: that is a sample's weight.
import type { ChallengeSeen, NameValue, Sample, SamplesFound } from '../../domain/waf/seen.ts'
import type { Evaluation } from './evaluate.ts'
import type { Inspected } from './inspected.ts'
import type { CountedRule, HeaderPair, RulePlan, Verdict, WebAclPlan } from './plan.ts'
import { seenCountry, seenHeaders, seenQuery } from './seen-request.ts'

/** What AWS keeps. Milliseconds. */
const SAMPLED_MS = 3 * 3_600_000
const SLOT_MS = 300_000
const KEPT_PER_SLOT = 14
/** Samples of all metrics of a worker, at most about 10 KB each and mostly 1 KB. The oldest slot leaves for more. */
const SAMPLES_MAX = 5_000
const HEADERS_MAX = 50
const VALUE_MAX = 1_024
/** Characters of all headers of a sample. */
const HEADERS_LENGTH_MAX = 8_192

/** As text: parts of a request would hold all of its bytes. */
interface Kept {
  readonly at: number
  readonly json: string
}

interface Slot {
  readonly number: number
  seen: number
  readonly kept: Kept[]
}

export class Samples {
  readonly #random: () => number
  /** By ARN of the web ACL, then by name of the metric; the oldest slot first. */
  readonly #webAcls = new Map<string, Map<string, Slot[]>>()
  #count = 0

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  get size(): number {
    return this.#count
  }

  /** The request under the metric of each rule that matched it, and the web ACL's own when none ended it. */
  add(plan: WebAclPlan, { request, counted: all }: Pick<Evaluation, 'request' | 'counted'>, verdict: Verdict): void {
    for (const counted of all) {
      this.#addMatch(plan, request, verdict, counted.rule, counted.within, 'COUNT', counted)
    }
    const { rule, within, action } = verdict
    if (rule !== null) {
      this.#addMatch(plan, request, verdict, rule, within, action, null)
      return
    }
    const { VisibilityConfig: visibility } = plan.doc.acl
    if (visibility?.SampledRequestsEnabled !== true) return
    this.#addOne(plan, visibility.MetricName ?? plan.doc.name, request, () =>
      sampleOf(request, verdict, action, null, null),
    )
  }

  /** At most `max` of a time span; the weights are those of its slots. */
  find(arn: string, metric: string, from: number, to: number, max: number): SamplesFound {
    const found: { weight: number; sample: Sample }[] = []
    let population = 0
    for (const { seen, kept } of this.#webAcls.get(arn)?.get(metric) ?? []) {
      const within = kept.filter(({ at }) => at >= from && at <= to)
      // What was not kept lay in the span as often as what was.
      population += Math.round((seen * within.length) / kept.length)
      for (const { json } of within)
        found.push({ weight: whole(seen / kept.length), sample: JSON.parse(json) as Sample })
    }
    if (found.length <= max) return { population, samples: found }
    const step = found.length / max
    const some = Array.from({ length: max }, (_, at) => found[Math.floor(at * step)] as (typeof found)[0])
    return { population, samples: some.map(({ weight, sample }) => ({ weight: whole(weight * step), sample })) }
  }

  /** A rule of a group counts under its own metric, and under that of the rule which refers to the group. */
  #addMatch(
    plan: WebAclPlan,
    request: Inspected,
    verdict: Verdict,
    rule: RulePlan,
    within: RulePlan | null,
    action: string,
    counted: CountedRule | null,
  ): void {
    const sample = (): Sample => sampleOf(request, verdict, action, within === null ? null : rule.name, counted)
    if (rule.sampled) this.#addOne(plan, rule.metricName, request, sample)
    if (within?.sampled && within.metricName !== rule.metricName) this.#addOne(plan, within.metricName, request, sample)
  }

  #addOne(plan: WebAclPlan, metric: string, request: Inspected, make: () => Sample): void {
    const slot = this.#slotOf(plan.arn, metric, request.now)
    slot.seen++
    if (slot.kept.length < KEPT_PER_SLOT) {
      if (this.#count >= SAMPLES_MAX) this.#forgetOldest()
      slot.kept.push(keptOf(make()))
      this.#count++
      return
    }
    const at = Math.floor(this.#random() * slot.seen)
    if (at < KEPT_PER_SLOT) slot.kept[at] = keptOf(make())
  }

  #slotOf(arn: string, metric: string, now: number): Slot {
    const number = Math.floor(now / SLOT_MS)
    let metrics = this.#webAcls.get(arn)
    if (metrics === undefined) {
      metrics = new Map()
      this.#webAcls.set(arn, metrics)
    }
    let slots = metrics.get(metric)
    if (slots === undefined) {
      slots = []
      metrics.set(metric, slots)
    }
    const newest = slots.at(-1)
    if (newest !== undefined && newest.number >= number) return newest
    while (slots[0] !== undefined && slots[0].number < number - SAMPLED_MS / SLOT_MS) this.#forgetFirst(slots)
    const slot: Slot = { number, seen: 0, kept: [] }
    slots.push(slot)
    return slot
  }

  #forgetFirst(slots: Slot[]): void {
    this.#count -= slots.shift()?.kept.length ?? 0
  }

  #forgetOldest(): void {
    let oldest: Slot[] | null = null
    for (const [arn, metrics] of this.#webAcls) {
      for (const [metric, slots] of metrics) {
        if (slots[0] === undefined) metrics.delete(metric)
        else if (oldest === null || slots[0].number < (oldest[0] as Slot).number) oldest = slots
      }
      if (metrics.size === 0) this.#webAcls.delete(arn)
    }
    if (oldest !== null) this.#forgetFirst(oldest)
  }
}

const keptOf = (sample: Sample): Kept => ({ at: sample.at, json: JSON.stringify(sample) })

/** The API tells whole numbers. */
const whole = (weight: number): number => Math.max(1, Math.round(weight))

const pairs = (headers: readonly HeaderPair[]): readonly NameValue[] =>
  headers.map(([name, value]) => ({ name, value }))

function sampleOf(
  request: Inspected,
  verdict: Verdict,
  action: string,
  ruleNameWithinRuleGroup: string | null,
  counted: CountedRule | null,
): Sample {
  const query = seenQuery(request)
  return {
    at: request.now,
    action,
    clientIp: request.address,
    country: seenCountry(request),
    uri: `${request.path}${query === '' ? '' : `?${query}`}`.slice(0, VALUE_MAX),
    method: request.method,
    httpVersion: `HTTP/${request.httpVersion}`,
    headers: seenHeaders(request, HEADERS_MAX, VALUE_MAX, HEADERS_LENGTH_MAX),
    ruleNameWithinRuleGroup,
    inserted: pairs(verdict.inserts),
    responseCodeSent: counted === null ? (verdict.response?.status ?? null) : null,
    labels: [...request.labels],
    overriddenAction: overriddenAction(counted?.rule ?? verdict.rule, counted),
    captcha: challengeSeen(request.captcha, 405),
    challenge: challengeSeen(request.challenge, 202),
  }
}

/** The rule's own action where an override has another one, or a group's result only counts. */
function overriddenAction(rule: RulePlan | null, counted: CountedRule | null): string | null {
  if (rule?.action?.replaces !== undefined) return rule.action.replaces
  return counted?.kind === 'BLOCK' || counted?.kind === 'ALLOW' ? counted.kind : null
}

export function challengeSeen(judgement: Inspected['captcha'], status: number): ChallengeSeen | null {
  if (judgement === null) return null
  const { accepted, solvedAt } = judgement
  return {
    responseCode: accepted ? 0 : status,
    solveTimestamp: solvedAt,
    failureReason: accepted ? null : judgement.reason,
  }
}
