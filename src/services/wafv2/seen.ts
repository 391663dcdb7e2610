//! What edges have seen of requests that web ACLs looked at: samples, and whom rate-based rules refuse.
import type {
  GetRateBasedStatementManagedKeysRequest,
  GetRateBasedStatementManagedKeysResponse,
  GetSampledRequestsRequest,
  GetSampledRequestsResponse,
  HTTPHeader,
  SampledHTTPRequest,
} from '@aws-sdk/client-wafv2'
import { invalidParameter, wafFault } from '../../domain/waf/faults.ts'
import type { RuleGroupRecord } from '../../domain/waf/records.ts'
import type { ChallengeSeen, NameValue, Sample } from '../../domain/waf/seen.ts'
import type { StoredRule } from '../../domain/waf/web-acl.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { find, missing } from './resources.ts'
import { requireScope } from './scope.ts'

/** How far back samples go. Milliseconds. */
const SAMPLED_MS = 3 * 3_600_000

const noEdges = () => ({ population: 0, samples: [] })

/** Times before those that are sampled begin with those, as AWS does it. */
export const getSampledRequests: Operation<GetSampledRequestsRequest, GetSampledRequestsResponse> = async (
  input,
  context,
) => {
  requireScope(input.Scope)
  const { arn } = await find(context.state, 'web-acl', { ARN: input.WebAclArn }, context)
  const now = context.clock.now()
  const from = Math.max(input.TimeWindow?.StartTime?.getTime() ?? 0, now - SAMPLED_MS)
  const to = Math.min(input.TimeWindow?.EndTime?.getTime() ?? now, now)
  if (from > to) {
    const reason = `The end of the time window is before its start, or more than ${SAMPLED_MS / 3_600_000} hours ago.`
    throw invalidParameter('ENTITY_LIMIT', 'TimeWindow', reason)
  }
  const wanted = { webAcl: arn, metric: input.RuleMetricName ?? '', from, to, max: input.MaxItems ?? 1 }
  const { population, samples } = (await context.waf?.samples(wanted)) ?? noEdges()
  return {
    SampledRequests: samples.map(({ weight, sample }) => ({ ...shownSample(sample), Weight: weight })),
    PopulationSize: population,
    TimeWindow: { StartTime: new Date(from), EndTime: new Date(to) },
  }
}

const headers = (list: readonly NameValue[]): HTTPHeader[] =>
  list.map(({ name, value }) => ({ Name: name, Value: value }))

function shownSample(sample: Sample): Omit<SampledHTTPRequest, 'Weight'> {
  const { ruleNameWithinRuleGroup: rule, responseCodeSent: status, overriddenAction, captcha, challenge } = sample
  return {
    Request: {
      ClientIP: sample.clientIp,
      Country: sample.country,
      URI: sample.uri,
      Method: sample.method,
      HTTPVersion: sample.httpVersion,
      Headers: headers(sample.headers),
    },
    Timestamp: new Date(sample.at),
    Action: sample.action,
    ...(rule === null ? {} : { RuleNameWithinRuleGroup: rule }),
    ...(sample.inserted.length === 0 ? {} : { RequestHeadersInserted: headers(sample.inserted) }),
    ...(status === null ? {} : { ResponseCodeSent: status }),
    Labels: sample.labels.map((Name) => ({ Name })),
    ...(captcha === null ? {} : { CaptchaResponse: shownChallenge(captcha) }),
    ...(challenge === null ? {} : { ChallengeResponse: shownChallenge(challenge) }),
    ...(overriddenAction === null ? {} : { OverriddenAction: overriddenAction }),
  }
}

const shownChallenge = ({ responseCode, solveTimestamp, failureReason }: ChallengeSeen) => ({
  ResponseCode: responseCode,
  SolveTimestamp: solveTimestamp,
  ...(failureReason === null ? {} : { FailureReason: failureReason as 'TOKEN_MISSING' }),
})

/** @throws WAFNonexistentItemException */
function ruleNamed(rules: readonly StoredRule[], name: string): StoredRule {
  const rule = rules.find(({ Name }) => Name === name)
  if (rule === undefined) throw missing(`there is no rule ${name} there`)
  return rule
}

async function groupNamedBy({ Name, Statement }: StoredRule, context: ServiceContext): Promise<RuleGroupRecord> {
  const { ARN: arn } = Statement.RuleGroupReferenceStatement ?? {}
  if (arn === undefined) throw missing(`the rule ${Name} names no rule group`)
  return find(context.state, 'rule-group', { ARN: arn }, context)
}

/** Only for rules that count addresses: other keys AWS does not tell either. */
export const getRateBasedStatementManagedKeys: Operation<
  GetRateBasedStatementManagedKeysRequest,
  GetRateBasedStatementManagedKeysResponse
> = async (input, context) => {
  const named = { Name: input.WebACLName, Id: input.WebACLId, Scope: input.Scope }
  const { arn, acl } = await find(context.state, 'web-acl', named, context)
  const { RuleGroupRuleName: reference, RuleName: name = '' } = input
  const rules = acl.Rules ?? []
  const group = reference === undefined ? null : await groupNamedBy(ruleNamed(rules, reference), context)
  const rule = ruleNamed(group === null ? rules : (group.group.Rules ?? []), name)
  const { AggregateKeyType: type } = rule.Statement.RateBasedStatement ?? {}
  if (type === undefined) throw missing(`the rule ${rule.Name} is not rate-based`)
  if (type !== 'IP' && type !== 'FORWARDED_IP') {
    throw wafFault(
      'WAFUnsupportedAggregateKeyTypeException',
      `The rule ${rule.Name} counts by ${type}: only the keys of rules that count addresses are managed so.`,
    )
  }
  const keys = (await context.waf?.rateLimited({ webAcl: arn, group: group?.arn ?? null, rule: rule.Name })) ?? []
  const of = (version: 'IPV4' | 'IPV6') => ({
    IPAddressVersion: version,
    Addresses: keys
      .filter((address) => address.includes(':') === (version === 'IPV6'))
      .map((address) => `${address}/${version === 'IPV6' ? 128 : 32}`),
  })
  return { ManagedKeysIPV4: of('IPV4'), ManagedKeysIPV6: of('IPV6') }
}
