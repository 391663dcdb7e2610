//! Continuous deployment at the edge (spec/cloudfront.md 3.1 step 4, 15): which requests of a primary distribution its
//! staging one serves, that the two share nothing, and what the viewer and the log see of it.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { BehaviorDoc, ContinuousDeploymentDoc, DistributionDoc } from '../../../src/domain/distribution.ts'
import type { Trace } from '../../../src/observe/trace.ts'
import { LargeOrigin, largeBytes } from '../../support/edge-large-origin.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
  HOST,
  originDoc,
  type ViewerAnswer,
} from '../../support/edge-scenario.ts'
import { randomOf } from '../../support/random.ts'

const STAGING_ID = 'E2STAGINGDISTR'
const STAGING_HOST = 'd222222abcdef8.cloudfront.localhost'
const SECRET = 'ab'.repeat(32)
const FLAG = { 'aws-cf-cd-test': 'yes' }

const MIB = 1024 * 1024

type Traffic = ContinuousDeploymentDoc['traffic']

const HEADER: Traffic = { kind: 'header', header: 'aws-cf-cd-test', value: 'yes' }
const STICKY: Traffic = {
  kind: 'weight',
  share: 0.15,
  sticky: { idleSeconds: 300, maximumSeconds: 900, secret: SECRET },
}

/** A primary distribution and its staging one, told apart by their origins' paths. */
function pair(port: number, traffic: Traffic, staging: Partial<DistributionDoc> = {}): DistributionDoc[] {
  const all = { behavior: 'all', names: [] } as const
  const behaviors = [behaviorDoc({ cachePolicy: cachePolicy({ cookies: all }) })]
  return [
    distributionDoc(port, {
      origins: [originDoc(port, { path: '/primary' })],
      behaviors,
      aliases: ['www.example.com'],
      continuousDeployment: { policyId: 'policy-1', stagingId: STAGING_ID, traffic },
    }),
    distributionDoc(port, {
      id: STAGING_ID,
      domainName: STAGING_HOST,
      origins: [originDoc(port, { path: '/staging' })],
      behaviors,
      staging: true,
      ...staging,
    }),
  ]
}

async function scene(t: TestContext, traffic: Traffic, options: Parameters<typeof EdgeScenario.start>[2] = {}) {
  const origin = await startOrigin((asked, response) =>
    response.setHeader('cache-control', 'max-age=600').end(asked.url),
  )
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, pair(origin.port, traffic), options)
  return { origin, edge }
}

const cookieOf = (answer: ViewerAnswer): string => {
  const [line = ''] = [answer.headers['set-cookie'] ?? []].flat()
  return line.slice(0, line.indexOf(';'))
}

for (const count of [1, 3]) {
  test(`a header sends a request to the staging distribution, which has a cache of its own; ${count} workers`, async (t) => {
    const { origin, edge } = await scene(t, HEADER, { count })
    const ask = (headers: Record<string, string>, worker = 0) => edge.get('/a', { headers, worker })
    assert.deepEqual(await seen(ask({})), ['/primary/a', 'Miss'])
    assert.deepEqual(await seen(ask(FLAG)), ['/staging/a', 'Miss'])
    for (let worker = 0; worker < count; worker++) {
      assert.deepEqual(await seen(ask({}, worker)), ['/primary/a', 'Hit'])
      assert.deepEqual(await seen(ask(FLAG, worker)), ['/staging/a', 'Hit'])
      assert.deepEqual(await seen(ask({ 'aws-cf-cd-test': 'no' }, worker)), ['/primary/a', 'Hit'])
    }
    assert.equal(origin.asked.length, 2)
    await edge.feed.invalidate(STAGING_ID, '/*')
    assert.deepEqual(await seen(ask({})), ['/primary/a', 'Hit'])
    assert.deepEqual(await seen(ask(FLAG)), ['/staging/a', 'Miss'])
  })
}

const seen = async (asked: Promise<ViewerAnswer>): Promise<[string, string]> => {
  const { body, xCache } = await asked
  return [body, xCache]
}

test('what several workers do for one request is the staging distribution’s too: slices, an error page', async (t) => {
  const large = await LargeOrigin.start({ length: 40 * MIB })
  const origin = await startOrigin((asked, response) => {
    response.statusCode = asked.url === '/staging/page' ? 200 : 404
    response.end(asked.url)
  })
  t.after(() => Promise.all([large.close(), origin.close()]))
  const [primary, staging] = pair(origin.port, HEADER) as [DistributionDoc, DistributionDoc]
  const [standard] = staging.behaviors as [BehaviorDoc]
  const edge = await EdgeScenario.start(
    t,
    [
      primary,
      {
        ...staging,
        origins: [...staging.origins, originDoc(large.port, { id: 'large' })],
        behaviors: [{ ...standard, pathPattern: '/film', originId: 'large' }, standard],
        errorResponses: [{ errorCode: 404, cachingMinTtlSeconds: 10, page: { path: '/page', responseCode: 404 } }],
      },
    ],
    { count: 3 },
  )
  for (let worker = 0; worker < 3; worker++) {
    const from = 10 * MIB + worker
    const headers = { ...FLAG, range: `bytes=${from}-${from + 9}` }
    const part = await edge.get('/film', { headers, worker })
    assert.equal(part.status, 206)
    assert.deepEqual(Buffer.from(part.body, 'latin1'), largeBytes(from, from + 10))
    const missing = await edge.get('/none', { headers: FLAG, worker })
    assert.deepEqual([missing.status, missing.body], [404, '/staging/page'])
    const plain = await edge.get('/none', { worker })
    assert.deepEqual([plain.status, plain.body], [404, '/primary/none'])
  }
  assert.deepEqual(
    large.ranges.filter((range) => range !== null),
    [`bytes=${10 * MIB}-${11 * MIB - 1}`],
    'one slice, once for all workers',
  )
})

test('nobody reaches a staging distribution by a name of its own; an alias of the primary one does', async (t) => {
  const { edge } = await scene(t, HEADER)
  for (const host of [STAGING_HOST, 'd222222abcdef8.cloudfront.net']) {
    for (const headers of [{}, FLAG]) assert.equal((await edge.get('/a', { host, headers })).status, 403)
  }
  const viaAlias = await edge.get('/a', { host: 'www.example.com', headers: FLAG })
  assert.equal(viaAlias.body, '/staging/a')
})

test('the log line is the staging distribution’s, with the name that the viewer asked; the counter counts it', async (t) => {
  const { edge } = await scene(t, HEADER)
  await edge.get('/logged', { headers: FLAG })
  const counters = await edge.feed.ask({ kind: 'counters' })
  assert.equal(counters.kind === 'counters' && counters.counters.toStaging, 1)
  const log = join(edge.directory, 'logs', 'access-worker-0.log')
  await edge.pause()
  const line = (await readFile(log, 'utf8')).split('\n').find((text) => text.includes('\t/logged\t'))
  const fields = line?.split('\t') ?? []
  assert.deepEqual([fields[6], fields[15]], [STAGING_HOST, HOST])
})

test('a weight is the share of the requests, whatever they carry, and no cookie is set', async (t) => {
  const random = randomOf(20_261_130).fraction
  let rolled = 0
  let below = 0
  const roll = (): number => {
    const value = random()
    rolled++
    if (value < 0.15) below++
    return value
  }
  const { edge } = await scene(t, { kind: 'weight', share: 0.15, sticky: null }, { random: roll })
  let staging = 0
  for (let at = 0; at < 400; at++) {
    const { body, headers } = await edge.get('/a', { headers: at % 2 === 0 ? {} : FLAG })
    assert.equal(headers['set-cookie'], undefined)
    if (body.startsWith('/staging')) staging++
  }
  assert.deepEqual([rolled, staging], [400, below])
  // 15 % of 400 are 60; the seed is fixed, so that this never changes.
  assert.ok(staging > 40 && staging < 80, `${staging} of 400`)
})

test('a session stays with its side, and its cookie is no part of the key nor of what the origin gets', async (t) => {
  const dice = [0.1, 0.9]
  const { origin, edge } = await scene(t, STICKY, { random: () => dice.shift() ?? assert.fail('no third session') })
  const first = await edge.get('/a', { headers: { cookie: 'mine=1' } })
  assert.equal(first.body, '/staging/a')
  assert.match(
    String(first.headers['set-cookie']),
    /^aws-cf-cd-session=s\.[0-9a-z]+\.[0-9a-z]+\.[\w-]{22}; Path=\/; Max-Age=300; HttpOnly$/,
  )
  const second = await edge.get('/a')
  assert.equal(second.body, '/primary/a')
  for (let at = 0; at < 3; at++) {
    await edge.feed.moveClock((at + 1) * 1_000)
    const again = await edge.get('/a', { headers: { cookie: `mine=1; ${cookieOf(first)}` } })
    assert.deepEqual([again.body, again.xCache], ['/staging/a', 'Hit'], 'the same key in spite of the cookie')
    assert.notEqual(cookieOf(again), cookieOf(first), 'used a second later')
    const other = await edge.get('/a', { headers: { cookie: cookieOf(second) } })
    assert.deepEqual([other.body, other.xCache], ['/primary/a', 'Hit'])
  }
  assert.deepEqual(
    origin.asked.map(({ url, headers }) => [url, headers.cookie]),
    [
      ['/staging/a', 'mine=1'],
      ['/primary/a', undefined],
    ],
  )
  // Every kind of answer renews it: one that is not modified, a part, an error.
  const headers = { cookie: cookieOf(first) }
  const whole = await edge.get('/a', { headers })
  const conditional = { ...headers, range: 'bytes=0-1' }
  const part = await edge.get('/a', { headers: conditional })
  assert.deepEqual([whole.status, part.status], [200, 206])
  assert.match(cookieOf(part), /^aws-cf-cd-session=s\./)
  const refused = await edge.get('/a', { method: 'DELETE', headers })
  assert.equal(refused.status, 403)
  assert.match(cookieOf(refused), /^aws-cf-cd-session=s\./)
})

test('a session ends when it is idle, at its maximum, and when the policy signs with another secret', async (t) => {
  const dice: number[] = []
  const { origin, edge } = await scene(t, STICKY, { random: () => dice.shift() ?? assert.fail('a session goes on') })
  let cookie = ''
  const ask = async (at: number): Promise<string> => {
    await edge.feed.moveClock(at * 1_000)
    const answer = await edge.get('/a', { headers: { cookie } })
    cookie = cookieOf(answer)
    return answer.body
  }
  dice.push(0.1)
  assert.equal(await ask(0), '/staging/a')
  assert.equal(await ask(290), '/staging/a')
  assert.equal(await ask(580), '/staging/a')
  assert.equal(await ask(870), '/staging/a')
  dice.push(0.5)
  assert.equal(await ask(910), '/primary/a', 'over 900 seconds since it began')
  dice.push(0.1)
  assert.equal(await ask(1_220), '/staging/a', 'idle for 310 seconds')
  const [primary] = pair(origin.port, { ...STICKY, sticky: { ...STICKY.sticky, secret: 'cd'.repeat(32) } } as Traffic)
  await edge.feed.put(primary as DistributionDoc)
  dice.push(0.5)
  assert.equal(await ask(1_221), '/primary/a', 'another secret')
})

test('without its staging distribution, or with one that is disabled, the primary one serves', async (t) => {
  const { origin, edge } = await scene(t, HEADER)
  const [primary, staging] = pair(origin.port, HEADER, { enabled: false })
  await edge.feed.put(staging as DistributionDoc)
  assert.equal((await edge.get('/a', { headers: FLAG })).body, '/primary/a')
  await edge.feed.remove(STAGING_ID)
  assert.equal((await edge.get('/b', { headers: FLAG })).body, '/primary/b')
  // The policy is taken away.
  const { continuousDeployment: _, ...plain } = primary as DistributionDoc
  await edge.feed.put(pair(origin.port, HEADER)[1] as DistributionDoc)
  await edge.feed.put(plain)
  assert.equal((await edge.get('/c', { headers: FLAG })).body, '/primary/c')
})

test('explain names the field of the policy that decided', async (t) => {
  const { edge } = await scene(t, HEADER)
  const explained = async (headers: Record<string, string>) => {
    const answer = await edge.get('/a', { headers: { 'x-cachefront-explain': '1', ...headers } })
    const told = await edge.feed.ask({ kind: 'trace', traceId: String(answer.headers['x-cachefront-trace']) })
    assert.ok(told.kind === 'trace' && told.trace !== null)
    const trace = told.trace as Trace
    return { distribution: trace.distribution, step: trace.steps.find(({ name }) => name === 'choose-staging') }
  }
  const matched = await explained(FLAG)
  assert.equal(matched.distribution, STAGING_ID)
  assert.deepEqual(matched.step?.decisions, [
    { field: 'ContinuousDeploymentPolicyId', value: 'policy-1' },
    { field: 'TrafficConfig.SingleHeaderConfig', value: 'aws-cf-cd-test: matches' },
  ])
  assert.equal(matched.step?.facts.primary, DISTRIBUTION_ID)
  const not = await explained({})
  assert.equal(not.distribution, DISTRIBUTION_ID)
  assert.deepEqual(not.step?.decisions[1], {
    field: 'TrafficConfig.SingleHeaderConfig',
    value: 'aws-cf-cd-test: does not match',
  })
})
