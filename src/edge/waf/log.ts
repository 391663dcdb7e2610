//! A line of a web ACL's log in AWS's format (https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html), and
//! whether the request is to be logged at all. One JSON document a line, in ASCII.
import type { Filter, LoggingConfiguration } from '@aws-sdk/client-wafv2'
import type { Stored } from '../../domain/waf/web-acl.ts'
import type { Evaluation } from './evaluate.ts'
import type { Inspected } from './inspected.ts'
import type { CountedRule, GroupPlan, RulePlan, Verdict, WebAclPlan } from './plan.ts'
import { challengeSeen } from './samples.ts'
import { seenCountry, seenHeaders, seenQuery } from './seen-request.ts'

type Logging = Stored<LoggingConfiguration>

type Seen = Pick<Evaluation, 'request' | 'counted'>

const HEADERS_MAX = 200
/** Characters of one value. */
const VALUE_MAX = 8_192
const REDACTED = 'REDACTED'

/** What of the viewer's request the rules do not look at. */
export interface LogSource {
  readonly distributionId: string
  readonly scheme: string
}

/** The first filter that matches says whether the request is logged; DefaultBehavior when none does. */
export function isLogged({ LoggingFilter: filter }: Logging, evaluation: Seen, verdict: Verdict): boolean {
  if (filter === undefined) return true
  const actions = actionsOf(evaluation, verdict)
  const first = filter.Filters?.find((one) => meets(one, actions, evaluation.request.labels))
  return (first?.Behavior ?? filter.DefaultBehavior) !== 'DROP'
}

/** The action that ended the evaluation, and those that did not. */
function actionsOf({ counted }: Seen, verdict: Verdict): ReadonlySet<string> {
  const actions = new Set<string>([verdict.action])
  for (const { rule, kind } of counted) {
    actions.add(rule.action?.overridden === 'excluded' ? 'EXCLUDED_AS_COUNT' : 'COUNT')
    if (kind === 'CAPTCHA' || kind === 'CHALLENGE') actions.add(kind)
  }
  return actions
}

function meets(
  { Conditions = [], Requirement }: Stored<Filter>,
  actions: ReadonlySet<string>,
  labels: readonly string[],
) {
  const met = Conditions.map(
    ({ ActionCondition, LabelNameCondition }) =>
      (ActionCondition?.Action !== undefined && actions.has(ActionCondition.Action)) ||
      (LabelNameCondition?.LabelName !== undefined && labels.includes(LabelNameCondition.LabelName)),
  )
  return Requirement === 'MEETS_ALL' ? met.every(Boolean) : met.some(Boolean)
}

/** With its end of line. */
export function wafLogLine(plan: WebAclPlan, { request, counted }: Seen, verdict: Verdict, source: LogSource): string {
  const { rule, within, action } = verdict
  const ended = within ?? rule
  const captcha = challengeSeen(request.captcha, 405)
  const challenge = challengeSeen(request.challenge, 202)
  const line = {
    timestamp: request.now,
    formatVersion: 1,
    webaclId: plan.arn,
    terminatingRuleId: ended?.name ?? 'Default_Action',
    terminatingRuleType: ended === null ? 'REGULAR' : typeOf(ended),
    action,
    terminatingRuleMatchDetails: [],
    httpSourceName: 'CF',
    httpSourceId: source.distributionId,
    ruleGroupList: groupsOf(counted, verdict),
    rateBasedRuleList: request.rates.map(({ rule: name, limitKey, limit, windowSeconds, values }) => ({
      rateBasedRuleId: `${plan.arn}/${name}`,
      rateBasedRuleName: name,
      limitKey,
      maxRateAllowed: limit,
      evaluationWindowSec: String(windowSeconds),
      ...(limitKey === 'CUSTOMKEYS' ? { customValues: values } : {}),
    })),
    nonTerminatingMatchingRules: counted.filter((one) => isOfAcl(one)).map((one) => countedEntry(one, request)),
    requestHeadersInserted:
      verdict.inserts.length === 0 ? null : verdict.inserts.map(([name, value]) => ({ name, value })),
    responseCodeSent: verdict.response?.status ?? null,
    httpRequest: httpRequest(plan, request, source),
    ...(request.labels.length === 0 ? {} : { labels: request.labels.map((name) => ({ name })) }),
    ...(captcha === null ? {} : { captchaResponse: forLog(captcha) }),
    ...(challenge === null ? {} : { challengeResponse: forLog(challenge) }),
    ...(request.body?.oversize ? { oversizeFields: ['REQUEST_BODY'] } : {}),
  }
  return `${asciiJson(line)}\n`
}

const forLog = ({ failureReason, ...rest }: NonNullable<ReturnType<typeof challengeSeen>>) =>
  failureReason === null ? { ...rest } : { ...rest, failureReason }

function typeOf({ group, rateBased }: RulePlan): string {
  if (group === null) return rateBased ? 'RATE_BASED' : 'REGULAR'
  return group.id.startsWith('arn:') ? 'GROUP' : 'MANAGED_RULE_GROUP'
}

/** A group whose result only counts is itself a rule of the web ACL that did not end the evaluation. */
const isOfAcl = ({ within }: CountedRule): boolean => within === null || within.action?.kind === 'COUNT'

function countedEntry({ rule, within, kind }: CountedRule, request: Inspected) {
  const seen =
    kind === 'CAPTCHA'
      ? challengeSeen(request.captcha, 405)
      : kind === 'CHALLENGE'
        ? challengeSeen(request.challenge, 202)
        : null
  return {
    ruleId: (within ?? rule).name,
    action: within === null && seen !== null ? kind : 'COUNT',
    ruleMatchDetails: [],
    ...(seen === null ? {} : { [kind === 'CAPTCHA' ? 'captchaResponse' : 'challengeResponse']: forLog(seen) }),
  }
}

interface GroupEntry {
  readonly ruleGroupId: string
  terminatingRule: object | null
  readonly nonTerminatingMatchingRules: object[]
  excludedRules: object[] | null
}

/** The groups of which a rule matched, in order. */
function groupsOf(counted: readonly CountedRule[], { rule, within, action }: Verdict): readonly GroupEntry[] {
  const entries = new Map<RulePlan, GroupEntry>()
  const entryOf = (reference: RulePlan): GroupEntry => {
    let entry = entries.get(reference)
    if (entry === undefined) {
      const { id } = reference.group as GroupPlan
      entry = { ruleGroupId: id, terminatingRule: null, nonTerminatingMatchingRules: [], excludedRules: null }
      entries.set(reference, entry)
    }
    return entry
  }
  for (const one of counted) {
    if (one.within === null) continue
    const entry = entryOf(one.within)
    const { overridden, kind, replaces } = one.rule.action ?? {}
    if (overridden === 'excluded')
      entry.excludedRules = [
        ...(entry.excludedRules ?? []),
        { exclusionType: 'EXCLUDED_AS_COUNT', ruleId: one.rule.name },
      ]
    else if (one.within.action?.kind === 'COUNT' && (kind === 'BLOCK' || kind === 'ALLOW'))
      entry.terminatingRule = { ruleId: one.rule.name, action: kind, ruleMatchDetails: null }
    else
      entry.nonTerminatingMatchingRules.push({
        ruleId: one.rule.name,
        action: one.kind === 'CAPTCHA' || one.kind === 'CHALLENGE' ? one.kind : 'COUNT',
        ...(overridden === 'override' ? { overriddenAction: replaces } : {}),
        ruleMatchDetails: [],
      })
  }
  if (rule !== null && within !== null)
    entryOf(within).terminatingRule = { ruleId: rule.name, action, ruleMatchDetails: null }
  return [...entries.values()]
}

function httpRequest(plan: WebAclPlan, request: Inspected, { scheme }: LogSource) {
  const redacted = redactedOf(plan.doc.logging ?? {})
  return {
    clientIp: request.address,
    country: seenCountry(request),
    headers: seenHeaders(request, HEADERS_MAX, VALUE_MAX).map(({ name, value }) => ({
      name,
      value: redacted.headers.has(name.toLowerCase()) ? REDACTED : value,
    })),
    uri: redacted.uri ? REDACTED : request.path,
    args: redacted.query ? REDACTED : seenQuery(request),
    httpVersion: `HTTP/${request.httpVersion}`,
    httpMethod: redacted.method ? REDACTED : request.method,
    requestId: request.requestId,
    fragment: '',
    scheme,
    host: request.headers.host,
  }
}

function redactedOf({ RedactedFields = [] }: Partial<Logging>) {
  return {
    uri: RedactedFields.some(({ UriPath }) => UriPath !== undefined),
    query: RedactedFields.some(({ QueryString }) => QueryString !== undefined),
    method: RedactedFields.some(({ Method }) => Method !== undefined),
    headers: new Set(RedactedFields.map(({ SingleHeader }) => SingleHeader?.Name?.toLowerCase() ?? '')),
  }
}

/** One character a byte on disk. */
const asciiJson = (document: unknown): string =>
  JSON.stringify(document).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
