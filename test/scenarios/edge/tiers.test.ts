//! POPs, regional edge caches and origin shields: a cold object is fetched once however many POPs ask for it, and what
//! answered is told truthfully. All with one worker, inside which the tiers are asked, and with three, between which they are.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import type { DistributionDoc, OriginDoc } from '../../../src/domain/distribution.ts'
import type { Topology } from '../../../src/domain/topology.ts'
import { type OriginHandler, startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
  originDoc,
  type ViewerAnswer,
} from '../../support/edge-scenario.ts'
import { listening, network } from '../../support/edge-topology.ts'

interface Setup {
  readonly count: number
  readonly topology: Topology
  readonly origin?: Partial<OriginDoc>
  readonly distribution?: Partial<DistributionDoc>
}

async function setup(t: TestContext, { count, topology, ...changes }: Setup, handler: OriginHandler) {
  const origin = await startOrigin(handler)
  t.after(() => origin.close())
  const document = distributionDoc(origin.port, {
    origins: [originDoc(origin.port, changes.origin)],
    ...changes.distribution,
  })
  const edge = await EdgeScenario.start(t, [document], { count, ...listening(topology) })
  const pops = topology.pops.map((_, pop) => pop)
  /** From every POP in turn, at a worker that changes with it. */
  const fromEach = async (path: string): Promise<ViewerAnswer[]> => {
    const answers: ViewerAnswer[] = []
    for (const pop of pops) answers.push(await edge.get(path, { pop, worker: pop % count }))
    return answers
  }
  const atOnce = (path: string): Promise<ViewerAnswer[]> =>
    Promise.all(pops.map((pop) => edge.get(path, { pop, worker: pop % count })))
  return { origin, edge, pops, fromEach, atOnce }
}

const results = (answers: readonly ViewerAnswer[]): string[] => answers.map((answer) => answer.xCache)
const bodies = (answers: readonly ViewerAnswer[]): ReadonlySet<string> => new Set(answers.map((answer) => answer.body))

for (const count of [1, 3]) {
  const workers = count === 1 ? 'one worker' : `${count} workers`

  test(`${workers}: ten POPs that ask one after the other cost the origin one fetch`, async (t) => {
    const topology = network(10)
    const { origin, fromEach } = await setup(t, { count, topology }, (asked, response) => response.end(asked.url))
    const cold = await fromEach('/a')
    assert.deepEqual(results(cold), ['Miss', ...Array(9).fill('Hit')])
    assert.deepEqual(
      cold.map((answer) => answer.headers['x-amz-cf-pop']),
      topology.pops.map(({ name }) => name),
    )
    assert.deepEqual(bodies(cold), new Set(['/a']))
    // Each viewer is told of the POP that it came to alone.
    assert.equal(new Set(cold.map((answer) => answer.headers.via)).size, 10)
    for (const { headers } of cold)
      assert.match(String(headers.via), /^1\.1 [0-9a-f]{32}\.cloudfront\.net \(CloudFront\)$/)
    assert.deepEqual(results(await fromEach('/a')), Array(10).fill('Hit'))
    assert.equal(origin.count('/a'), 1)
  })

  test(`${workers}: ten POPs that ask at the same time share one fetch while it runs`, async (t) => {
    const begun = Promise.withResolvers<ServerResponse>()
    const { origin, edge, atOnce } = await setup(t, { count, topology: network(10) }, (_asked, response) => {
      begun.resolve(response)
      response.writeHead(200, { 'content-length': 300_000 })
      response.write('x'.repeat(100_000))
    })
    const viewers = atOnce('/cold')
    const response = await begun.promise
    const later = edge.get('/cold', { pop: 3 })
    // All of them have asked when one that comes after them has been answered.
    for (let worker = 0; worker < count; worker++) await edge.get('/', { worker, host: 'nobody.example' })
    response.end('x'.repeat(200_000))
    for (const answer of [...(await viewers), await later]) assert.equal(answer.body.length, 300_000)
    assert.equal(origin.count('/cold'), 1)
  })

  test(`${workers}: two regional edge caches fetch for themselves, a shield fetches for both`, async (t) => {
    const topology = network(4, 2)
    const plain = await setup(t, { count, topology }, (asked, response) => response.end(asked.url))
    assert.deepEqual(results(await plain.fromEach('/a')), ['Miss', 'Miss', 'Hit', 'Hit'])
    await plain.atOnce('/b')
    assert.deepEqual([plain.origin.count('/a'), plain.origin.count('/b')], [2, 2])
    for (const shieldRegion of ['us-west-2', 'us-east-1']) {
      const origin = { shieldRegion }
      const shielded = await setup(t, { count, topology, origin }, (asked, response) => response.end(asked.url))
      assert.deepEqual(results(await shielded.fromEach('/a')), ['Miss', 'Hit', 'Hit', 'Hit'], shieldRegion)
      await shielded.atOnce('/b')
      assert.deepEqual([shielded.origin.count('/a'), shielded.origin.count('/b')], [1, 1])
    }
  })

  test(`${workers}: an invalidation reaches all tiers`, async (t) => {
    let version = 1
    const origin = { shieldRegion: 'us-west-2' }
    const asked = await setup(t, { count, topology: network(4, 2), origin }, (_asked, response) =>
      response.end(`v${version}`),
    )
    for (const expected of ['v1', 'v2', 'v3']) {
      assert.deepEqual(bodies(await asked.fromEach('/p')), new Set([expected]))
      version++
      await asked.edge.feed.invalidate(DISTRIBUTION_ID, '/p')
    }
    assert.equal(asked.origin.count('/p'), 3)
  })

  test(`${workers}: what the origin confirms with 304 is a RefreshHit at the POP that asked, and a Hit at the others`, async (t) => {
    const origin = { shieldRegion: 'us-west-2' }
    const {
      origin: asked,
      edge,
      fromEach,
    } = await setup(t, { count, topology: network(4, 2), origin }, ({ headers }, response) => {
      const same = headers['if-none-match'] === '"1"'
      response.writeHead(same ? 304 : 200, { etag: '"1"', 'cache-control': 'max-age=60' }).end(same ? '' : 'page')
    })
    await fromEach('/p')
    await edge.feed.moveClock(61_000)
    const answers = await fromEach('/p')
    assert.deepEqual(results(answers), ['RefreshHit', 'Hit', 'Hit', 'Hit'])
    assert.deepEqual(bodies(answers), new Set(['page']))
    assert.equal(asked.count('/p'), 2)
  })

  test(`${workers}: an origin that fails is stood in for at every POP, also by a copy that only one tier has`, async (t) => {
    let fails = false
    const { origin, edge, fromEach } = await setup(t, { count, topology: network(3) }, (_asked, response) => {
      if (fails) response.destroy()
      else response.writeHead(200, { 'cache-control': 'max-age=60' }).end('page')
    })
    await edge.get('/p', { pop: 0 })
    fails = true
    await edge.feed.moveClock(61_000)
    const answers = await fromEach('/p')
    assert.deepEqual(bodies(answers), new Set(['page']))
    assert.deepEqual(results(answers), ['Hit', 'Hit', 'Hit'])
    // A GET that the origin cuts off is tried three times; then it is left alone.
    assert.ok(origin.count('/p') <= 4, `${origin.count('/p')} requests`)
  })

  test(`${workers}: in strict mode an error of the origin is the answer at every POP, whoever has an expired copy`, async (t) => {
    let status = 200
    const { edge, fromEach } = await setup(
      t,
      { count, topology: network(3), distribution: { rfcStrict: true } },
      (_asked, response) => response.writeHead(status, { 'cache-control': 'max-age=60' }).end(`${status}`),
    )
    await fromEach('/p')
    status = 500
    await edge.feed.moveClock(61_000)
    assert.deepEqual(bodies(await fromEach('/p')), new Set(['500']))
  })

  test(`${workers}: an error is remembered by the tiers, too`, async (t) => {
    const { origin, fromEach } = await setup(t, { count, topology: network(3) }, (_asked, response) =>
      response.writeHead(503).end('broken'),
    )
    const answers = await fromEach('/p')
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body]),
      Array(3).fill([503, 'broken']),
    )
    assert.equal(origin.count('/p'), 1)
  })

  test(`${workers}: methods whose answers are not kept, and behaviors that keep nothing, go around the tiers`, async (t) => {
    const methods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']
    const behaviors = [
      behaviorDoc({ pathPattern: '/api/*', cachePolicy: cachePolicy({ id: 'none', defaultTtl: 0, maxTtl: 0 }) }),
      behaviorDoc({ allowedMethods: methods }),
    ]
    const origin = { shieldRegion: 'us-west-2' }
    const asked = await setup(
      t,
      { count, topology: network(2), origin, distribution: { behaviors } },
      ({ headers, method, body }, response) => response.end(`${method} ${headers.via} ${body}`),
    )
    const { edge } = asked
    const via = async (pop: number): Promise<string> =>
      String((await edge.get('/x', { pop, method: 'POST' })).headers.via)
    for (const pop of [0, 1]) {
      const own = (await via(pop)).slice(4)
      assert.ok((await edge.get('/x', { pop, method: 'POST', body: 'b' })).body.includes(own))
      assert.ok((await edge.get('/x', { pop, method: 'OPTIONS' })).body.includes(own))
      assert.ok((await edge.get('/api/x', { pop })).body.includes(own))
      assert.ok(!(await edge.get(`/cached/${pop}`, { pop })).body.includes(own), 'the shield asks the origin')
    }
  })
}
