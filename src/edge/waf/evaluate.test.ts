//! What cannot be evaluated lets nobody through; documents that make no sense cannot be evaluated.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BODY,
  byteMatch,
  groupRule,
  inspected,
  ipSetArn,
  PATH,
  type RuleDraft,
  regexSetArn,
  rule,
  ruleGroupArn,
  ruleGroupDoc,
  type StoredAction,
  transformations,
  webAclDoc,
} from '../../../test/support/web-acl.ts'
import type { WebAclDoc } from '../../domain/waf/web-acl.ts'
import { compileWebAcl } from './compile.ts'
import { Evaluation, type Evaluator, evaluate } from './evaluate.ts'
import { NO_BODY } from './inspected.ts'

/** Throws where no database is installed. */
const GEO = { GeoMatchStatement: { CountryCodes: ['DE'] } } as const

function judged(doc: WebAclDoc, changes: Partial<Evaluator> = {}) {
  const failures: string[] = []
  const evaluator: Evaluator = {
    challenges: null,
    failed: (_plan, failed, error) => failures.push(`${failed.name}: ${(error as Error).message}`),
    ...changes,
  }
  const plan = compileWebAcl(doc)
  assert.equal(plan.broken, null)
  const evaluation = new Evaluation(inspected({ noGeoip: true }))
  const verdict = evaluate(plan, evaluation, evaluator)
  return { verdict, evaluation, failures }
}

test('a label of a rule that could not be evaluated lets nobody through, whatever a later rule makes of it', () => {
  const label = { LabelMatchStatement: { Scope: 'LABEL', Key: 'home' } } as const
  const country = { LabelMatchStatement: { Scope: 'LABEL', Key: 'awswaf:clientip:geo:country:KP' } } as const
  const geos = { LabelMatchStatement: { Scope: 'NAMESPACE', Key: 'awswaf:clientip:geo:country:' } } as const
  const tag = rule('geo', GEO, { Count: {} }, { RuleLabels: [{ Name: 'home' }] })
  const said = (statement: Parameters<typeof rule>[1], action?: StoredAction) =>
    judged(webAclDoc([tag, rule('then', statement, action)])).verdict?.action
  assert.equal(said(label), 'BLOCK')
  assert.equal(said({ NotStatement: { Statement: label } }), 'BLOCK')
  assert.equal(said(label, { Allow: {} }), 'BLOCK')
  assert.equal(said(country), 'BLOCK')
  assert.equal(said({ NotStatement: { Statement: geos } }), 'BLOCK')
  assert.equal(said({ LabelMatchStatement: { Scope: 'LABEL', Key: 'other' } }), 'ALLOW')
  assert.equal(said({ LabelMatchStatement: { Scope: 'NAMESPACE', Key: 'awswaf:managed:' } }), 'ALLOW')
  const sure = rule('sure', byteMatch('/', PATH), { Count: {} }, { RuleLabels: [{ Name: 'home' }] })
  const twice = judged(webAclDoc([sure, tag, rule('then', label, { Allow: {} })]))
  assert.equal(twice.verdict?.action, 'ALLOW')
})

test('a group whose scope cannot be told lets nobody through by an Allow of its rules', () => {
  const group = groupRule('group', {
    ManagedRuleGroupStatement: {
      VendorName: 'AWS',
      Name: 'AWSManagedRulesCommonRuleSet',
      ScopeDownStatement: GEO,
      RuleActionOverrides: [{ Name: 'NoUserAgent_HEADER', ActionToUse: { Allow: {} } }],
    },
  })
  assert.equal(judged(webAclDoc([group])).verdict?.action, 'BLOCK')
})

test('a rule that cannot be evaluated counts as one that matched, and never lets a request through', () => {
  const said = (action: StoredAction, statement: Parameters<typeof rule>[1] = GEO) => {
    const { verdict, evaluation, failures } = judged(
      webAclDoc([rule('geo', statement, action, { RuleLabels: [{ Name: 'l' }] })]),
    )
    assert.match(failures[0] ?? '', /^geo: no GeoIP database/)
    assert.deepEqual(evaluation.request.labels, ['awswaf:123456789012:webacl:acl:l'])
    return [verdict?.action, verdict?.failed, evaluation.counted.length]
  }
  assert.deepEqual(said({ Block: {} }), ['BLOCK', true, 0])
  assert.deepEqual(said({ Allow: {} }), ['BLOCK', true, 0])
  assert.deepEqual(said({ Count: {} }), ['ALLOW', false, 1])
  assert.deepEqual(said({ Captcha: {} }), ['BLOCK', true, 0])
  assert.deepEqual(said({ Challenge: {} }), ['BLOCK', true, 0])
  // Nor does what it stands in turn it round.
  assert.deepEqual(said({ Block: {} }, { NotStatement: { Statement: GEO } }), ['BLOCK', true, 0])
  const both = { OrStatement: { Statements: [byteMatch('nothing', PATH), { NotStatement: { Statement: GEO } }] } }
  assert.deepEqual(said({ Allow: {} }, both), ['BLOCK', true, 0])
})

test('a challenge that cannot be served blocks', () => {
  const doc = webAclDoc([rule('all', byteMatch('/', PATH), { Challenge: {} })])
  const challenges = {
    passes: () => {
      throw new Error('no keys')
    },
    fault: () => assert.fail('it is not asked for'),
  }
  for (const { verdict, failures } of [judged(doc), judged(doc, { challenges })]) {
    assert.deepEqual([verdict?.action, verdict?.failed, failures.length], ['BLOCK', true, 1])
  }
})

test('a rule that looks at the body waits for it, and those before it do not', () => {
  const doc = webAclDoc(
    [
      rule('first', byteMatch('/', PATH), { Count: {} }),
      groupRule('group', { RuleGroupReferenceStatement: { ARN: ruleGroupArn('g') } }),
      rule('last', byteMatch('/', PATH), { Count: {} }),
    ],
    { ruleGroups: ruleGroupDoc('g', [rule('body', byteMatch('evil', BODY))]) },
  )
  const plan = compileWebAcl(doc)
  const evaluator: Evaluator = { challenges: null, failed: (_plan, _rule, error) => assert.fail(error as Error) }
  for (const [texts, action, counted] of [
    [['evil'], 'BLOCK', 1],
    [['fine'], 'ALLOW', 2],
  ] as const) {
    const evaluation = new Evaluation(inspected())
    evaluation.request.body = null
    assert.equal(evaluate(plan, evaluation, evaluator), null)
    assert.equal(evaluation.counted.length, 1)
    evaluation.request.body = { ...NO_BODY, texts }
    assert.equal(evaluate(plan, evaluation, evaluator)?.action, action)
    assert.equal(evaluation.counted.length, counted)
  }
})

test('what is missing, or says nothing that can be done, cannot be evaluated', () => {
  const custom = (response: object): StoredAction => ({ Block: { CustomResponse: { ResponseCode: 403, ...response } } })
  const text = byteMatch('x', PATH)
  const match = text.ByteMatchStatement!
  const rows: readonly (readonly [why: RegExp, rules: readonly RuleDraft[]])[] = [
    [/IP set .* is not there/, [rule('r', { IPSetReferenceStatement: { ARN: ipSetArn('x') } })]],
    [/rule group .* is not there/, [groupRule('r', { RuleGroupReferenceStatement: { ARN: ruleGroupArn('x') } })]],
    [
      /regex pattern set .* is not there/,
      [
        rule('r', {
          RegexPatternSetReferenceStatement: {
            ARN: regexSetArn('x'),
            FieldToMatch: PATH,
            TextTransformations: transformations(),
          },
        }),
      ],
    ],
    [/0 statements/, [rule('r', {})]],
    [/2 statements/, [rule('r', { ...text, ...GEO })]],
    [/2 fields/, [rule('r', { ByteMatchStatement: { ...match, FieldToMatch: { ...PATH, ...BODY } } })]],
    [/logical statement of nothing/, [rule('r', { AndStatement: { Statements: [] } })]],
    [/text transformation NEW is not built/, [rule('r', byteMatch('x', PATH, 'EXACTLY', 'NEW' as never))]],
    [/NewStatement .* is not built/, [rule('r', { NewStatement: {} } as never)]],
    [/Monetize is not built/, [rule('r', text, { Monetize: {} })]],
    [/an action is 0/, [rule('r', text, {})]],
    [/no CustomResponseBody x/, [rule('r', text, custom({ CustomResponseBodyKey: 'x' }))]],
    [/cannot have the code 101/, [rule('r', text, custom({ ResponseCode: 101 }))]],
    [/no header field/, [rule('r', text, custom({ ResponseHeaders: [{ Name: 'X', Value: 'a\r\nSet-Cookie: x' }] }))]],
    [/no header field/, [rule('r', text, custom({ ResponseHeaders: [{ Name: 'X: y', Value: 'a' }] }))]],
    [
      /the header Content-Length/,
      [rule('r', text, custom({ ResponseHeaders: [{ Name: 'Content-Length', Value: '0' }] }))],
    ],
    [
      /no header field/,
      [rule('r', text, { Count: { CustomRequestHandling: { InsertHeaders: [{ Name: 'x', Value: 'a\nb' }] } } })],
    ],
  ]
  for (const [why, rules] of rows) assert.match(compileWebAcl(webAclDoc(rules)).broken ?? '', why)
  const deep = Array.from({ length: 50_000 }).reduce<Parameters<typeof rule>[1]>(
    (Statement) => ({ NotStatement: { Statement } }),
    text,
  )
  assert.match(compileWebAcl(webAclDoc([rule('r', deep)])).broken ?? '', /call stack/)
  const badSet = webAclDoc([rule('r', { IPSetReferenceStatement: { ARN: ipSetArn('x') } })], {
    ipSets: { [ipSetArn('x')]: ['10.0.0.0/33'] },
  })
  assert.match(compileWebAcl(badSet).broken ?? '', /no range of addresses/)
})
