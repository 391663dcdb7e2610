//! What AWS refuses in a single statement: one row a kind. What a member alone can have wrong is in constraints.ts.

import { invalidParameter } from '../../domain/waf/faults.ts'
import { WAF_LIMITS } from '../../domain/waf/limits.ts'
import { patternProblem } from '../../domain/waf/regular-expression.ts'
import type { Found } from '../../domain/waf/walk.ts'
import { type Bodies, checkRuleAction } from './action-checks.ts'
import { checkField, checkPreParse, checkTransformations } from './field-checks.ts'
import { requireGroup, versionOf } from './managed-groups.ts'
import { checkRateBased } from './rate-checks.ts'
import { notOne, overLimit, repeated, tooFew } from './refusals.ts'

type Of<Name extends Found['name']> = Extract<Found, { name: Name }>['body']
/** `bodies`: what custom responses of overrides may name, as of checkRuleAction. */
type Check<Name extends Found['name']> = (body: Of<Name>, path: string, bodies: Bodies | null) => void

const CHECKS: { readonly [Name in Found['name']]?: Check<Name> } = {
  AndStatement({ Statements }, path) {
    if (Statements.length < 2) throw tooFew('AND_STATEMENT', path)
  },
  OrStatement({ Statements }, path) {
    if (Statements.length < 2) throw tooFew('OR_STATEMENT', path)
  },
  ByteMatchStatement({ SearchString, PositionalConstraint }, path) {
    const bytes = Buffer.from(SearchString, 'base64')
    if (bytes.length === 0) throw invalidParameter('BYTE_MATCH_STATEMENT', path, 'The SearchString is empty.')
    if (bytes.length > WAF_LIMITS.searchString) throw overLimit('bytes of a SearchString', WAF_LIMITS.searchString)
    if (PositionalConstraint === 'CONTAINS_WORD' && !/^[A-Za-z0-9_]+$/.test(bytes.toString('latin1'))) {
      const reason = 'With CONTAINS_WORD the SearchString has letters, digits and underscores alone.'
      throw invalidParameter('BYTE_MATCH_STATEMENT', path, reason)
    }
  },
  GeoMatchStatement({ CountryCodes }, path) {
    if (CountryCodes === undefined) throw tooFew('GEO_MATCH_STATEMENT', path)
    const twice = repeated(CountryCodes)
    if (twice !== null) throw invalidParameter('GEO_MATCH_STATEMENT', twice, 'A country is given twice.')
  },
  LabelMatchStatement({ Scope, Key }) {
    const isNamespace = Key.endsWith(':')
    if (isNamespace === (Scope === 'NAMESPACE')) return
    const reason = 'The key of a namespace ends with a colon, and that of a label does not.'
    throw invalidParameter('LABEL_MATCH_STATEMENT', Key, reason)
  },
  RegexMatchStatement({ RegexString }) {
    checkPattern(RegexString, 'STATEMENT')
  },
  RateBasedStatement: checkRateBased,
  RuleGroupReferenceStatement(body, _, bodies) {
    checkOverrides(body, bodies)
  },
  ManagedRuleGroupStatement(body, path, bodies) {
    const group = requireGroup(body.VendorName, body.Name)
    versionOf(group, body.Version)
    checkOverrides(body, bodies)
    const names = new Set(group.rules.map(({ name }) => name))
    for (const { Name } of [...(body.ExcludedRules ?? []), ...(body.RuleActionOverrides ?? [])]) {
      if (!names.has(Name))
        throw invalidParameter('EXCLUDED_RULE', Name, `The rule group ${body.Name} has no such rule.`)
    }
    for (const config of body.ManagedRuleGroupConfigs ?? []) {
      if (Object.keys(config).length !== 1) throw notOne('MANAGED_RULE_GROUP_CONFIG', path)
    }
  },
}

/** @throws WAFInvalidParameterException, WAFLimitsExceededException, WAFNonexistentItemException */
export function checkStatement({ name, body, path }: Found, bodies: Bodies | null): void {
  if ('FieldToMatch' in body) {
    checkField(body.FieldToMatch, path)
    checkTransformations(body, path)
    checkPreParse(body.FieldToMatch, body)
  }
  ;(CHECKS[name] as Check<never> | undefined)?.(body as never, path, bodies)
}

/** @throws WAFInvalidParameterException, WAFLimitsExceededException */
export function checkPattern(pattern: string, field: 'STATEMENT' | 'REGEX_PATTERN_SET'): void {
  if (pattern.length > WAF_LIMITS.regexPattern) {
    throw overLimit('characters of a regular expression', WAF_LIMITS.regexPattern)
  }
  const problem = patternProblem(pattern)
  if (problem !== null) throw invalidParameter(field, pattern, `The regular expression is not valid: ${problem}`)
}

function checkOverrides(
  {
    ExcludedRules = [],
    RuleActionOverrides = [],
  }: Pick<Of<'RuleGroupReferenceStatement'>, 'ExcludedRules' | 'RuleActionOverrides'>,
  bodies: Bodies | null,
): void {
  const twice = repeated([...ExcludedRules, ...RuleActionOverrides].map(({ Name }) => Name))
  if (twice !== null) {
    throw invalidParameter('EXCLUDED_RULE', twice, 'A rule is excluded or overridden twice.')
  }
  for (const { Name, ActionToUse } of RuleActionOverrides) checkRuleAction(ActionToUse, Name, bodies)
}
