//! Rate-based rules, what is sampled and logged of requests that web ACLs looked at, through real requests.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { WebAclDoc } from '../../../src/domain/waf/web-acl.ts'
import type { WorkerOptions } from '../../../src/edge/worker.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, DISTRIBUTION_ID, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'
import {
  ACL_ARN,
  byteMatch,
  header,
  PATH,
  type RuleDraft,
  rule,
  type StoredAction,
  type StoredStatement,
  webAclDoc,
} from '../../support/web-acl.ts'

type Rate = NonNullable<StoredStatement['RateBasedStatement']>

const NONE = [{ Priority: 0, Type: 'NONE' as const }]

const rate = (name: string, changes: Partial<Rate>, action?: StoredAction, more: Partial<RuleDraft> = {}) =>
  rule(
    name,
    { RateBasedStatement: { Limit: 10, EvaluationWindowSec: 60, AggregateKeyType: 'IP', ...changes } },
    action,
    more,
  )

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']

async function protectedBy(
  t: TestContext,
  webAcl: WebAclDoc,
  options: Partial<WorkerOptions> & { count?: number } = {},
) {
  const origin = await startOrigin((_, response) => response.end('passed'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [], options)
  const use = (doc: WebAclDoc) => edge.feed.change(() => ({ kind: 'web-acl', arn: ACL_ARN, webAcl: doc }))
  await use(webAcl)
  const behaviors = [behaviorDoc({ allowedMethods: METHODS })]
  await edge.feed.put(distributionDoc(origin.port, { behaviors, webAclArn: ACL_ARN }))
  const status = async (path: string, headers: Record<string, string> = {}, worker = 0, method = 'GET') =>
    (await edge.get(path, { headers, worker, method })).status
  const statuses = async (count: number, path: string, headers: Record<string, string> = {}, worker = 0) => {
    const seen: Record<number, number> = {}
    for (let at = 0; at < count; at++) {
      const one = await status(path, headers, worker)
      seen[one] = (seen[one] ?? 0) + 1
    }
    return seen
  }
  return { edge, use, status, statuses }
}

const from = (address: string) => ({ 'x-cachefront-viewer-address': address })

test('a rate-based rule: so many requests of an address in the window, blocked ones included, by the movable clock', async (t) => {
  const { edge, use, status, statuses } = await protectedBy(
    t,
    webAclDoc([
      rate('per-address', { ScopeDownStatement: byteMatch('/login', PATH, 'STARTS_WITH') }, undefined, {
        RuleLabels: [{ Name: 'too-fast' }],
      }),
    ]),
  )
  assert.deepEqual(await statuses(14, '/login', from('192.0.2.1')), { 200: 10, 403: 4 })
  assert.equal(await status('/login', from('192.0.2.2')), 200)
  assert.equal(await status('/elsewhere', from('192.0.2.1')), 200)
  const over = async () => {
    const answer = await edge.feed.ask({ kind: 'waf-rate-keys', ids: `${ACL_ARN}\n\nper-address\n`, max: 10 })
    return answer.kind === 'waf-rate-keys' ? answer.keys : answer
  }
  assert.deepEqual(await over(), ['192.0.2.1'])
  await edge.feed.moveClock(30_000)
  assert.equal(await status('/login', from('192.0.2.1')), 403)
  // 62 s after the first ones only the last one counts.
  await edge.feed.moveClock(64_000)
  assert.deepEqual(await over(), [])
  assert.equal(await status('/login', from('192.0.2.1')), 200)
  assert.deepEqual(await statuses(9, '/login', from('192.0.2.1')), { 200: 8, 403: 1 })
  // Another limit is another rule, whose counts begin anew; the same rule beside another one goes on.
  await use(webAclDoc([rate('per-address', { Limit: 11 })]))
  assert.deepEqual(await statuses(12, '/login', from('192.0.2.1')), { 200: 11, 403: 1 })
  await use(webAclDoc([rate('per-address', { Limit: 11 }), rule('x', byteMatch('/x', PATH))]))
  assert.equal(await status('/login', from('192.0.2.1')), 403)
})

test('aggregation keys: each set of values counts by itself, a request without one of them is not counted', async (t) => {
  const forwarded = { HeaderName: 'X-Forwarded-For', FallbackBehavior: 'MATCH' } as const
  const scope = (path: string) => ({ ScopeDownStatement: byteMatch(path, PATH, 'STARTS_WITH') })
  const custom = (...CustomKeys: NonNullable<Rate['CustomKeys']>[number][]) =>
    ({ AggregateKeyType: 'CUSTOM_KEYS', CustomKeys }) as const
  const { status, statuses } = await protectedBy(
    t,
    webAclDoc([
      rule('tag', byteMatch('premium', header('plan')), { Count: {} }, { RuleLabels: [{ Name: 'plan:premium' }] }),
      rate('forwarded', { AggregateKeyType: 'FORWARDED_IP', ForwardedIPConfig: forwarded, ...scope('/f') }),
      rate('constant', { AggregateKeyType: 'CONSTANT', ...scope('/c') }),
      rate('header-method', {
        ...custom(
          { Header: { Name: 'Key', TextTransformations: [{ Priority: 0, Type: 'LOWERCASE' }] } },
          { HTTPMethod: {} },
        ),
        ...scope('/h'),
      }),
      rate('cookie', { ...custom({ Cookie: { Name: 'sid', TextTransformations: NONE } }), ...scope('/k') }),
      rate('label', { ...custom({ LabelNamespace: { Namespace: 'plan:' } }), ...scope('/l') }),
      rate('path-ip', { ...custom({ UriPath: { TextTransformations: NONE } }, { IP: {} }), ...scope('/p') }),
      rate('argument', { ...custom({ QueryArgument: { Name: 'user', TextTransformations: NONE } }), ...scope('/a') }),
      rate('query', { ...custom({ QueryString: { TextTransformations: NONE } }), ...scope('/q') }),
    ]),
  )
  const xff = (value: string) => ({ 'x-forwarded-for': value })
  assert.deepEqual(await statuses(11, '/f', xff('198.51.100.1, 10.0.0.1')), { 200: 10, 403: 1 })
  assert.equal(await status('/f', xff('198.51.100.2, 198.51.100.1')), 200)
  // What is no address is treated as the fallback says; without the header the rule does not apply.
  assert.equal(await status('/f', xff('nonsense')), 403)
  assert.deepEqual(await statuses(12, '/f'), { 200: 12 })

  assert.deepEqual(await statuses(6, '/c', from('192.0.2.1')), { 200: 6 })
  assert.deepEqual(await statuses(6, '/c', from('192.0.2.2')), { 200: 4, 403: 2 })

  assert.deepEqual(await statuses(6, '/h', { key: 'A' }), { 200: 6 })
  assert.deepEqual(await statuses(6, '/h', { key: 'a' }), { 200: 4, 403: 2 })
  assert.equal(await status('/h', { key: 'a' }, 0, 'POST'), 200)
  assert.deepEqual(await statuses(12, '/h'), { 200: 12 })

  assert.deepEqual(await statuses(11, '/k', { cookie: 'a=b; sid=one' }), { 200: 10, 403: 1 })
  assert.equal(await status('/k', { cookie: 'sid=two' }), 200)
  assert.deepEqual(await statuses(11, '/l', { plan: 'premium' }), { 200: 10, 403: 1 })
  assert.equal(await status('/l', { plan: 'other' }), 200)
  assert.deepEqual(await statuses(11, '/p/1'), { 200: 10, 403: 1 })
  assert.equal(await status('/p/2'), 200)
  assert.deepEqual(await statuses(11, '/a?user=me&x=1'), { 200: 10, 403: 1 })
  assert.equal(await status('/a?user=you'), 200)
  assert.deepEqual(await statuses(11, '/a?other=me'), { 200: 11 })
  const long = 'x'.repeat(3_000)
  assert.deepEqual(await statuses(11, `/q?${long}`), { 200: 10, 403: 1 })
  assert.equal(await status(`/q?${long}y`), 200)
})

test('a limit is one of the POP: three workers count together, and go on when the one that adds up is gone', async (t) => {
  const { edge, status } = await protectedBy(t, webAclDoc([rate('per-address', { Limit: 30 })]), { count: 3 })
  const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4']
  const ask = async (worker: string) => {
    const answer = await edge.feed.ask({ kind: 'waf-rate-keys', ids: `${ACL_ARN}\n`, max: 10 }, worker)
    return answer.kind === 'waf-rate-keys' ? answer.keys : []
  }
  const askAll = () => Promise.all(['worker-0', 'worker-1', 'worker-2'].map(ask))
  for (const address of addresses) {
    for (let at = 0; at < 12; at++)
      for (const worker of [0, 1, 2]) {
        const seen = await status('/', from(address), worker)
        if (at < 10) assert.equal(seen, 200, `${address} ${at}`)
      }
    // Each has seen twelve: nobody knows by itself. Together they know within moments, and all of them refuse, before any
    // has seen thirty.
    await until(async () => (await askAll()).flat().includes(address))
    for (const worker of [0, 1, 2]) {
      let tries = 0
      while ((await status('/', from(address), worker)) === 200) {
        assert.ok(++tries < 18)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
  const owned = await Promise.all(['worker-0', 'worker-1', 'worker-2'].map(ask))
  assert.deepEqual(owned.flat().sort(), addresses)
  const owner = owned.findIndex((keys) => keys.length > 0)
  const [left = -1] = [0, 1, 2].filter((at) => at !== owner)
  await edge.workers[owner]?.close()
  for (const address of addresses) assert.equal(await status('/', from(address), left), 403)
  edge.feed.tellWorkers(edge.workers.filter((_, at) => at !== owner).map(({ identity }) => identity))
  // The next owner has their counts; the clock lets everybody in again.
  const others = [0, 1, 2].filter((at) => at !== owner).map((at) => `worker-${at}`)
  const taken = owned[owner]?.[0] as string
  await until(async () => {
    await status('/', from(taken), left)
    return (await Promise.all(others.map(ask))).flat().includes(taken)
  })
  await edge.feed.moveClock(200_000)
  for (const address of addresses) assert.equal(await status('/', from(address), left), 200)
})

test('samples, counts and the log tell what rules did, without credentials', async (t) => {
  const logging = {
    ResourceArn: ACL_ARN,
    LogDestinationConfigs: ['arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-shop'],
    RedactedFields: [{ SingleHeader: { Name: 'x-private' } }],
    LoggingFilter: {
      DefaultBehavior: 'KEEP',
      Filters: [
        {
          Behavior: 'DROP',
          Requirement: 'MEETS_ALL',
          Conditions: [
            { ActionCondition: { Action: 'ALLOW' } },
            { LabelNameCondition: { LabelName: 'awswaf:123456789012:webacl:acl:quiet' } },
          ],
        },
      ],
    },
  } as const
  const rules = [
    rule('watch', byteMatch('/a', PATH, 'STARTS_WITH'), { Count: {} }),
    rule('quiet', byteMatch('/quiet', PATH), { Count: {} }, { RuleLabels: [{ Name: 'quiet' }] }),
    rule('admin', byteMatch('/admin', PATH), { Block: { CustomResponse: { ResponseCode: 418 } } }),
    rate('fast', { ...{ AggregateKeyType: 'CONSTANT' }, ScopeDownStatement: byteMatch('/fast', PATH) }),
  ]
  const { edge, status, statuses } = await protectedBy(t, { ...webAclDoc(rules), logging })
  const secrets = { cookie: 'sid=c00kie', authorization: 'Bearer t0ken', 'x-private': 'pr1vate', 'x-plain': 'plain' }
  assert.equal(await status('/admin?Signature=s1gned&a=b', { ...secrets, ...from('192.0.2.9') }), 418)
  assert.equal(await status('/about'), 200)
  assert.equal(await status('/quiet'), 200)
  assert.deepEqual(await statuses(11, '/fast'), { 200: 10, 403: 1 })

  const now = Date.now()
  const samples = async (metric: string) => {
    const span = { from: now - 600_000, to: now + 600_000, max: 100 }
    const answer = await edge.feed.ask({ kind: 'waf-samples', webAcl: ACL_ARN, metric, ...span })
    assert.equal(answer.kind, 'waf-samples')
    return answer.kind === 'waf-samples' ? answer.found : { population: 0, samples: [] }
  }
  const { population, samples: blocked } = await samples('admin')
  assert.equal(population, 1)
  const { sample, weight } = blocked[0] ?? assert.fail()
  assert.equal(weight, 1)
  assert.deepEqual(
    [sample.action, sample.clientIp, sample.uri, sample.method, sample.httpVersion, sample.responseCodeSent],
    ['BLOCK', '192.0.2.9', '/admin?Signature=***&a=b', 'GET', 'HTTP/1.1', 418],
  )
  assert.deepEqual(
    sample.headers.filter(({ name }) => /^(cookie|authorization|x-plain)$/i.test(name)).map(({ value }) => value),
    ['sid=***', '***', 'plain'],
  )
  assert.equal((await samples('watch')).population, 2)
  assert.equal((await samples('acl')).population, 12)
  assert.equal((await samples('nobody')).population, 0)

  const counts = await edge.feed.ask({ kind: 'waf-rules' })
  assert.equal(counts.kind, 'waf-rules')
  const of = (name: string) => counts.kind === 'waf-rules' && counts.rules.find((one) => one.rule === name)?.counts
  const none = { allow: 0, block: 0, count: 0, captcha: 0, challenge: 0 }
  assert.deepEqual(of('watch'), { ...none, count: 2 })
  assert.deepEqual(of('admin'), { ...none, block: 1 })
  assert.deepEqual(of('fast'), { ...none, block: 1 })
  assert.deepEqual(of('Default_Action'), { ...none, allow: 12 })

  await edge.pause()
  const folder = join(edge.directory, 'logs', 'aws-waf-logs-shop')
  assert.deepEqual(await readdir(folder), ['cloudfront_acl_worker-0'])
  const text = await readFile(join(folder, 'cloudfront_acl_worker-0'), 'utf8')
  for (const secret of ['c00kie', 't0ken', 's1gned', 'pr1vate']) assert.equal(text.includes(secret), false, secret)
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  // All but the one that the filter drops.
  assert.equal(lines.length, 13)
  const [admin, about] = lines
  assert.equal(admin.formatVersion, 1)
  assert.equal(admin.webaclId, ACL_ARN)
  assert.deepEqual(
    [admin.terminatingRuleId, admin.terminatingRuleType, admin.action, admin.responseCodeSent],
    ['admin', 'REGULAR', 'BLOCK', 418],
  )
  assert.deepEqual([admin.httpSourceName, admin.httpSourceId], ['CF', DISTRIBUTION_ID])
  assert.deepEqual(admin.nonTerminatingMatchingRules, [{ ruleId: 'watch', action: 'COUNT', ruleMatchDetails: [] }])
  const { headers, ...request } = admin.httpRequest
  assert.match(request.requestId, /^[\w-]{20,}/)
  assert.deepEqual(
    { ...request, requestId: '' },
    {
      clientIp: '192.0.2.9',
      country: '-',
      uri: '/admin',
      args: 'Signature=***&a=b',
      httpVersion: 'HTTP/1.1',
      httpMethod: 'GET',
      requestId: '',
      fragment: '',
      scheme: 'http',
      host: HOST,
    },
  )
  assert.ok(
    headers.some((one: { name: string; value: string }) => one.name === 'x-private' && one.value === 'REDACTED'),
  )
  assert.equal(about.terminatingRuleId, 'Default_Action')
  const fast = lines.at(-1)
  assert.deepEqual([fast.terminatingRuleType, fast.terminatingRuleId], ['RATE_BASED', 'fast'])
  assert.deepEqual(fast.rateBasedRuleList, [
    {
      rateBasedRuleId: `${ACL_ARN}/fast`,
      rateBasedRuleName: 'fast',
      limitKey: 'CONSTANT',
      maxRateAllowed: 10,
      evaluationWindowSec: '60',
    },
  ])
})

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.fail('it did not become so')
}
