//! Tiers together with response headers policies, origin groups, staging distributions and custom error pages: each does
//! its work once, at the place where it belongs, with one worker and with three.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { DistributionDoc } from '../../../src/domain/distribution.ts'
import { type OriginHandler, startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  distributionDoc,
  EdgeScenario,
  HOST,
  headersPolicy,
  originDoc,
  type ViewerAnswer,
} from '../../support/edge-scenario.ts'
import { listening, network } from '../../support/edge-topology.ts'
import { StillClock } from '../../support/still-clock.ts'

/** POPs 0 and 2 ask the regional edge cache of eu-central-1, POP 1 that of us-east-1, which is the shield. */
const NETWORK = network(3, 2)
const SHIELD = { shieldRegion: 'us-east-1' }
const FLAG = { 'aws-cf-cd-test': 'yes' }

async function originOf(t: TestContext, handler: OriginHandler) {
  const origin = await startOrigin(handler)
  t.after(() => origin.close())
  return origin
}

const start = (t: TestContext, documents: readonly DistributionDoc[], count: number) =>
  EdgeScenario.start(t, documents, { count, clock: new StillClock(), ...listening(NETWORK) })

/** Names of the metrics, with the layers that they name. */
const metrics = ({ headers }: ViewerAnswer): string[] =>
  String(headers['server-timing'])
    .split(',')
    .filter((metric) => /^(db|cdn-cache-|cdn-upstream-layer|cdn-hit-layer|cdn-pop)/.test(metric))

for (const count of [1, 3]) {
  const workers = count === 1 ? 'one worker' : `${count} workers`

  test(`${workers}: a response headers policy is applied once, at the POP, whatever tier had the object`, async (t) => {
    const origin = await originOf(t, (_asked, response) => {
      response.setHeader('server', 'mine').setHeader('server-timing', 'db;dur=1').setHeader('x-secret', 'hidden')
      response.setHeader('cache-control', 'max-age=600').end('page')
    })
    const responseHeadersPolicy = headersPolicy({
      custom: [{ name: 'X-Added', value: 'once', override: false }],
      remove: ['Server', 'X-Secret'],
      serverTimingRate: 100,
    })
    const behaviors = [behaviorDoc({ responseHeadersPolicy })]
    const document = distributionDoc(origin.port, { origins: [originDoc(origin.port, SHIELD)], behaviors })
    const edge = await start(t, [document], count)
    const rows = [
      [0, ['cdn-upstream-layer;desc="Origin Shield"', 'db;dur=1', 'cdn-cache-miss', 'cdn-pop;desc="POP0"']],
      [2, ['cdn-cache-hit', 'cdn-pop;desc="POP2"', 'cdn-hit-layer;desc="REC"']],
      [2, ['cdn-cache-hit', 'cdn-pop;desc="POP2"', 'cdn-hit-layer;desc="EDGE"']],
    ] as const
    for (const [pop, expected] of rows) {
      const answer = await edge.get('/', { pop, worker: pop % count })
      assert.deepEqual(metrics(answer), expected, `POP${pop}`)
      const { headers } = answer
      assert.deepEqual([headers.server, headers['x-secret'], headers['x-added']], ['CloudFront', undefined, 'once'])
    }
    assert.equal(origin.asked.length, 1)
    // No tier has kept anything of the policy.
    await edge.feed.put({ ...document, behaviors: [behaviorDoc()] })
    for (const pop of [0, 1, 2]) {
      const { headers } = await edge.get('/', { pop })
      assert.deepEqual([headers.server, headers['x-secret'], headers['x-added']], ['mine', 'hidden', undefined])
    }
    assert.equal(origin.asked.length, 1)
  })

  test(`${workers}: Age counts the time in every tier; HEAD is answered by them`, async (t) => {
    const origin = await originOf(t, (_asked, response) => {
      response.setHeader('cache-control', 'max-age=600').end('page')
    })
    const document = distributionDoc(origin.port, { origins: [originDoc(origin.port, SHIELD)] })
    const edge = await start(t, [document], count)
    await edge.get('/', { pop: 0 })
    for (const [pop, seconds] of [
      [2, 30],
      [1, 40],
    ] as const) {
      await edge.feed.moveClock(seconds * 1_000)
      for (const method of ['HEAD', 'GET']) {
        const { headers, xCache } = await edge.get('/', { method, pop, worker: pop % count })
        assert.deepEqual([headers.age, xCache, headers['content-length']], [`${seconds}`, 'Hit', '4'], method)
      }
    }
    assert.equal(origin.asked.length, 1)
  })

  test(`${workers}: a staging distribution with an origin group and a page for errors, behind the tiers`, async (t) => {
    const broken = await originOf(t, (_asked, response) => response.writeHead(503).end('broken'))
    const standby = await originOf(t, ({ url, headers }, response) => {
      const body = `${url} ${headers['x-member']} ${headers['aws-cf-cd-test'] ?? '-'}`
      response.writeHead(url === '/gone' ? 404 : 200, { 'cache-control': 'max-age=600' }).end(body)
    })
    const traffic = { kind: 'header', header: 'aws-cf-cd-test', value: 'yes' } as const
    const edge = await start(
      t,
      [
        distributionDoc(broken.port, { continuousDeployment: { policyId: 'p', stagingId: 'ESTAGING', traffic } }),
        distributionDoc(broken.port, {
          ...{ id: 'ESTAGING', domainName: 'dstaging.cloudfront.localhost', staging: true },
          origins: [
            originDoc(broken.port, { id: 'first', ...SHIELD }),
            originDoc(standby.port, { id: 'second', customHeaders: [['X-Member', 'second']] }),
          ],
          originGroups: [{ id: 'group', primary: 'first', secondary: 'second', statusCodes: [503] }],
          behaviors: [behaviorDoc({ originId: 'group' })],
          errorResponses: [{ errorCode: 404, cachingMinTtlSeconds: 60, page: { path: '/sorry', responseCode: 410 } }],
        }),
      ],
      count,
    )
    for (const pop of [0, 2, 1, 0]) {
      const asks = { pop, worker: pop % count }
      const staged = await edge.get('/a', { ...asks, headers: FLAG })
      assert.deepEqual([staged.status, staged.body], [200, '/a second -'])
      const gone = await edge.get('/gone', { ...asks, headers: FLAG })
      assert.deepEqual([gone.status, gone.body], [410, '/sorry second -'])
      assert.equal((await edge.get('/a', asks)).status, 503)
    }
    assert.deepEqual(standby.asked.map(({ url }) => url).sort(), ['/a', '/gone', '/sorry'])
  })

  test(`${workers}: a viewer that leaves while a tier asks the primary of a group costs the secondary nothing`, async (t) => {
    const came = Promise.withResolvers<ServerResponse>()
    const silent = await originOf(t, (_asked, response) => came.resolve(response))
    const standby = await originOf(t, (_asked, response) => void response.end('standby'))
    const document = distributionDoc(silent.port, {
      origins: [originDoc(silent.port, { id: 'first', ...SHIELD }), originDoc(standby.port, { id: 'second' })],
      originGroups: [{ id: 'group', primary: 'first', secondary: 'second', statusCodes: [503] }],
      behaviors: [behaviorDoc({ originId: 'group' })],
    })
    const edge = await start(t, [document], count)
    const viewer = connect(edge.port(0, 2), '127.0.0.1')
    t.after(() => viewer.destroy())
    viewer.write(`GET /a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
    const response = await came.promise
    const gone = new Promise((resolve) => response.once('close', resolve))
    viewer.resetAndDestroy()
    await gone
    for (let worker = 0; worker < count; worker++) await edge.get('/', { worker, host: 'nobody.example' })
    assert.deepEqual([silent.asked.length, standby.asked.length], [1, 0])
  })
}
