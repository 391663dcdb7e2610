//! Web ACL capacity units (WCU) of rules, by AWS's published table: the pages of the single statements below
//! https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statements.html. PURE.
import { type Found, statementsOf } from './walk.ts'
import type { StoredRule } from './web-acl.ts'

/** What rules take that are elsewhere. */
export interface GroupCapacities {
  /** Capacity of the account's own rule group, by ARN. */
  own(arn: string): number
  managed(vendor: string, name: string): number
}

type Of<Name extends Found['name']> = Extract<Found, { name: Name }>['body']

/** Of a statement alone, without what it looks at, its text transformations and the statements in it. */
const BASE: { readonly [Name in Found['name']]: number | ((body: Of<Name>, groups: GroupCapacities) => number) } = {
  AndStatement: 0,
  AsnMatchStatement: 1,
  ByteMatchStatement: (body) => (/^CONTAINS/.test(body.PositionalConstraint) ? 10 : 2),
  GeoMatchStatement: 1,
  IPSetReferenceStatement: (body) => (body.IPSetForwardedIPConfig?.Position === 'ANY' ? 5 : 1),
  LabelMatchStatement: 1,
  ManagedRuleGroupStatement: (body, groups) => groups.managed(body.VendorName, body.Name),
  NotStatement: 0,
  OrStatement: 0,
  RateBasedStatement: (body) => 2 + 30 * (body.CustomKeys?.length ?? 0),
  RegexMatchStatement: 3,
  RegexPatternSetReferenceStatement: 25,
  RuleGroupReferenceStatement: (body, groups) => groups.own(body.ARN),
  SizeConstraintStatement: 1,
  SqliMatchStatement: (body) => (body.SensitivityLevel === 'HIGH' ? 30 : 20),
  XssMatchStatement: 40,
}

const ALL_QUERY_ARGUMENTS = 10
const TRANSFORMATION = 10

/**
 * Units of the rules together. A transformation of the same part of the request counts once, however many statements and
 * rules apply it ("if you define two rules to inspect the same component ... and each applies a particular transformation,
 * AWS WAF might be able to charge you only once": aws-waf-capacity-units.html).
 */
export function capacityOf(rules: readonly StoredRule[], groups: GroupCapacities): number {
  let units = 0
  const transformed = new Set<string>()
  for (const rule of rules) {
    for (const found of statementsOf(rule)) {
      const { body } = found
      const cost = BASE[found.name] as number | ((body: unknown, groups: GroupCapacities) => number)
      const base = typeof cost === 'number' ? cost : cost(body, groups)
      units += base
      if (!('FieldToMatch' in body)) continue
      if (body.FieldToMatch.JsonBody !== undefined) units += base
      if (body.FieldToMatch.AllQueryArguments !== undefined) units += ALL_QUERY_ARGUMENTS
      const part = JSON.stringify(body.FieldToMatch).toLowerCase()
      for (const { Type: type } of [...body.TextTransformations, ...(body.PreParseTextTransformations ?? [])]) {
        if (type !== 'NONE') transformed.add(`${type} ${part}`)
      }
    }
  }
  return units + TRANSFORMATION * transformed.size
}
