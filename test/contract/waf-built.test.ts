//! What domain/waf/statements.ts calls built, edges can evaluate: the API takes no rule that makes its web ACL one which
//! refuses everything. (What is not built may compile already; whoever builds it flips the row.)
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MANAGED_RULE_GROUPS } from '../../src/domain/waf/managed-groups.ts'
import {
  ACTIONS,
  AGGREGATE_KEYS,
  CUSTOM_KEYS,
  FIELDS,
  PRE_PARSE_TRANSFORMATIONS,
  STATEMENTS,
  TRANSFORMATIONS,
} from '../../src/domain/waf/statements.ts'
import type { WebAclDoc } from '../../src/domain/waf/web-acl.ts'
import { compileWebAcl } from '../../src/edge/waf/compile.ts'

const ACL = 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/0'
const SET = 'arn:aws:wafv2:us-east-1:123456789012:global/ipset/a/0'
const PATTERNS = 'arn:aws:wafv2:us-east-1:123456789012:global/regexpatternset/a/0'
const GROUP = 'arn:aws:wafv2:us-east-1:123456789012:global/rulegroup/a/0'

const TextTransformations = [{ Priority: 0, Type: 'NONE' }]
const looking = { FieldToMatch: { UriPath: {} }, TextTransformations }
const size = (changes: object) => ({
  SizeConstraintStatement: { ComparisonOperator: 'GT', Size: 1, ...looking, ...changes },
})
const geo = { GeoMatchStatement: { CountryCodes: ['DE'] } }
const all = { MatchPattern: { All: {} }, MatchScope: 'ALL', OversizeHandling: 'MATCH' }
const named = { Name: 'a', TextTransformations }
const rate = (changes: object) => ({
  RateBasedStatement: { Limit: 100, AggregateKeyType: 'IP', ScopeDownStatement: geo, ...changes },
})
const ForwardedIPConfig = { HeaderName: 'x-forwarded-for', FallbackBehavior: 'MATCH' }

const STATEMENT_SAMPLES: Readonly<Record<string, object>> = {
  AndStatement: { AndStatement: { Statements: [geo, geo] } },
  AsnMatchStatement: { AsnMatchStatement: { AsnList: [1] } },
  ByteMatchStatement: { ByteMatchStatement: { SearchString: 'eA==', PositionalConstraint: 'CONTAINS', ...looking } },
  GeoMatchStatement: geo,
  IPSetReferenceStatement: { IPSetReferenceStatement: { ARN: SET } },
  LabelMatchStatement: { LabelMatchStatement: { Scope: 'LABEL', Key: 'a' } },
  ManagedRuleGroupStatement: {
    ManagedRuleGroupStatement: {
      VendorName: 'AWS',
      Name: MANAGED_RULE_GROUPS.find(({ rules }) => rules.length > 0)?.name,
    },
  },
  NotStatement: { NotStatement: { Statement: geo } },
  OrStatement: { OrStatement: { Statements: [geo, geo] } },
  RateBasedStatement: rate({}),
  RegexMatchStatement: { RegexMatchStatement: { RegexString: 'a+', ...looking } },
  RegexPatternSetReferenceStatement: { RegexPatternSetReferenceStatement: { ARN: PATTERNS, ...looking } },
  RuleGroupReferenceStatement: { RuleGroupReferenceStatement: { ARN: GROUP } },
  SizeConstraintStatement: size({}),
  SqliMatchStatement: { SqliMatchStatement: looking },
  XssMatchStatement: { XssMatchStatement: looking },
}

const FIELD_SAMPLES: Readonly<Record<string, object>> = {
  Body: { OversizeHandling: 'MATCH' },
  Cookies: all,
  HeaderOrder: { OversizeHandling: 'MATCH' },
  Headers: all,
  JsonBody: all,
  SingleHeader: { Name: 'a' },
  SingleQueryArgument: { Name: 'a' },
}

const KEY_SAMPLES: Readonly<Record<string, object>> = {
  Cookie: named,
  Header: named,
  LabelNamespace: { Namespace: 'a:' },
  QueryArgument: named,
  QueryString: { TextTransformations },
  UriPath: { TextTransformations },
}

/** Why a web ACL with this rule cannot be evaluated; null when it can. */
function broken(Statement: object, Action: object = { Block: {} }): string | null {
  const isGroup = 'RuleGroupReferenceStatement' in Statement || 'ManagedRuleGroupStatement' in Statement
  const VisibilityConfig = { MetricName: 'm', SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true }
  const acts = isGroup ? { OverrideAction: { None: {} } } : { Action }
  const doc = {
    ...{ arn: ACL, id: '0', name: 'a', ipSets: { [SET]: ['192.0.2.0/24'] }, regexSets: { [PATTERNS]: ['a+'] } },
    ruleGroups: { [GROUP]: { arn: GROUP, name: 'a', rules: [], customResponseBodies: {} } },
    acl: {
      ...{ Name: 'a', Id: '0', ARN: ACL, DefaultAction: { Allow: {} }, VisibilityConfig },
      Rules: [{ Name: 'r', Priority: 0, Statement, VisibilityConfig, ...acts }],
    },
  }
  return compileWebAcl(doc as unknown as WebAclDoc).broken
}

const built = (table: Readonly<Record<string, { readonly built: boolean }>>): string[] =>
  Object.keys(table).filter((name) => table[name]?.built === true)

test('what is called built can be evaluated', () => {
  const rows: [what: string, why: string | null][] = [
    ...built(STATEMENTS).map((name) => [name, broken(STATEMENT_SAMPLES[name] ?? {})] as [string, string | null]),
    ...built(FIELDS).map(
      (name) =>
        [name, broken(size({ FieldToMatch: { [name]: FIELD_SAMPLES[name] ?? {} } }))] as [string, string | null],
    ),
    ...built(TRANSFORMATIONS).map(
      (Type) => [Type, broken(size({ TextTransformations: [{ Priority: 0, Type }] }))] as [string, string | null],
    ),
    ...built(PRE_PARSE_TRANSFORMATIONS).map(
      (Type) =>
        [
          `${Type} before parsing`,
          broken(
            size({ FieldToMatch: { AllQueryArguments: {} }, PreParseTextTransformations: [{ Priority: 0, Type }] }),
          ),
        ] as [string, string | null],
    ),
    ...built(ACTIONS).map((name) => [`the action ${name}`, broken(geo, { [name]: {} })] as [string, string | null]),
    ...built(AGGREGATE_KEYS).map(
      (AggregateKeyType) =>
        [
          `counted by ${AggregateKeyType}`,
          broken(
            rate({
              AggregateKeyType,
              ...(AggregateKeyType === 'FORWARDED_IP' ? { ForwardedIPConfig } : {}),
              ...(AggregateKeyType === 'CUSTOM_KEYS' ? { CustomKeys: [{ HTTPMethod: {} }] } : {}),
            }),
          ),
        ] as [string, string | null],
    ),
    ...built(CUSTOM_KEYS).map(
      (name) =>
        [
          `the custom key ${name}`,
          broken(
            rate({
              AggregateKeyType: 'CUSTOM_KEYS',
              CustomKeys: [{ HTTPMethod: {} }, { [name]: KEY_SAMPLES[name] ?? {} }],
              ...(name === 'ForwardedIP' ? { ForwardedIPConfig } : {}),
            }),
          ),
        ] as [string, string | null],
    ),
  ]
  assert.ok(rows.length > 40)
  assert.deepEqual(
    rows.filter(([, why]) => why !== null),
    [],
  )
})
