//! What happens to objects on their way through the tiers: large ones in slices, a version that goes, variants, stale ones
//! that are refreshed behind, invalidations while a fetch runs, viewers that leave, tiers that are down.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { DistributionDoc } from '../../../src/domain/distribution.ts'
import { LargeOrigin, largeBytes } from '../../support/edge-large-origin.ts'
import { largeScenario } from '../../support/edge-large-scenario.ts'
import { type OriginHandler, startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
  HOST,
  originDoc,
} from '../../support/edge-scenario.ts'
import { listening, network } from '../../support/edge-topology.ts'

const MIB = 1024 * 1024
const POPS = [0, 1, 2]
const REGIONAL = 'REC-eu-central-1'

async function setup(
  t: TestContext,
  count: number,
  handler: OriginHandler,
  changes: Partial<DistributionDoc> = {},
  shieldRegion?: string,
) {
  const origin = await startOrigin(handler)
  t.after(() => origin.close())
  const origins = [originDoc(origin.port, shieldRegion === undefined ? {} : { shieldRegion })]
  const document = distributionDoc(origin.port, { origins, ...changes })
  return { origin, edge: await EdgeScenario.start(t, [document], { count, ...listening(network(3)) }) }
}

/** Every worker has read what was sent before. */
async function roundTrip(edge: EdgeScenario): Promise<void> {
  for (const worker of edge.workers.keys()) await edge.get('/', { worker, host: 'nobody.example' })
}

function assertBytes(body: string, from: number, to: number, version = 1): void {
  assert.equal(body.length, to - from)
  assert.ok(Buffer.from(body, 'latin1').equals(largeBytes(from, to, version)), `bytes ${from}-${to - 1} of v${version}`)
}

for (const count of [1, 3]) {
  const workers = count === 1 ? 'one worker' : `${count} workers`

  test(`${workers}: each slice of a large object comes from the origin once for all POPs`, async (t) => {
    const length = 6 * MIB + 5
    const { edge, origin } = await largeScenario(t, { length }, { count, ...listening(network(3)) })
    for (const pop of POPS) assertBytes((await edge.get('/film', { pop })).body, 0, length)
    const ranges = origin.ranges.filter((range) => range !== null)
    assert.deepEqual(ranges, [...new Set(ranges)], 'no slice twice')
    assert.equal(ranges.length, 7)
    assert.equal((await edge.get('/film', { pop: 2, headers: { range: 'bytes=5-9' } })).xCache, 'Hit')
  })

  test(`${workers}: a version that went while it was sent is not sent again, at any POP`, async (t) => {
    const length = 6 * MIB
    const { edge, origin } = await largeScenario(t, { length }, { count, ...listening(network(3)) })
    await edge.get('/film', { pop: 0, headers: { range: 'bytes=0-9' } })
    await edge.get('/film', { pop: 1, headers: { range: 'bytes=0-9' } })
    origin.version = 2
    // What is here of the first version is sent, the rest is not to be had: the viewer is cut off, or begins anew.
    for (const pop of [0, 1]) {
      await edge.get('/film', { pop }).catch(() => {})
      const next = await edge.get('/film', { pop })
      assert.equal(next.headers.etag, '"v2"', `POP ${pop}`)
      assertBytes(next.body, 0, length, 2)
    }
  })

  test(`${workers}: strict mode has its variants at every tier, and a POST makes all of them stale`, async (t) => {
    let version = 1
    const behaviors = [
      behaviorDoc({
        allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'],
        originRequestPolicy: {
          id: 'language',
          headers: { behavior: 'whitelist', names: ['accept-language'] },
          cookies: { behavior: 'none', names: [] },
          queryStrings: { behavior: 'none', names: [] },
        },
      }),
    ]
    const { edge, origin } = await setup(
      t,
      count,
      ({ method, headers }, response) => {
        if (method === 'POST') response.writeHead(204).end()
        else {
          const language = String(headers['accept-language'])
          response
            .writeHead(200, { vary: 'Accept-Language', 'cache-control': 'max-age=60', 'content-language': language })
            .end(`${language} ${version}`)
        }
      },
      { behaviors, rfcStrict: true },
    )
    const read = async (): Promise<string[]> => {
      const got: string[] = []
      for (const language of ['de', 'fr']) {
        for (const pop of POPS) got.push((await edge.get('/p', { pop, headers: { 'accept-language': language } })).body)
      }
      return got
    }
    assert.deepEqual(await read(), ['de 1', 'de 1', 'de 1', 'fr 1', 'fr 1', 'fr 1'])
    assert.equal(origin.count('/p'), 2)
    version = 2
    await edge.get('/p', { method: 'POST', pop: 1 })
    assert.deepEqual(await read(), ['de 2', 'de 2', 'de 2', 'fr 2', 'fr 2', 'fr 2'])
    assert.equal(origin.count('/p'), 5)
  })

  test(`${workers}: a range in strict mode is answered by the tiers, too`, async (t) => {
    const { edge, origin } = await setup(
      t,
      count,
      ({ headers }, response) => {
        const head = { etag: '"1"', 'cache-control': 'max-age=60', 'accept-ranges': 'bytes' }
        const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
        const body = '0123456789'
        if (from === undefined) response.writeHead(200, head).end(body)
        else {
          const range = `bytes ${from}-${to}/10`
          response.writeHead(206, { ...head, 'content-range': range }).end(body.slice(Number(from), Number(to) + 1))
        }
      },
      { rfcStrict: true },
    )
    for (const pop of POPS) {
      const part = await edge.get('/p', { pop, headers: { range: 'bytes=2-4' } })
      assert.deepEqual([part.status, part.body], [206, '234'])
    }
    assert.equal(origin.count('/p'), 1)
    for (const pop of POPS) assert.equal((await edge.get('/p', { pop })).body, '0123456789')
  })

  test(`${workers}: a stale object is refreshed behind once for all POPs`, async (t) => {
    let version = 1
    const refreshed = Promise.withResolvers<void>()
    const { edge, origin } = await setup(
      t,
      count,
      (_asked, response) => {
        response.writeHead(200, { 'cache-control': 'max-age=60, stale-while-revalidate=600' }).end(`v${version}`)
        if (version === 2) refreshed.resolve()
      },
      {},
      'us-west-2',
    )
    for (const pop of POPS) await edge.get('/p', { pop })
    version = 2
    await edge.feed.moveClock(61_000)
    const stale = await edge.get('/p', { pop: 0 })
    assert.deepEqual([stale.xCache, stale.body], ['Hit', 'v1'])
    await refreshed.promise
    // Its own refresh is over when it has the new one.
    for (const pop of POPS) {
      let last = ''
      for (let turn = 0; turn < 200 && last !== 'v2'; turn++) last = (await edge.get('/p', { pop })).body
      assert.equal(last, 'v2', `POP ${pop}`)
    }
    assert.equal(origin.count('/p'), 2)
  })

  test(`${workers}: an invalidation while a fetch runs through the tiers: nobody keeps its answer`, async (t) => {
    const begun: PromiseWithResolvers<ServerResponse>[] = [Promise.withResolvers(), Promise.withResolvers()]
    let number = 0
    const { edge, origin } = await setup(
      t,
      count,
      (_asked, response) => begun[number++]?.resolve(response),
      {},
      'us-west-2',
    )
    const first = edge.get('/p', { pop: 0 })
    const old = await (begun[0] as (typeof begun)[0]).promise
    await edge.feed.invalidate(DISTRIBUTION_ID, '/p')
    const second = POPS.map((pop) => edge.get('/p', { pop, worker: pop % count }))
    const fresh = await (begun[1] as (typeof begun)[0]).promise
    await roundTrip(edge)
    old.end('old')
    assert.equal((await first).body, 'old')
    fresh.end('new')
    for (const answer of await Promise.all(second)) assert.equal(answer.body, 'new')
    for (const pop of POPS) assert.equal((await edge.get('/p', { pop })).body, 'new')
    assert.equal(origin.count('/p'), 2)
  })

  test(`${workers}: a fetch that nobody waits for any more is broken off through all tiers`, async (t) => {
    const closed = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const { edge } = await setup(
      t,
      count,
      (_asked, response) => {
        response.once('close', () => closed.resolve())
        response.writeHead(200, { 'content-length': 100 }).write('begun')
        begun.resolve()
      },
      {},
      'us-west-2',
    )
    const viewer = connect(edge.port(0, 1), '127.0.0.1')
    t.after(() => viewer.destroy())
    viewer.write(`GET /p HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
    await begun.promise
    viewer.destroy()
    await closed.promise
  })

  test(`${workers}: a regional edge cache and a shield that are down are passed over, and come back with what they had`, async (t) => {
    const { edge, origin } = await setup(t, count, (asked, response) => response.end(asked.url), {}, 'us-west-2')
    const sw = (name: string, down: boolean) => edge.feed.change(() => ({ kind: 'place', name, down }))
    await edge.get('/a', { pop: 0 })
    await sw(REGIONAL, true)
    assert.equal((await edge.get('/a', { pop: 1 })).xCache, 'Hit', 'the shield has it')
    await sw('REC-us-west-2', true)
    assert.equal((await edge.get('/a', { pop: 2 })).xCache, 'Miss')
    assert.equal(origin.count('/a'), 2)
    for (const pop of POPS) assert.equal((await edge.get('/b', { pop })).xCache, 'Miss')
    assert.equal(origin.count('/b'), 3)
    await sw(REGIONAL, false)
    for (const pop of POPS) await edge.get('/c', { pop })
    assert.equal(origin.count('/c'), 1)
  })

  test(`${workers}: a POP that is down answers nobody, and answers again when it is up`, async (t) => {
    const { edge } = await setup(t, count, (_asked, response) => response.end('page'))
    await edge.get('/a', { pop: 1 })
    await edge.feed.change(() => ({ kind: 'place', name: 'POP1', down: true }))
    for (const worker of edge.workers.keys()) {
      await assert.rejects(edge.get('/a', { pop: 1, worker }), { code: 'ECONNREFUSED' })
      assert.equal((await edge.get('/a', { pop: 0, worker })).body, 'page')
    }
    await edge.feed.change(() => ({ kind: 'place', name: 'POP1', down: false }))
    assert.equal((await edge.get('/a', { pop: 1 })).xCache, 'Hit')
  })

  test(`${workers}: what is not shared is not asked of the tiers again; what is shared again is, once`, async (t) => {
    let cacheControl = 'private'
    const { edge, origin } = await setup(t, count, (_asked, response) => {
      response.writeHead(200, { 'cache-control': cacheControl }).end('page')
    })
    for (const pop of [...POPS, ...POPS]) assert.equal((await edge.get('/me', { pop })).xCache, 'Miss')
    assert.equal(origin.count('/me'), 6)
    cacheControl = 'max-age=60'
    for (const pop of POPS) await edge.get('/me', { pop })
    for (const pop of POPS) assert.equal((await edge.get('/me', { pop })).xCache, 'Hit')
    const before = origin.count('/me')
    for (const round of [1, 2]) {
      await edge.feed.invalidate(DISTRIBUTION_ID, '/me')
      for (const pop of POPS) await edge.get('/me', { pop })
      assert.equal(origin.count('/me'), before + round)
    }
  })
}

test('three workers: one that is gone takes no tier along', async (t) => {
  const { edge, origin } = await setup(t, 3, (asked, response) => response.end(asked.url), {}, 'us-west-2')
  await edge.workers[1]?.close()
  edge.feed.tellWorkers(edge.workers.map((worker) => worker.identity))
  for (let page = 0; page < 8; page++) {
    for (const pop of POPS) assert.equal((await edge.get(`/${page}`, { pop })).body, `/${page}`)
    assert.equal(origin.count(`/${page}`), 1, 'the next in line keeps it for the tier')
  }
})

test('compressed once, custom pages and cookies: as without tiers', async (t) => {
  const behaviors = [
    behaviorDoc({ pathPattern: '/missing', cachePolicy: cachePolicy() }),
    behaviorDoc({ compress: true, cachePolicy: cachePolicy({ gzip: true }) }),
  ]
  const errorResponses = [
    { errorCode: 404, cachingMinTtlSeconds: 60, page: { path: '/sorry.html', responseCode: 200 } },
  ]
  const { edge, origin } = await setup(
    t,
    1,
    ({ url }, response) => {
      if (url === '/missing') response.writeHead(404).end('none')
      else response.writeHead(200, { 'content-type': 'text/html', 'content-length': 5_000 }).end('x'.repeat(5_000))
    },
    { behaviors, errorResponses },
  )
  for (const pop of POPS) {
    const page = await edge.get('/page', { pop, headers: { 'accept-encoding': 'gzip' } })
    assert.equal(page.headers['content-encoding'], 'gzip')
    assert.ok(page.body.length < 500)
    const sorry = await edge.get('/missing', { pop })
    assert.deepEqual([sorry.status, sorry.body.length], [200, 5_000])
  }
  assert.deepEqual([origin.count('/page'), origin.count('/missing'), origin.count('/sorry.html')], [1, 1, 1])
})

test('an object over the limit whose origin does not answer ranges passes through the tiers', async (t) => {
  const length = 6 * MIB
  const origin = await LargeOrigin.start({ length, acceptRanges: false, etag: null })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { ...listening(network(3)) })
  for (const pop of POPS) assertBytes((await edge.get('/film', { pop })).body, 0, length)
})

test('a bucket in the region of a regional edge cache is asked by the POPs themselves, unless it stands for all regions', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(asked.url))
  t.after(() => origin.close())
  const endpoint = { scheme: 'http', host: '127.0.0.1', port: origin.port, path: '' } as const
  const asked = async (bucket: string, everywhere: boolean, shieldRegion?: string): Promise<number> => {
    const { pops, regionals } = network(3)
    const topology = { pops, regionals: regionals.map((one) => (everywhere ? { ...one, everywhere } : one)) }
    const s3 = originDoc(origin.port, {
      domainName: bucket,
      s3: { access: null },
      ...(shieldRegion === undefined ? {} : { shieldRegion }),
    })
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { origins: [s3] })], {
      ...listening(topology as typeof topology & ReturnType<typeof network>),
      s3: { endpoint, region: 'us-east-1' },
    })
    const before = origin.asked.length
    for (const pop of POPS) assert.equal((await edge.get('/p', { pop })).body, '/shop/p')
    return origin.asked.length - before
  }
  assert.equal(await asked('shop.s3.eu-central-1.amazonaws.com', false), 3)
  assert.equal(await asked('shop.s3.eu-central-1.amazonaws.com', true), 1)
  assert.equal(await asked('shop.s3.eu-central-1.amazonaws.com', false, 'eu-central-1'), 1)
  assert.equal(await asked('shop.s3.us-west-2.amazonaws.com', false), 1)
})

test('a POP listens on its IPv6 address, too; one that is down stays so without control', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('page'))
  t.after(() => origin.close())
  const { pops, regionals } = listening(network(2))
  const options = { pops: pops.map((pop) => ({ ...pop, ipv6: { host: '::1', port: 0 } })), regionals }
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], options)
  const [first] = edge.workers[0]?.addresses ?? []
  assert.equal(first?.ipv6?.host, '::1')
  const answer = await fetch(`http://[::1]:${first?.ipv6?.port}/p`, { headers: { host: HOST } })
  assert.equal(answer.headers.get('x-amz-cf-pop'), 'POP0')
  await edge.feed.change(() => ({ kind: 'place', name: 'POP0', down: true }))
  await assert.rejects(fetch(`http://[::1]:${first?.ipv6?.port}/p`))
  await edge.pause()
  await edge.feed.stop()
  const alone = await edge.addWorker('worker-0')
  await alone.whenConfigured
  await assert.rejects(edge.get('/p', { pop: 0 }), { code: 'ECONNREFUSED' })
  assert.equal((await edge.get('/p', { pop: 1 })).status, 200)
})
