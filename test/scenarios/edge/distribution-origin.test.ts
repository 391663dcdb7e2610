//! A distribution as the origin of another one, served in process: as through a real hop, and a chain of two at most.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { DistributionDoc, OriginDoc } from '../../../src/domain/distribution.ts'
import type { Topology } from '../../../src/domain/topology.ts'
import { type OriginHandler, startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, originDoc } from '../../support/edge-scenario.ts'
import { listening, network } from '../../support/edge-topology.ts'

const NAMES = { A: 'daaaaaaaaaaaaa', B: 'dbbbbbbbbbbbbb', C: 'dccccccccccccc' } as const
type Name = keyof typeof NAMES
const host = (name: Name): string => `${NAMES[name]}.cloudfront.localhost`
const ALL = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']

function distribution(name: Name, origin: OriginDoc, changes: Partial<DistributionDoc> = {}): DistributionDoc {
  const behaviors = [behaviorDoc({ allowedMethods: ALL })]
  return distributionDoc(1, { id: `E${name}`, domainName: host(name), origins: [origin], behaviors, ...changes })
}

const to = (domainName: string, changes: Partial<OriginDoc> = {}): OriginDoc =>
  originDoc(80, { domainName, ...changes })

async function originOf(t: TestContext, handler: OriginHandler): Promise<TestOrigin> {
  const origin = await startOrigin(handler)
  t.after(() => origin.close())
  return origin
}

const hello: OriginHandler = (_asked, response) => {
  response.writeHead(200, { 'Cache-Control': 'max-age=60', ETag: '"1"', 'Content-Type': 'text/plain' })
  response.end('hello')
}

for (const count of [1, 3]) {
  test(`each distribution of a chain has its own cache, X-Cache and log line (${count} workers)`, async (t) => {
    const origin = await originOf(t, hello)
    const edge = await EdgeScenario.start(
      t,
      [distribution('A', to(host('B'))), distribution('B', originDoc(origin.port))],
      {
        count,
      },
    )
    const first = await edge.get('/x', { host: host('A'), headers: { 'x-forwarded-for': '203.0.113.7' } })
    assert.deepEqual([first.status, first.body, first.xCache], [200, 'hello', 'Miss'])
    assert.equal((await edge.get('/x', { host: host('A') })).xCache, 'Hit')
    assert.equal((await edge.get('/x', { host: host('B') })).xCache, 'Hit')
    assert.equal(origin.asked.length, 1)
    const { headers } = origin.asked[0] ?? assert.fail()
    assert.equal(headers['x-forwarded-for'], '203.0.113.7, 127.0.0.1, 127.0.0.1')
    assert.equal(headers['cdn-loop'], 'CloudFront, CloudFront')
    assert.equal(String(headers.via).split(', ').length, 1, 'the second distribution forwards no Via of its viewer')
    assert.equal(headers.host, '127.0.0.1')
    await Promise.all(edge.workers.map((worker) => worker.close()))
    const lines = []
    for (let at = 0; at < count; at++) {
      const log = await readFile(join(edge.directory, 'logs', `access-worker-${at}.log`), 'utf8').catch(() => '')
      lines.push(...log.split('\n').filter((line) => line.includes('\t/x\t')))
    }
    assert.equal(lines.length, 4)
  })
}

test('an alias names a distribution, and the viewer hears of one Via a distribution', async (t) => {
  const origin = await originOf(t, hello)
  const edge = await EdgeScenario.start(t, [
    distribution('A', to('inner.example.com', { path: '/site' })),
    distribution('B', originDoc(origin.port), { aliases: ['inner.example.com'] }),
  ])
  const { status, headers } = await edge.get('/x', { host: host('A') })
  assert.equal(status, 200)
  assert.equal(origin.asked[0]?.url, '/site/x')
  assert.equal(headers['x-cache'], 'Miss from cloudfront')
  assert.ok(!Array.isArray(headers['x-amz-cf-id']))
})

test('the third distribution of a chain answers 403', async (t) => {
  const origin = await originOf(t, hello)
  const edge = await EdgeScenario.start(t, [
    distribution('A', to(host('B'))),
    distribution('B', to(host('C'))),
    distribution('C', originDoc(origin.port)),
  ])
  const answer = await edge.get('/x', { host: host('A') })
  assert.equal(answer.status, 403)
  assert.match(answer.body, /too many distributions/)
  assert.equal((await edge.get('/y', { host: host('B') })).status, 200)
  assert.deepEqual(
    origin.asked.map(({ url }) => url),
    ['/y'],
  )
})

for (const [what, documents] of [
  ['itself', [distribution('A', to(host('A')))]],
  ['one that has it as its origin', [distribution('A', to(host('B'))), distribution('B', to(host('A')))]],
] as const) {
  test(`a distribution whose origin is ${what} answers 403 and keeps nobody waiting`, async (t) => {
    const edge = await EdgeScenario.start(t, documents)
    const answers = await Promise.all(['/x', '/x', '/y'].map((path) => edge.get(path, { host: host('A') })))
    assert.deepEqual(
      answers.map(({ status }) => status),
      [403, 403, 403],
    )
  })
}

for (const count of [1, 3]) {
  const workers = count === 1 ? 'one worker' : `${count} workers`
  const viewersHost = { ...cachePolicy(), headers: { behavior: 'whitelist', names: ['host'] } } as const
  const group = { id: 'group', primary: 'origin', secondary: 'itself', statusCodes: [500] }
  for (const [what, documents] of [
    [
      'a distribution that sends its own name to another one comes back to itself',
      (port: number) => [
        distribution('A', to(host('B')), { behaviors: [behaviorDoc({ cachePolicy: viewersHost })] }),
        distribution('B', originDoc(port)),
      ],
    ],
    [
      'a distribution is the secondary of its own origin group',
      (port: number) => [
        distribution('A', originDoc(port), {
          origins: [originDoc(port), to(host('A'), { id: 'itself' })],
          originGroups: [group],
          behaviors: [behaviorDoc({ originId: 'group' })],
        }),
      ],
    ],
    [
      'a staging distribution asks its primary one, whose policy sends it back',
      (port: number) => [
        distribution('A', originDoc(port), {
          continuousDeployment: {
            ...{ policyId: 'policy', stagingId: 'EB' },
            traffic: { kind: 'weight', share: 1, sticky: null },
          },
        }),
        distribution('B', to(host('A')), { staging: true }),
      ],
    ],
  ] as const) {
    test(`${what}: an error at once, no wait for itself (${workers})`, async (t) => {
      const origin = await originOf(t, (_asked, response) => response.writeHead(500).end('broken'))
      const edge = await EdgeScenario.start(t, documents(origin.port), { count, ...listening(network(2)) })
      const answers = await Promise.all(
        [0, 1, 0].map((pop, at) => edge.get('/x', { host: host('A'), pop, worker: at % count })),
      )
      for (const { status } of answers) assert.ok(status === 403 || status === 500, `${status}`)
    })
  }
}

for (const count of [1, 3]) {
  const workers = count === 1 ? 'one worker' : `${count} workers`
  const chain = async (t: TestContext, topology: Topology) => {
    const origin = await originOf(t, hello)
    const documents = [distribution('A', to(host('B'))), distribution('B', originDoc(origin.port))]
    const edge = await EdgeScenario.start(t, documents, { count, ...listening(topology) })
    const get = (name: Name, pop: number) => edge.get('/x', { host: host(name), pop, worker: pop % count })
    /** The POPs of the log lines of a distribution, once the workers have ended. */
    const popsOf = async (name: Name): Promise<string[]> => {
      await Promise.all(edge.workers.map((worker) => worker.close()))
      const logs = edge.workers.map((_, at) =>
        readFile(join(edge.directory, 'logs', `access-worker-${at}.log`), 'utf8'),
      )
      const lines = (await Promise.all(logs.map((log) => log.catch(() => '')))).join('').split('\n')
      const own = lines.map((line) => line.split('\t')).filter((fields) => fields[6]?.startsWith(NAMES[name]))
      return own.map((fields) => fields[2] as string)
    }
    return { origin, edge, get, popsOf }
  }

  test(`several POPs: each distribution has its own tiers, and the origin is asked once (${workers})`, async (t) => {
    const { origin, get, popsOf } = await chain(t, network(3))
    for (const name of ['A', 'B'] as const) {
      for (const pop of [2, 1, 0]) {
        const { status, body, xCache, headers } = await get(name, pop)
        const result = name === 'A' && pop === 2 ? 'Miss' : 'Hit'
        assert.deepEqual([status, body, xCache], [200, 'hello', result], `${name} at POP${pop}`)
        assert.equal(headers['x-amz-cf-pop'], `POP${pop}`)
        assert.equal(String(headers.via).split(',').length, 1)
      }
    }
    assert.equal(origin.asked.length, 1)
    // It was the regional edge cache that asked B, in the first of its POPs.
    assert.deepEqual((await popsOf('B')).sort(), ['POP0', 'POP0', 'POP1', 'POP2'])
  })

  test(`several POPs: none that is down asks for another distribution (${workers})`, async (t) => {
    const { origin, edge, get, popsOf } = await chain(t, network(3))
    await edge.feed.change(() => ({ kind: 'place', name: 'POP0', down: true }))
    assert.equal((await get('A', 2)).body, 'hello')
    assert.equal(origin.asked.length, 1)
    assert.deepEqual(await popsOf('B'), ['POP1'])
  })
}

test('bodies go through in both directions, and an end without an end is one', async (t) => {
  const origin = await originOf(t, (asked, response) => {
    response.writeHead(200, { 'Content-Length': '20' })
    if (asked.method === 'GET') response.write('half of it', () => response.destroy())
    else response.end(asked.body.padEnd(20, '.'))
  })
  const edge = await EdgeScenario.start(t, [
    distribution('A', to(host('B'))),
    distribution('B', originDoc(origin.port)),
  ])
  const posted = await edge.get('/x', { host: host('A'), method: 'POST', body: 'from the viewer' })
  assert.deepEqual([posted.status, posted.body], [200, 'from the viewer.....'])
  await assert.rejects(edge.get('/x', { host: host('A') }), /aborted|hang up/)
})

test('a distribution that is off answers 403 as an origin too', async (t) => {
  const edge = await EdgeScenario.start(t, [
    distribution('A', to(host('B'))),
    distribution('B', originDoc(1), { enabled: false }),
  ])
  assert.equal((await edge.get('/x', { host: host('A') })).status, 403)
})

test('a distribution that does not answer in time is a 504', async (t) => {
  const origin = await originOf(t, () => {})
  const inner = distribution('B', originDoc(origin.port))
  const edge = await EdgeScenario.start(t, [distribution('A', to(host('B'), { readTimeoutMs: 50 })), inner])
  assert.equal((await edge.get('/x', { host: host('A') })).status, 504)
})

test('a name that only a wildcard alias covers is looked up, not taken for ours', async (t) => {
  const server = createServer((_request, response) => response.end('the real one'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  // `localhost` resolves everywhere; as an origin it stands for origin.example.com.
  const edge = await EdgeScenario.start(t, [
    distribution('A', originDoc(port, { domainName: 'localhost' }), { aliases: ['*.localhost'] }),
  ])
  const { status, body } = await edge.get('/x', { host: 'www.localhost' })
  assert.deepEqual([status, body], [200, 'the real one'])
})

test('what the second distribution forwards to nobody is revalidated by the first', async (t) => {
  const origin = await originOf(t, (asked, response) => {
    const known = asked.headers['if-none-match'] === '"1"'
    response.writeHead(known ? 304 : 200, { 'Cache-Control': 'max-age=60', ETag: '"1"' })
    response.end(known ? undefined : 'hello')
  })
  const edge = await EdgeScenario.start(t, [
    distribution('A', to(host('B'))),
    distribution('B', originDoc(origin.port), {
      behaviors: [behaviorDoc({ cachePolicy: cachePolicy({ maxTtl: 60, defaultTtl: 60 }) })],
    }),
  ])
  await edge.get('/x', { host: host('A') })
  await edge.feed.moveClock(120_000)
  const again = await edge.get('/x', { host: host('A') })
  assert.deepEqual([again.status, again.body, again.xCache], [200, 'hello', 'RefreshHit'])
})
