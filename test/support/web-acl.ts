//! Documents of web ACLs as the feed brings them to edges.
import type { FieldToMatch, RuleAction, TextTransformationType } from '@aws-sdk/client-wafv2'
import { NOWHERE, type ViewerLocation } from '../../src/domain/viewer.ts'
import type { RuleGroupDoc, Stored, StoredRule, WebAclDoc } from '../../src/domain/waf/web-acl.ts'
import { unframedHeaders } from '../../src/edge/listen/header-block.ts'
import { Inspected, type InspectedBody, NO_BODY } from '../../src/edge/waf/inspected.ts'

export const ACCOUNT = '123456789012'
const arnOf = (kind: string, name: string) => `arn:aws:wafv2:us-east-1:${ACCOUNT}:global/${kind}/${name}/id-of-${name}`
export const ACL_ARN = arnOf('webacl', 'acl')
export const ipSetArn = (name: string): string => arnOf('ipset', name)
export const regexSetArn = (name: string): string => arnOf('regexpatternset', name)
export const ruleGroupArn = (name: string): string => arnOf('rulegroup', name)

export type StoredStatement = NonNullable<StoredRule['Statement']>
export type StoredAction = Stored<RuleAction>
export type StoredField = Stored<FieldToMatch>

const visibility = (name: string) => ({
  SampledRequestsEnabled: true,
  CloudWatchMetricsEnabled: true,
  MetricName: name,
})

/** What has no priority gets the place that it stands at. */
export type RuleDraft = Omit<StoredRule, 'Priority'> & { readonly Priority?: number | undefined }

const placed = (rules: readonly RuleDraft[]): StoredRule[] =>
  rules.map((rule, at) => ({ ...rule, Priority: rule.Priority ?? at }))

export function webAclDoc(rules: readonly RuleDraft[], changes: Partial<WebAclDoc> = {}): WebAclDoc {
  const { acl = {}, ...rest } = changes
  return {
    arn: ACL_ARN,
    id: 'id-of-acl',
    name: 'acl',
    acl: {
      Name: 'acl',
      Id: 'id-of-acl',
      ARN: ACL_ARN,
      DefaultAction: { Allow: {} },
      VisibilityConfig: visibility('acl'),
      Rules: placed(rules),
      ...acl,
    },
    ipSets: {},
    regexSets: {},
    ruleGroups: {},
    ...rest,
  }
}

export function rule(
  name: string,
  statement: StoredStatement,
  action: StoredAction = { Block: {} },
  changes: Partial<RuleDraft> = {},
): RuleDraft {
  return {
    Name: name,
    Statement: statement,
    Action: action,
    VisibilityConfig: visibility(name),
    ...changes,
  }
}

/** A rule that refers to a group. */
export function groupRule(name: string, statement: StoredStatement, changes: Partial<RuleDraft> = {}): RuleDraft {
  const { Action: _, ...rest } = rule(name, statement)
  return { ...rest, OverrideAction: { None: {} }, ...changes }
}

export function ruleGroupDoc(name: string, rules: readonly RuleDraft[], changes: Partial<RuleGroupDoc> = {}) {
  const arn = ruleGroupArn(name)
  return { [arn]: { arn, name, rules: placed(rules), customResponseBodies: {}, ...changes } satisfies RuleGroupDoc }
}

export const transformations = (...types: TextTransformationType[]) =>
  (types.length === 0 ? (['NONE'] as const) : types).map((Type, Priority) => ({ Priority, Type }))

export function byteMatch(
  text: string,
  field: StoredField,
  constraint: NonNullable<StoredStatement['ByteMatchStatement']>['PositionalConstraint'] = 'CONTAINS',
  ...types: TextTransformationType[]
): StoredStatement {
  return {
    ByteMatchStatement: {
      SearchString: Buffer.from(text, 'utf8').toString('base64'),
      FieldToMatch: field,
      TextTransformations: transformations(...types),
      PositionalConstraint: constraint,
    },
  }
}

export const header = (name: string): StoredField => ({ SingleHeader: { Name: name } })
export const PATH: StoredField = { UriPath: {} }
export const QUERY: StoredField = { QueryString: {} }
export const METHOD: StoredField = { Method: {} }
export const BODY: StoredField = { Body: {} }

export interface AsksWaf {
  readonly method?: string
  /** With its query, as sent. */
  readonly target?: string
  /** Name, value, name, value ... */
  readonly headers?: readonly string[]
  readonly body?: Partial<InspectedBody> | string
  readonly address?: string
  readonly labels?: readonly string[]
  /** By address. */
  readonly places?: Readonly<Record<string, Partial<ViewerLocation>>>
  readonly noGeoip?: boolean
}

/** A request as rules see it; bodies are whole unless told otherwise. */
export function inspected(asks: AsksWaf = {}): Inspected {
  const { method = 'GET', target = '/', headers: raw = [], body = '', address = '192.0.2.1', labels = [] } = asks
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? null : target.slice(mark + 1)
  const given = typeof body === 'string' ? { texts: body === '' ? [] : [body] } : body
  const bytes = given.texts?.[0]?.length ?? 0
  const request = new Inspected(
    { method, path, query, httpVersion: '1.1', headers: unframedHeaders(['Host', 'www.example.com', ...raw], '') },
    address,
    'request-id',
    {
      waf: { rates: { hit: () => false } },
      clock: { now: () => 1_800_000_000_000 },
      geo: {
        find: (of) => ({ ...NOWHERE, ...asks.places?.[of] }),
        placesAddresses: asks.noGeoip !== true,
        knowsSystems: asks.noGeoip !== true,
      },
    },
    { ...NO_BODY, bytes, ...given },
  )
  for (const label of labels) request.addLabel(label)
  return request
}
