//! What CreateWebACL and CreateRuleGroup take, an edge can compile: an edge that cannot refuses every request of the web ACL's
//! distributions. Rules are drawn from what is odd in each member: forbidden headers, control characters, expressions of
//! characters that are several bytes, settings that do not go together.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as wafv2 from '@aws-sdk/client-wafv2'
import fc from 'fast-check'
import { checkConstraints } from '../../src/aws/check-constraints.ts'
import { modelOf } from '../../src/aws/model.ts'
import { WireError } from '../../src/aws/wire-error.ts'
import { Fault } from '../../src/domain/faults.ts'
import { normalCidr } from '../../src/domain/waf/cidr.ts'
import {
  ACTIONS,
  FIELDS,
  PRE_PARSE_TRANSFORMATIONS,
  STATEMENTS,
  TRANSFORMATIONS,
} from '../../src/domain/waf/statements.ts'
import type { StoredRule } from '../../src/domain/waf/web-acl.ts'
import { compileWebAcl } from '../../src/edge/waf/compile.ts'
import { acceptedAcl, type GivenAcl } from '../../src/services/wafv2/acl-checks.ts'
import { WAF_CONSTRAINTS } from '../../src/services/wafv2/constraints.ts'
import { checkPattern } from '../../src/services/wafv2/statement-checks.ts'
import type { Reader } from '../../src/state/state.ts'
import { groupRule, ipSetArn, regexSetArn, rule, ruleGroupArn, ruleGroupDoc, webAclDoc } from '../support/web-acl.ts'

const INPUT = modelOf(wafv2).operations.get('CreateWebACL')?.input ?? assert.fail()

/** Mostly the first, which is nothing odd: of what is odd in several places at once nothing is taken. */
const one = <T>(usual: T, ...odd: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(usual, ...odd) })
const maybe = <T>(name: string, value: fc.Arbitrary<T>): fc.Arbitrary<object> =>
  fc.option(value, { nil: undefined, freq: 2 }).map((given) => (given === undefined ? {} : { [name]: given }))
const merged = (...parts: fc.Arbitrary<object>[]): fc.Arbitrary<object> =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all) as object)

const NAMES = ['x', 'X-Custom', 'host', 'Cookie', 'a b', 'é', '', '__proto__', 'constructor', '\u{1f600}', '/', '~']
const name = one('x', ...NAMES)
const expression = fc.oneof(
  fc.constantFrom(
    '',
    'a{1001}',
    '(?=a)',
    '[\\x{65e5}-本]',
    '[\\xe9-é]',
    '[本-\\x{65e5}]',
    '\\é',
    '(?i)é',
    '\\Qé',
    '(?P<né>x)',
  ),
  fc.string({
    maxLength: 12,
    unit: fc.constantFrom('a', 'é', '日', '[', ']', '^', '-', '\\', 'x', '{', '}', '(', ')', '*', '9'),
  }),
)
const handling = one('MATCH', 'NO_MATCH', 'CONTINUE')
const everything = fc.constant({ All: {} })
const named = (list: string) =>
  fc.record({
    MatchPattern: fc.oneof(everything, fc.record({ [list]: fc.array(name, { maxLength: 3 }) }), fc.constant({})),
    MatchScope: one('ALL', 'KEY', 'VALUE'),
    OversizeHandling: handling,
  })
const ODD_FIELDS: Readonly<Record<string, fc.Arbitrary<object>>> = {
  Body: maybe('OversizeHandling', handling),
  Cookies: named('IncludedCookies'),
  HeaderOrder: fc.record({ OversizeHandling: handling }),
  Headers: named('ExcludedHeaders'),
  JsonBody: merged(
    fc.record({
      MatchPattern: fc.oneof(
        everything,
        fc.record({
          IncludedPaths: fc.array(fc.constantFrom('/', '/a', '/~', '/~1', 'a', '//', '/日', ''), { maxLength: 2 }),
        }),
      ),
      MatchScope: one('ALL', 'KEY', 'VALUE'),
    }),
    maybe('InvalidFallbackBehavior', one('MATCH', 'NO_MATCH', 'EVALUATE_AS_STRING')),
    maybe('OversizeHandling', handling),
  ),
  SingleHeader: fc.record({ Name: name }),
  SingleQueryArgument: fc.record({ Name: name }),
}
const field = fc.oneof(
  ...Object.keys(FIELDS).map((kind) => (ODD_FIELDS[kind] ?? fc.constant({})).map((value) => ({ [kind]: value }))),
)
const steps = (table: object, minLength: number) =>
  fc
    .array(one('NONE', ...Object.keys(table)), { minLength, maxLength: 3 })
    .map((types) => types.map((Type, Priority) => ({ Type, Priority })))
const looking = merged(
  fc.record({ FieldToMatch: field, TextTransformations: steps(TRANSFORMATIONS, 1) }),
  maybe('PreParseTextTransformations', steps(PRE_PARSE_TRANSFORMATIONS, 0)),
)
const forwarded = merged(
  fc.record({ HeaderName: one('X-Forwarded-For', 'x_y', ''), FallbackBehavior: one('MATCH', 'NO_MATCH') }),
)
const looked = (extra: Record<string, fc.Arbitrary<unknown>>) => merged(looking, fc.record(extra))
const keyed = fc.record({ Name: name, TextTransformations: steps(TRANSFORMATIONS, 1) })
const customKey = fc.oneof(
  ...['Header', 'Cookie', 'QueryArgument'].map((kind) => keyed.map((value) => ({ [kind]: value }))),
  ...['IP', 'ForwardedIP', 'HTTPMethod', 'ASN'].map((kind) => fc.constant({ [kind]: {} })),
  fc.record({ UriPath: fc.record({ TextTransformations: steps(TRANSFORMATIONS, 1) }) }),
  fc.record({ LabelNamespace: fc.record({ Namespace: one('a:', 'a', 'awswaf:x:') }) }),
)
const overrides = fc.array(
  fc.record({
    Name: one('inside', 'SQLi_BODY', 'nobody'),
    ActionToUse: fc.oneof(fc.constant({ Count: {} }), fc.constant({})),
  }),
  { maxLength: 2 },
)

const statement = (depth: number): fc.Arbitrary<object> => {
  const inner =
    depth === 0
      ? fc.constant({})
      : fc.oneof({ weight: 8, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constant({}) })
  const inside =
    depth === 0 ? inner : inner.chain((empty) => (empty === null ? statement(depth - 1) : fc.constant(empty)))
  const kinds: Partial<Record<keyof typeof STATEMENTS, fc.Arbitrary<object>>> = {
    AsnMatchStatement: merged(
      fc.record({ AsnList: fc.array(fc.nat(), { maxLength: 2 }) }),
      maybe('ForwardedIPConfig', forwarded),
    ),
    ByteMatchStatement: looked({
      SearchString: one('x', '', 'é', '\0').map((text) => Buffer.from(text)),
      PositionalConstraint: one('EXACTLY', 'STARTS_WITH', 'ENDS_WITH', 'CONTAINS', 'CONTAINS_WORD'),
    }),
    GeoMatchStatement: merged(
      maybe('CountryCodes', fc.array(one('DE', 'US', 'EU'), { maxLength: 2 })),
      maybe('ForwardedIPConfig', forwarded),
    ),
    IPSetReferenceStatement: fc.record({ ARN: fc.constant(ipSetArn('set')) }),
    LabelMatchStatement: fc.record({ Scope: one('LABEL', 'NAMESPACE'), Key: one('a', 'a:', 'awswaf:', ':') }),
    ManagedRuleGroupStatement: merged(
      fc.record({
        VendorName: one('AWS', 'aws'),
        Name: one('AWSManagedRulesSQLiRuleSet', 'AWSManagedRulesBotControlRuleSet', 'x'),
      }),
      maybe('Version', one('Version_1.0', 'x')),
      maybe('RuleActionOverrides', overrides),
      maybe('ScopeDownStatement', inside),
      maybe('ManagedRuleGroupConfigs', fc.constantFrom([], [{ LoginPath: '/' }])),
    ),
    RateBasedStatement: merged(
      fc.record({
        Limit: one(10, 0, 9, 2_000_000_000),
        AggregateKeyType: one('IP', 'FORWARDED_IP', 'CONSTANT', 'CUSTOM_KEYS'),
      }),
      maybe('EvaluationWindowSec', one(60, 0, 61, 600)),
      maybe('CustomKeys', fc.array(customKey, { maxLength: 3 })),
      maybe('ForwardedIPConfig', forwarded),
      maybe('ScopeDownStatement', inside),
    ),
    RegexMatchStatement: looked({ RegexString: expression }),
    RegexPatternSetReferenceStatement: looked({ ARN: fc.constant(regexSetArn('set')) }),
    RuleGroupReferenceStatement: merged(
      fc.constant({ ARN: ruleGroupArn('group') }),
      maybe('RuleActionOverrides', overrides),
    ),
    SizeConstraintStatement: looked({ ComparisonOperator: one('EQ', 'NE', 'GT'), Size: fc.nat(100) }),
    SqliMatchStatement: merged(looking, maybe('SensitivityLevel', one('LOW', 'HIGH', 'MEDIUM'))),
    XssMatchStatement: looking,
    ...(depth === 0
      ? {}
      : {
          AndStatement: fc.record({ Statements: fc.array(inside, { minLength: 1, maxLength: 3 }) }),
          OrStatement: fc.record({ Statements: fc.array(inside, { minLength: 2, maxLength: 2 }) }),
          NotStatement: fc.record({ Statement: inside }),
        }),
  }
  return fc.oneof(...Object.entries(kinds).map(([kind, body]) => body.map((given) => ({ [kind]: given }))))
}

const HEADERS = [
  'x-a',
  'Content-Length',
  'content-type',
  'Transfer-Encoding',
  'Connection',
  'Upgrade',
  'X.$_',
  'Date',
  'a:b',
]
const headers = fc.array(
  fc.record({ Name: one('x-a', ...HEADERS), Value: one('v', 'é', ' ', '\x01', '\x7f', '\t', 'a\r\nb', '\u{1f600}') }),
  { maxLength: 2 },
)
const inserting = maybe('CustomRequestHandling', fc.record({ InsertHeaders: headers }))
const blocking = maybe(
  'CustomResponse',
  merged(
    fc.record({ ResponseCode: one(403, 100, 200, 204, 205, 304, 418, 599) }),
    maybe('ResponseHeaders', headers),
    maybe('CustomResponseBodyKey', one('page', 'none', 'constructor')),
  ),
)
const actionOf = (kinds: readonly string[]) =>
  fc.oneof(...kinds.map((kind) => (kind === 'Block' ? blocking : inserting).map((value) => ({ [kind]: value }))))
const action = actionOf(Object.keys(ACTIONS))
const drawnRule = fc
  .tuple(statement(2), action, fc.boolean())
  .map(([of, does, counts]) =>
    /"(?:ManagedRuleGroup|RuleGroupReference)Statement"/.test(JSON.stringify(of).slice(0, 40))
      ? groupRule('r', of as never, { OverrideAction: counts ? { Count: {} } : { None: {} } })
      : rule('r', of as never, does as never),
  )

const CIDRS = [
  '192.0.2.1/32',
  '10.1.2.3/1',
  '::ffff:10.0.0.1/128',
  '::ffff:0:0/96',
  '::ffff:10.0.0.1/90',
  '::/1',
  '10.0.0.0/0',
]
const members = CIDRS.flatMap((cidr) => [normalCidr(cidr, 'IPV4') ?? [], normalCidr(cidr, 'IPV6') ?? []].flat())
const inside = rule('inside', { GeoMatchStatement: { CountryCodes: ['DE'] } })

/** Everything that rules name is there. */
const reader = {
  get: async (kind: string) => ({ doc: kind === 'rule-group' ? { group: { Capacity: 1, Rules: [inside] } } : {} }),
} as unknown as Reader

/** Null: the API refuses it. */
async function acceptedBy(given: GivenAcl): Promise<Awaited<ReturnType<typeof acceptedAcl>> | null> {
  try {
    checkConstraints({ Name: 'acl', Scope: 'CLOUDFRONT', ...given }, INPUT, WAF_CONSTRAINTS)
    return await acceptedAcl(reader, given)
  } catch (error) {
    assert.ok(error instanceof Fault || error instanceof WireError, String((error as Error).stack))
    return null
  }
}

test('what the API takes, an edge can compile', async () => {
  const taken = new Set<string>()
  const given = fc.tuple(drawnRule, actionOf(['Allow', 'Block']))
  await fc.assert(
    fc.asyncProperty(given, async ([drawn, DefaultAction]) => {
      const acl = await acceptedBy({
        DefaultAction,
        Rules: [{ ...drawn, Priority: 0 }],
        VisibilityConfig: { MetricName: 'm', SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true },
        CustomResponseBodies: { page: { ContentType: 'TEXT_PLAIN', Content: 'é' } },
      } as unknown as GivenAcl)
      if (acl === null) return
      const [{ Statement = {} } = {}] = acl.Rules as readonly StoredRule[]
      for (const kind of Object.keys(Statement)) taken.add(kind)
      const doc = webAclDoc([], {
        acl: acl as never,
        ipSets: { [ipSetArn('set')]: members },
        regexSets: { [regexSetArn('set')]: ['é'] },
        ruleGroups: ruleGroupDoc('group', [inside]),
      })
      assert.equal(compileWebAcl(doc).broken, null)
    }),
    { numRuns: 3_000, seed: 1 },
  )
  // Of each kind some were taken: otherwise nothing was seen of it.
  assert.deepEqual([...taken].sort(), Object.keys(STATEMENTS).sort())
})

test('an expression that the API takes, an edge can compile', () => {
  fc.assert(
    fc.property(expression, (RegexString) => {
      try {
        checkPattern(RegexString, 'REGEX_PATTERN_SET')
      } catch {
        return
      }
      const looks = { FieldToMatch: { UriPath: {} }, TextTransformations: [{ Priority: 0, Type: 'NONE' as const }] }
      assert.equal(
        compileWebAcl(webAclDoc([rule('r', { RegexMatchStatement: { RegexString, ...looks } })])).broken,
        null,
      )
    }),
    { numRuns: 1_000 },
  )
})
