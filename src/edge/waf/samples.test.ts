import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LoggingConfiguration } from '@aws-sdk/client-wafv2'
import {
  byteMatch,
  groupRule,
  PATH,
  rule,
  ruleGroupArn,
  ruleGroupDoc,
  webAclDoc,
} from '../../../test/support/web-acl.ts'
import { NOWHERE } from '../../domain/viewer.ts'
import type { Stored } from '../../domain/waf/web-acl.ts'
import { unframedHeaders } from '../listen/header-block.ts'
import { compileWebAcl } from './compile.ts'
import { Evaluation, type Evaluator, evaluate } from './evaluate.ts'
import { Inspected, NO_BODY } from './inspected.ts'
import { isLogged, wafLogLine } from './log.ts'
import type { Verdict } from './plan.ts'
import { Samples } from './samples.ts'

const START = 1_800_000_000_000
const NO_RATES = { hit: () => false }
const evaluator: Evaluator = {
  challenges: null,
  failed: (_, one, error) => assert.fail(`${one.name}: ${error}`),
}

const group = ruleGroupDoc('g', [
  rule('one', byteMatch('/one', PATH), { Count: {} }),
  rule('two', byteMatch('/two', PATH)),
  rule('three', byteMatch('/three', PATH)),
])
const plan = compileWebAcl(
  webAclDoc(
    [
      rule('tag', byteMatch('/tag', PATH), { Count: {} }, { RuleLabels: [{ Name: 'tagged' }] }),
      groupRule('group', {
        RuleGroupReferenceStatement: {
          ARN: ruleGroupArn('g'),
          RuleActionOverrides: [{ Name: 'three', ActionToUse: { Count: {} } }],
        },
      }),
      groupRule(
        'watched',
        { RuleGroupReferenceStatement: { ARN: ruleGroupArn('g') } },
        { OverrideAction: { Count: {} } },
      ),
    ],
    { ruleGroups: group },
  ),
)

function decided(path: string, now = START): { evaluation: Evaluation; verdict: Verdict } {
  const around = {
    geo: { find: () => NOWHERE, placesAddresses: true, knowsSystems: true },
    clock: { now: () => now },
    waf: { rates: NO_RATES },
  }
  const headers = unframedHeaders(['Host', 'example.com', 'X-Name', 'Zo\u00eb'], 'example.com')
  const request = new Inspected(
    { method: 'GET', path, query: null, httpVersion: '2.0', headers },
    '192.0.2.1',
    'id',
    around,
    NO_BODY,
  )
  const evaluation = new Evaluation(request)
  return { evaluation, verdict: evaluate(plan, evaluation, evaluator) as Verdict }
}

describe('samples of requests', () => {
  const samples = new Samples()
  const add = (path: string, now: number): void => {
    const { evaluation, verdict } = decided(path, now)
    samples.add(plan, evaluation, verdict)
  }
  const find = (metric: string, from = START, to = START + 20_000_000, max = 500) =>
    samples.find(plan.arn, metric, from, to, max)

  it('stand for all requests, and are few', () => {
    for (let at = 0; at < 1_000; at++) add('/tag', START + at)
    const { population, samples: found } = find('tag')
    assert.equal(population, 1_000)
    assert.equal(found.length, 14)
    assert.ok(Math.abs(found.reduce((all, { weight }) => all + weight, 0) - 1_000) < 14)
    // As likely the late ones as the early ones.
    assert.ok(found.some(({ sample }) => sample.at > START + 100))
    assert.equal(find('tag', START, START + 1_000_000, 3).samples.length, 3)
    assert.equal(find('tag', START + 1_000_000).population, 0)
  })

  it('of a group are found under its rule and under the one that refers to it', () => {
    add('/two', START)
    for (const metric of ['two', 'group'])
      assert.deepEqual(
        find(metric).samples.map(({ sample }) => [sample.ruleNameWithinRuleGroup, sample.action]),
        [['two', 'BLOCK']],
      )
  })

  it('tell the action that an override took the place of', () => {
    add('/three', START)
    // Once by the override in one reference, once because the other reference only counts.
    assert.deepEqual(
      find('three').samples.map(({ sample }) => [sample.action, sample.overriddenAction]),
      [
        ['COUNT', 'BLOCK'],
        ['COUNT', 'BLOCK'],
      ],
    )
  })

  it('of requests with many long headers stay small', () => {
    const { evaluation, verdict } = decided('/tag', START + 6_000_000)
    const raw = Array.from({ length: 200 }, (_, at) => (at % 2 === 0 ? `X-${at}` : 'v'.repeat(5_000)))
    const large = Object.assign(evaluation.request, { headers: unframedHeaders(raw, 'example.com') })
    samples.add(plan, { request: large, counted: evaluation.counted }, verdict)
    const [found] = find('tag', START + 5_900_000).samples
    const { length } = JSON.stringify(found)
    assert.ok(length > 4_000 && length < 11_000, String(length))
  })

  it('are of the last three hours, and no more than there is room for', () => {
    for (let slot = 1; slot < 60; slot++) add('/tag', START + slot * 300_000)
    assert.equal(find('tag').population, 37)
    for (let slot = 60; slot < 400; slot++) for (let at = 0; at < 20; at++) add('/tag', START + slot * 300_000)
    assert.ok(samples.size <= 5_000, String(samples.size))
  })
})

describe('the log of a web ACL', () => {
  type Logging = Stored<LoggingConfiguration>
  const logging = (LoggingFilter: Logging['LoggingFilter']): Logging => ({
    ResourceArn: plan.arn,
    LogDestinationConfigs: [],
    LoggingFilter,
  })
  type Filters = NonNullable<Logging['LoggingFilter']>['Filters']
  const action = (Action: 'BLOCK' | 'COUNT' | 'ALLOW') => ({ ActionCondition: { Action } })
  const label = { LabelNameCondition: { LabelName: 'awswaf:123456789012:webacl:acl:tagged' } }
  const keep = (Requirement: 'MEETS_ALL' | 'MEETS_ANY', ...Conditions: Filters[number]['Conditions']): Filters => [
    { Behavior: 'KEEP', Requirement, Conditions },
  ]
  const rows: readonly [string, string, Filters, boolean][] = [
    ['a block', '/two', keep('MEETS_ANY', action('BLOCK')), true],
    ['no block', '/', keep('MEETS_ANY', action('BLOCK')), false],
    ['a count', '/tag', keep('MEETS_ANY', action('BLOCK'), action('COUNT')), true],
    ['a label', '/tag', keep('MEETS_ALL', label, action('ALLOW')), true],
    ['another action with it', '/tag', keep('MEETS_ALL', label, action('BLOCK')), false],
    [
      'the first filter that matches',
      '/tag',
      [{ Behavior: 'DROP', Requirement: 'MEETS_ANY', Conditions: [label] }, ...keep('MEETS_ANY', action('ALLOW'))],
      false,
    ],
  ]
  for (const [name, path, Filters, expected] of rows)
    it(`is kept for ${name}: ${expected}`, () => {
      const { evaluation, verdict } = decided(path)
      assert.equal(isLogged(logging({ DefaultBehavior: 'DROP', Filters }), evaluation, verdict), expected)
    })

  it('tells which rule of which group did what, in ASCII', () => {
    const lineOf = (path: string) => {
      const { evaluation, verdict } = decided(path)
      const text = wafLogLine(plan, evaluation, verdict, { distributionId: 'E1', scheme: 'https' })
      assert.match(text, /^[\x20-\x7e]+\n$/)
      return JSON.parse(text)
    }
    const blocked = lineOf('/tag/one/two')
    assert.deepEqual(
      [blocked.terminatingRuleId, blocked.terminatingRuleType, blocked.action],
      ['group', 'GROUP', 'BLOCK'],
    )
    assert.deepEqual(blocked.labels, [{ name: 'awswaf:123456789012:webacl:acl:tagged' }])
    const entry = { ruleGroupId: ruleGroupArn('g'), excludedRules: null }
    assert.deepEqual(blocked.ruleGroupList, [
      {
        ...entry,
        terminatingRule: { ruleId: 'two', action: 'BLOCK', ruleMatchDetails: null },
        nonTerminatingMatchingRules: [{ ruleId: 'one', action: 'COUNT', ruleMatchDetails: [] }],
      },
    ])
    assert.equal(blocked.httpRequest.headers[1].value, 'Zo\u00eb')
    const watched = lineOf('/three')
    assert.deepEqual(watched.ruleGroupList[0].nonTerminatingMatchingRules, [
      { ruleId: 'three', action: 'COUNT', overriddenAction: 'BLOCK', ruleMatchDetails: [] },
    ])
    assert.deepEqual([watched.terminatingRuleId, watched.action], ['Default_Action', 'ALLOW'])
    assert.deepEqual(watched.nonTerminatingMatchingRules, [
      { ruleId: 'watched', action: 'COUNT', ruleMatchDetails: [] },
    ])
    assert.deepEqual(watched.ruleGroupList[1].terminatingRule, {
      ruleId: 'three',
      action: 'BLOCK',
      ruleMatchDetails: null,
    })
  })
})
