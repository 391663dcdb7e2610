import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NOWHERE } from '../../../domain/viewer.ts'
import type { WebAclDoc } from '../../../domain/waf/web-acl.ts'
import { ACCESS_LOG_HEADER } from '../../../observe/access-log.ts'
import { LogReader } from './log-line.ts'
import { Replay } from './replay.ts'

const geo = { find: () => NOWHERE, placesAddresses: true, knowsSystems: true }
const visibility = (MetricName: string) => ({
  SampledRequestsEnabled: true,
  CloudWatchMetricsEnabled: true,
  MetricName,
})
const match = (text: string, field: object) => ({
  ByteMatchStatement: {
    SearchString: Buffer.from(text).toString('base64'),
    FieldToMatch: field,
    TextTransformations: [{ Priority: 0, Type: 'NONE' as const }],
    PositionalConstraint: 'CONTAINS' as const,
  },
})
const rule = (Name: string, Priority: number, Statement: object, Action: object) => ({
  ...{ Name, Priority, Statement, Action },
  VisibilityConfig: visibility(Name),
})

const ARN = 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/acl/id'
const doc: WebAclDoc = {
  ...{ arn: ARN, id: 'id', name: 'acl', ipSets: {}, regexSets: {}, ruleGroups: {} },
  acl: {
    ...{ Name: 'acl', Id: 'id', ARN: ARN },
    DefaultAction: { Allow: {} },
    VisibilityConfig: visibility('acl'),
    Rules: [
      rule('agent', 0, match('curl', { SingleHeader: { Name: 'user-agent' } }), { Count: {} }),
      rule('admin', 1, match('/admin', { UriPath: {} }), { Block: {} }),
      rule('quote', 2, match("'", { QueryString: {} }), { Captcha: {} }),
      rule('body', 3, match('x', { Body: { OversizeHandling: 'CONTINUE' } }), { Block: {} }),
      rule(
        'fast',
        4,
        { RateBasedStatement: { Limit: 10, EvaluationWindowSec: 60, AggregateKeyType: 'IP' } },
        { Block: {} },
      ),
    ],
  },
}

const access = (second: number, address: string, path: string, query = '-', status = 200, agent = 'Mozilla/5.0') =>
  `2026-11-30\t10:${String(Math.floor(second / 60)).padStart(2, '0')}:${String(second % 60).padStart(2, '0')}\tFRA50-C1\t500\t${address}\tGET\td1.cloudfront.localhost\t${path}\t${status}\t-\t${agent}\t${query}\t-\tHit\tid-${second}\twww.example.com\thttp\t90\t0.001\t-\t-\t-\tHit\tHTTP/2.0\t-\t-\t4711\t0.001\tHit\ttext/html\t20\t-\t-`

describe('a web ACL and the requests of a log', () => {
  it('is told what each rule would have done, with windows by the times of the log', () => {
    const replay = new Replay(doc, geo)
    const seen = [
      ...ACCESS_LOG_HEADER.trimEnd().split('\n'),
      access(0, '192.0.2.1', '/admin/%2520x'),
      access(1, '192.0.2.1', '/a', 'name=o%27hara'),
      access(2, '192.0.2.1', '/b', '-', 200, 'curl/8.0'),
      'nonsense',
      ...Array.from({ length: 12 }, (_, at) => access(3 + at, '192.0.2.9', '/c')),
      access(200, '192.0.2.9', '/c'),
      access(201, '192.0.2.1', '/admin', '-', 403),
    ].flatMap((line) => replay.line(line) ?? [])
    const { rules, failures, ...totals } = replay.totals
    replay.close()
    assert.deepEqual(totals, {
      lines: 20,
      unreadable: 1,
      requests: 17,
      allowed: 12,
      blocked: 4,
      challenged: 1,
      counted: 1,
      wouldHaveLost: 4,
      bodyRules: ['body'],
    })
    assert.deepEqual(failures, {})
    const counts = Object.fromEntries(rules.map((one) => [one.rule, one.counts]))
    assert.equal(counts.admin?.block, 2)
    assert.equal(counts.fast?.block, 2)
    assert.equal(counts.quote?.captcha, 1)
    assert.equal(counts.agent?.count, 1)
    assert.deepEqual(
      seen.map(({ line, action, rule: name, counted }) => [line, action, name ?? counted.join()]),
      [
        [3, 'BLOCK', 'admin'],
        [4, 'CAPTCHA', 'quote'],
        [5, 'ALLOW', 'agent'],
        [17, 'BLOCK', 'fast'],
        [18, 'BLOCK', 'fast'],
        [20, 'BLOCK', 'admin'],
      ],
    )
    // What the log escaped is what the viewer sent.
    assert.equal(seen[0]?.logged.request.path, '/admin/%20x')
  })

  it('reads the lines of web ACLs too, with their headers', () => {
    const line = JSON.stringify({
      timestamp: 1_800_000_000_000,
      action: 'ALLOW',
      httpRequest: {
        clientIp: '192.0.2.7',
        uri: '/x',
        args: 'a=b',
        httpVersion: 'HTTP/1.1',
        httpMethod: 'POST',
        requestId: 'id',
        headers: [
          { name: 'Host', value: 'www.example.com' },
          { name: 'User-Agent', value: 'curl/8.0' },
          { name: 7, value: null },
        ],
      },
    })
    const logged = new LogReader().read(line)
    assert.equal(logged?.request.headers.get('user-agent'), 'curl/8.0')
    assert.deepEqual([logged?.address, logged?.request.query, logged?.request.method], ['192.0.2.7', 'a=b', 'POST'])
    for (const other of ['{', '{}', '{"httpRequest":{}}', '{"httpRequest":{"clientIp":1}}', 'a\tb', '\t'.repeat(40)])
      assert.equal(new LogReader().read(other), undefined, other)
    assert.equal(new LogReader().read(''), null)
  })

  it('says why a web ACL cannot be evaluated', () => {
    const reference = rule('set', 0, { IPSetReferenceStatement: { ARN: 'arn:missing' } }, { Block: {} })
    assert.throws(() => new Replay({ ...doc, acl: { ...doc.acl, Rules: [reference] } }, geo), /arn:missing/)
  })
})
