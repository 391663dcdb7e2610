import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capacityOf } from './capacity.ts'
import type { StoredRule } from './web-acl.ts'

const NONE = { own: () => 0, managed: () => 0 }
const path = { UriPath: {} }
const none = { Priority: 0, Type: 'NONE' }
const lower = { Priority: 1, Type: 'LOWERCASE' }
const decoded = { Priority: 2, Type: 'URL_DECODE' }

const rule = (Statement: object) => ({ Name: 'r', Priority: 0, Statement }) as unknown as StoredRule
const looking = (FieldToMatch: object, ...TextTransformations: object[]) => ({ FieldToMatch, TextTransformations })
const starts = (...given: Parameters<typeof looking>) => ({
  ByteMatchStatement: { PositionalConstraint: 'STARTS_WITH', ...looking(...given) },
})
const contains = (...given: Parameters<typeof looking>) => ({
  ByteMatchStatement: { PositionalConstraint: 'CONTAINS_WORD', ...looking(...given) },
})

/** Statements and what AWS's pages say that they take. */
const ROWS: readonly (readonly [what: string, units: number, ...statements: object[]])[] = [
  ['a country', 1, { GeoMatchStatement: { CountryCodes: ['DE'] } }],
  ['a network', 1, { AsnMatchStatement: { AsnList: [1] } }],
  ['a label', 1, { LabelMatchStatement: { Scope: 'LABEL', Key: 'a' } }],
  ['an IP set', 1, { IPSetReferenceStatement: { ARN: 'a' } }],
  [
    'any forwarded address in one',
    5,
    { IPSetReferenceStatement: { ARN: 'a', IPSetForwardedIPConfig: { Position: 'ANY' } } },
  ],
  [
    'the first forwarded one',
    1,
    { IPSetReferenceStatement: { ARN: 'a', IPSetForwardedIPConfig: { Position: 'FIRST' } } },
  ],
  ['a size', 1, { SizeConstraintStatement: looking(path, none) }],
  ['a match at the start', 2, starts(path, none)],
  ['a word anywhere', 10, contains(path, none)],
  ['an expression', 3, { RegexMatchStatement: looking(path, none) }],
  ['a set of expressions', 25, { RegexPatternSetReferenceStatement: { ARN: 'a', ...looking(path, none) } }],
  ['SQL injection', 20, { SqliMatchStatement: looking(path, none) }],
  [
    'SQL injection, looked at closely',
    30,
    { SqliMatchStatement: { SensitivityLevel: 'HIGH', ...looking(path, none) } },
  ],
  ['XSS', 40, { XssMatchStatement: looking(path, none) }],
  ['a transformation', 12, starts(path, lower)],
  ['two', 22, starts(path, lower, decoded)],
  ['all query arguments', 12, starts({ AllQueryArguments: {} }, none)],
  ['JSON: twice the base', 20, contains({ JsonBody: { MatchPattern: { All: {} } } }, none)],
  ['JSON, transformed', 30, contains({ JsonBody: { MatchPattern: { All: {} } } }, lower)],
  ['one transformation of one part, in two rules', 14, starts(path, lower), starts(path, lower)],
  ['the same of another part', 24, starts(path, lower), starts({ QueryString: {} }, lower)],
  [
    'a header by two spellings',
    14,
    starts({ SingleHeader: { Name: 'A' } }, lower),
    starts({ SingleHeader: { Name: 'a' } }, lower),
  ],
  ['NOT: nothing of its own', 2, { NotStatement: { Statement: starts(path, none) } }],
  ['AND: the sum', 12, { AndStatement: { Statements: [starts(path, none), contains(path, none)] } }],
  ['a rate', 2, { RateBasedStatement: { AggregateKeyType: 'IP' } }],
  [
    'a rate by two keys, of some requests',
    64,
    { RateBasedStatement: { CustomKeys: [{}, {}], ScopeDownStatement: starts(path, none) } },
  ],
]

for (const [what, units, ...statements] of ROWS) {
  test(`capacity: ${what}: ${units}`, () => {
    assert.equal(capacityOf(statements.map(rule), NONE), units)
  })
}

test('a rule group takes what was reserved for it', () => {
  const groups = {
    own: (arn: string) => (arn === 'a' ? 123 : 0),
    managed: (vendor: string, name: string) => (vendor + name).length,
  }
  assert.equal(capacityOf([rule({ RuleGroupReferenceStatement: { ARN: 'a' } })], groups), 123)
  const managed = {
    ManagedRuleGroupStatement: { VendorName: 'AWS', Name: 'Seven77', ScopeDownStatement: starts(path, none) },
  }
  assert.equal(capacityOf([rule(managed)], groups), 12)
})
