//! Rule groups: create, read, replace, delete, list; and CheckCapacity, which people ask before they make one.
import type {
  CheckCapacityRequest,
  CheckCapacityResponse,
  CreateRuleGroupRequest,
  CreateRuleGroupResponse,
  DeleteRuleGroupRequest,
  GetRuleGroupRequest,
  GetRuleGroupResponse,
  LabelSummary,
  ListRuleGroupsRequest,
  ListRuleGroupsResponse,
  RuleGroup,
  UpdateRuleGroupRequest,
  UpdateRuleGroupResponse,
} from '@aws-sdk/client-wafv2'
import { invalidParameter } from '../../domain/waf/faults.ts'
import { WAF_LIMITS } from '../../domain/waf/limits.ts'
import type { RuleGroupRecord } from '../../domain/waf/records.ts'
import { statementsOf } from '../../domain/waf/walk.ts'
import type { Stored, StoredRule } from '../../domain/waf/web-acl.ts'
import type { Reader } from '../../state/state.ts'
import type { Operation } from '../service.ts'
import { checkBodies } from './action-checks.ts'
import { refuseNotBuilt } from './not-built.ts'
import { overLimit, tooFew } from './refusals.ts'
import {
  add,
  find,
  findLocked,
  labelNamespace,
  pageOf,
  remove,
  replace,
  requireUnused,
  summaryOf,
} from './resources.ts'
import { checkMetricName } from './rule-checks.ts'
import { acceptedRules } from './rules.ts'
import { requireScope } from './scope.ts'
import { shown, stored } from './stored-shape.ts'
import { rulesThatName } from './users.ts'

type Given = Pick<
  UpdateRuleGroupRequest,
  'Rules' | 'VisibilityConfig' | 'CustomResponseBodies' | 'Description' | 'MonetizationConfig'
>

/** What an update replaces. */
type Replaced = Pick<Stored<RuleGroup>, 'Description' | 'Rules' | 'VisibilityConfig' | 'CustomResponseBodies'>

/** @param capacity that was reserved. @throws as acceptedRules; WAFInvalidParameterException when the rules take more */
async function accepted(reader: Reader, given: Given, capacity: number): Promise<Replaced> {
  const bodies = stored(given.CustomResponseBodies ?? {})
  const visibility = stored(given.VisibilityConfig) as Stored<RuleGroup>['VisibilityConfig']
  checkMetricName(visibility.MetricName)
  checkBodies(bodies)
  const headers = { requests: 0, responses: 0 }
  const { rules, capacity: taken } = await acceptedRules(reader, given.Rules, { kind: 'RULE_GROUP', bodies }, headers)
  if (taken > capacity) throw tooFew('RULE_GROUP', `Capacity ${capacity}, and the rules take ${taken}`)
  refuseNotBuilt(rules, stored({ MonetizationConfig: given.MonetizationConfig }))
  return {
    Description: given.Description ?? '',
    Rules: rules,
    VisibilityConfig: visibility,
    ...(given.CustomResponseBodies === undefined ? {} : { CustomResponseBodies: bodies }),
  }
}

export const createRuleGroup: Operation<CreateRuleGroupRequest, CreateRuleGroupResponse> = async (input, context) => {
  requireScope(input.Scope)
  const { Capacity: capacity = 0 } = input
  if (capacity > WAF_LIMITS.ruleGroupCapacity) {
    throw overLimit('capacity units of a rule group', WAF_LIMITS.ruleGroupCapacity)
  }
  const record = await context.state.transact(async (tx) => {
    const replaced = await accepted(tx, input, capacity)
    return add(tx, 'rule-group', input, context, (identity) => ({
      ...identity,
      group: {
        Name: identity.name,
        Id: identity.id,
        Capacity: capacity,
        ARN: identity.arn,
        LabelNamespace: labelNamespace(context.accountId, 'rule-group', identity.name),
        ...replaced,
      },
    }))
  })
  return { Summary: summaryOf(record, record.group) }
}

export const getRuleGroup: Operation<GetRuleGroupRequest, GetRuleGroupResponse> = async (input, context) => {
  requireNamed(input)
  const record = await find(context.state, 'rule-group', input, context)
  return { RuleGroup: { ...shown<RuleGroup>(record.group), ...labelsOf(record) }, LockToken: record.lockToken }
}

/** By ARN, or by Name, Scope and Id. @throws WAFInvalidParameterException */
export function requireNamed({ ARN, Name, Scope, Id }: GetRuleGroupRequest): void {
  if (ARN !== undefined || (Name !== undefined && Scope !== undefined && Id !== undefined)) return
  throw invalidParameter('RESOURCE_ARN', 'ARN', 'Give the ARN, or Name, Scope and Id.')
}

/** Labels that its rules add, and labels that they look for. */
function labelsOf({ group }: RuleGroupRecord): Pick<RuleGroup, 'AvailableLabels' | 'ConsumedLabels'> {
  const rules = group.Rules ?? []
  const added = rules.flatMap((rule) =>
    (rule.RuleLabels ?? []).map(({ Name }) => `${group.LabelNamespace ?? ''}${Name}`),
  )
  return { AvailableLabels: summaries(added), ConsumedLabels: summaries(rules.flatMap(labelsLookedFor)) }
}

const labelsLookedFor = (rule: StoredRule): string[] =>
  [...statementsOf(rule)].flatMap(({ name, body }) =>
    name === 'LabelMatchStatement' && body.Scope === 'LABEL' ? [body.Key] : [],
  )

const summaries = (names: readonly string[]): LabelSummary[] => [...new Set(names)].map((Name) => ({ Name }))

/** A full replacement; the capacity stays what it is. */
export const updateRuleGroup: Operation<UpdateRuleGroupRequest, UpdateRuleGroupResponse> = async (input, context) => {
  const NextLockToken = await context.state.transact(async (tx) => {
    const record = await findLocked(tx, 'rule-group', input, context)
    const { CustomResponseBodies: _, ...kept } = record.group
    const group = { ...kept, ...(await accepted(tx, input, record.group.Capacity)) }
    return replace(tx, 'rule-group', { ...record, group })
  })
  return { NextLockToken }
}

export const deleteRuleGroup: Operation<DeleteRuleGroupRequest, object> = async (input, context) => {
  await context.state.transact(async (tx) => {
    const { arn } = await findLocked(tx, 'rule-group', input, context)
    requireUnused(arn, await rulesThatName(tx, arn))
    await remove(tx, 'rule-group', arn)
  })
  return {}
}

export const listRuleGroups: Operation<ListRuleGroupsRequest, ListRuleGroupsResponse> = async (input, { state }) => {
  const { records, next } = await pageOf(state, 'rule-group', input)
  return { ...next, RuleGroups: records.map((record) => summaryOf(record, record.group)) }
}

/** What is not built has its capacity all the same. */
export const checkCapacity: Operation<CheckCapacityRequest, CheckCapacityResponse> = async (input, { state }) => {
  requireScope(input.Scope)
  const headers = { requests: 0, responses: 0 }
  const { capacity } = await acceptedRules(state, input.Rules, { kind: 'WEB_ACL', bodies: null }, headers)
  return { Capacity: capacity }
}
