//! Nothing is accepted and ignored: every member of what CreateWebACL, CreateRuleGroup, CreateIPSet, CreateRegexPatternSet and
//! PutLoggingConfiguration take has a constraint, acts, is checked, or is refused by name. A member that a newer SDK brings
//! fails here until it is one of these.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as wafv2 from '@aws-sdk/client-wafv2'
import type { NormalizedSchema } from '@smithy/core/schema'
import { modelOf } from '../../aws/model.ts'
import {
  ACTIONS,
  CUSTOM_KEYS,
  FIELDS,
  MANAGED_GROUP_CONFIGS,
  SETTINGS,
  STATEMENTS,
} from '../../domain/waf/statements.ts'
import { WAF_CONSTRAINTS } from './constraints.ts'

const MODEL = modelOf(wafv2)
const OPERATIONS = [
  'CreateWebACL',
  'UpdateWebACL',
  'CreateRuleGroup',
  'UpdateRuleGroup',
  'CreateIPSet',
  'UpdateIPSet',
  'CreateRegexPatternSet',
  'PutLoggingConfiguration',
]

/** `Structure.Member` of all that the inputs reach, each once. */
function members(): Map<string, NormalizedSchema> {
  const found = new Map<string, NormalizedSchema>()
  const go = (schema: NormalizedSchema): void => {
    if (schema.isListSchema() || schema.isMapSchema()) go(schema.getValueSchema())
    if (!schema.isStructSchema()) return
    for (const [name, member] of schema.structIterator()) {
      const key = `${schema.getName()}.${name}`
      if (found.has(key)) continue
      found.set(key, member)
      go(member)
    }
  }
  for (const name of OPERATIONS) go(MODEL.operations.get(name)?.input ?? assert.fail(name))
  return found
}

/** Members of these structures are rows of domain/waf/statements.ts: built, or refused with 501 and their name. */
const TABLES: Readonly<Record<string, object>> = {
  Statement: STATEMENTS,
  FieldToMatch: FIELDS,
  RuleAction: ACTIONS,
  DefaultAction: ACTIONS,
  RateBasedStatementCustomKey: CUSTOM_KEYS,
  ManagedRuleGroupConfig: MANAGED_GROUP_CONFIGS,
}

/** Inside what is refused whole. */
const REFUSED_WHOLE =
  /^(AWSManagedRules|RequestInspection|ResponseInspection|ClientSideAction|Monetiz|Crypto|Payment|Price|DataProtection|FieldToProtect|Application|OnSource|UsernameField|PasswordField|EmailField|PhoneNumberField|AddressField)/

const edges = 'edges evaluate it'
/** The others, each with what becomes of it. */
const REST: Readonly<Record<string, string>> = {
  Rules: 'rule-checks.ts',
  DefaultAction: 'action-checks.ts',
  VisibilityConfig: 'checkMetricName; edges sample by it',
  SampledRequestsEnabled: edges,
  CloudWatchMetricsEnabled:
    'harmless: rules are counted for `cachefront waf` either way; nothing is sent to CloudWatch',
  CustomResponseBodies: 'action-checks.ts',
  CustomResponse: 'SETTINGS, action-checks.ts',
  CustomRequestHandling: 'SETTINGS, action-checks.ts',
  Statement: 'rule-checks.ts',
  Statements: 'statement-checks.ts',
  Action: 'rule-checks.ts',
  OverrideAction: 'rule-checks.ts',
  Count: edges,
  None: edges,
  All: edges,
  FieldToMatch: 'field-checks.ts',
  MatchPattern: 'field-checks.ts',
  PreParseTextTransformations: 'field-checks.ts; not-built.ts',
  SearchString: 'statement-checks.ts',
  ForwardedIPConfig: edges,
  IPSetForwardedIPConfig: edges,
  ScopeDownStatement: 'rule-checks.ts',
  EvaluationWindowSec: 'rate-checks.ts',
  ManagedRuleGroupConfigs: 'not-built.ts',
  ActionToUse: 'statement-checks.ts',
  ImmunityTimeProperty: 'rule-checks.ts (checkImmunity)',
  RequestBody: 'acl-checks.ts (checkAssociation)',
  Addresses: 'ip-sets.ts',
  RegularExpressionList: 'regex-pattern-sets.ts',
  LoggingConfiguration: 'logging.ts',
  LoggingFilter: edges,
  ActionCondition: 'logging.ts',
  LabelNameCondition: 'logging.ts',
  ManagedByFirewallManager: 'harmless: AWS sets it, and ignores what a caller gives',
}

test('every member is constrained, acts, is checked, or is refused by name', () => {
  const unknown: string[] = []
  for (const [key, schema] of members()) {
    const [structure = '', member = ''] = key.split('.')
    const table = TABLES[structure]
    if (table !== undefined) {
      if (!Object.hasOwn(table, member)) unknown.push(key)
      continue
    }
    const suffix = schema.isListSchema() ? '[]' : ''
    const isKnown =
      WAF_CONSTRAINTS[key] !== undefined ||
      WAF_CONSTRAINTS[member] !== undefined ||
      (suffix !== '' && WAF_CONSTRAINTS[`${member}[]`] !== undefined) ||
      Object.hasOwn(SETTINGS, member) ||
      Object.hasOwn(REST, member) ||
      REFUSED_WHOLE.test(structure)
    if (!isKnown) unknown.push(key)
  }
  assert.deepEqual(unknown, [])
})

test('no row is of a member that is not there', () => {
  const keys = [...members().keys()]
  const names = new Set(keys.map((key) => key.split('.')[1]))
  assert.deepEqual(
    [...Object.keys(REST), ...Object.keys(SETTINGS)].filter((name) => !names.has(name)),
    [],
  )
})

test('SearchString is the one member of bytes, which stored-shape.ts relies on', () => {
  const bytes = [...members()].filter(([, schema]) => schema.isBlobSchema()).map(([key]) => key)
  assert.deepEqual(bytes, ['ByteMatchStatement.SearchString'])
})
