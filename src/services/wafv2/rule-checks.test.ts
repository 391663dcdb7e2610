//! Random rules never crash the checks: they are taken or refused by a fault of the API, and how deep they are nested is
//! bounded.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fault } from '../../domain/faults.ts'
import { capacityOf } from '../../domain/waf/capacity.ts'
import { WAF_LIMITS } from '../../domain/waf/limits.ts'
import { referencesOf } from '../../domain/waf/references.ts'
import { statementsOf } from '../../domain/waf/walk.ts'
import type { StoredRule } from '../../domain/waf/web-acl.ts'
import { ruleFeaturesNotBuilt } from './not-built.ts'
import { checkRules } from './rule-checks.ts'

const field = fc.constantFrom<object>(
  { UriPath: {} },
  { SingleHeader: { Name: 'host' } },
  { JsonBody: { MatchPattern: { All: {} }, MatchScope: 'ALL' } },
  {},
  { Method: {}, QueryString: {} },
)
const transformations = fc.array(
  fc.record({ Priority: fc.nat(3), Type: fc.constantFrom('NONE', 'LOWERCASE', 'ROT13') }),
  { minLength: 1, maxLength: 12 },
)
const looking = { FieldToMatch: field, TextTransformations: transformations }

const { statement } = fc.letrec<{ statement: object }>((tie) => ({
  statement: fc.oneof(
    { maxDepth: 14, depthSize: 'large' },
    fc.record({ GeoMatchStatement: fc.record({ CountryCodes: fc.array(fc.constantFrom('DE', 'FR')) }) }),
    fc.record({ LabelMatchStatement: fc.record({ Scope: fc.constantFrom('LABEL', 'NAMESPACE'), Key: fc.string() }) }),
    fc.record({
      ByteMatchStatement: fc.record({
        ...looking,
        SearchString: fc.base64String({ maxLength: 300 }),
        PositionalConstraint: fc.constantFrom('EXACTLY', 'CONTAINS', 'CONTAINS_WORD'),
      }),
    }),
    fc.record({ RegexMatchStatement: fc.record({ ...looking, RegexString: fc.string({ maxLength: 220 }) }) }),
    fc.record({ IPSetReferenceStatement: fc.record({ ARN: fc.string() }) }),
    fc.record({ ManagedRuleGroupStatement: fc.record({ VendorName: fc.constant('AWS'), Name: fc.string() }) }),
    fc.constant({}),
    fc.record({ NotStatement: fc.record({ Statement: tie('statement') }) }),
    fc.record({ AndStatement: fc.record({ Statements: fc.array(tie('statement'), { maxLength: 3 }) }) }),
    fc.record({ OrStatement: fc.record({ Statements: fc.array(tie('statement'), { maxLength: 3 }) }) }),
    fc.record({
      RateBasedStatement: fc.record({
        Limit: fc.nat(),
        AggregateKeyType: fc.constantFrom('IP', 'CONSTANT', 'CUSTOM_KEYS'),
        ScopeDownStatement: tie('statement'),
      }),
    }),
  ),
}))

const rule = fc.record({
  Name: fc.constantFrom('a', 'b', 'c'),
  Priority: fc.nat(4),
  Statement: statement,
  Action: fc.constantFrom<object>({ Block: {} }, { Allow: {} }, {}, { Block: {}, Count: {} }),
  VisibilityConfig: fc.constant({ MetricName: 'm', SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true }),
})

test('random nested statements are taken or refused, never a crash; what is taken is not nested too deep', () => {
  let taken = 0
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 3 }), (given) => {
      const rules = given as unknown as StoredRule[]
      const deepest = Math.max(0, ...rules.flatMap((one) => [...statementsOf(one)].map(({ depth }) => depth)))
      assert.ok(capacityOf(rules, { own: () => 1, managed: () => 1 }) >= 0)
      ruleFeaturesNotBuilt(rules)
      referencesOf(rules)
      try {
        checkRules(rules, { kind: 'WEB_ACL', bodies: {} }, { requests: 0, responses: 0 })
        taken += 1
        assert.ok(deepest <= WAF_LIMITS.nesting)
      } catch (error) {
        assert.ok(error instanceof Fault, String(error))
        assert.ok(error.message.length < 1_000)
      }
    }),
    { numRuns: 500 },
  )
  assert.ok(taken > 0)
})

test('statements ten thousand deep end no process', () => {
  let deep: object = { GeoMatchStatement: { CountryCodes: ['DE'] } }
  for (let at = 0; at < 10_000; at++) deep = { NotStatement: { Statement: deep } }
  const Action = { Block: {} }
  const VisibilityConfig = { MetricName: 'm' }
  const rules = [{ Name: 'a', Priority: 0, Statement: deep, Action, VisibilityConfig }] as unknown as StoredRule[]
  assert.throws(
    () => checkRules(rules, { kind: 'WEB_ACL', bodies: {} }, { requests: 0, responses: 0 }),
    /levels of nested statements/,
  )
  assert.equal(capacityOf(rules, { own: () => 0, managed: () => 0 }), 1)
})
