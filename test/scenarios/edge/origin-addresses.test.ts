//! From an origin's name to a connection: families, several addresses, answers that change, and addresses that may not be
//! origins. Names are resolved by a real name server of the test's own.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { OriginDoc } from '../../../src/domain/distribution.ts'
import { startDns } from '../../support/dns-server.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, originDoc } from '../../support/edge-scenario.ts'

const NAME = 'origin.test'

/** A server at each address, all with one port, each of which tells its address; what is asked of each is counted. */
async function servers(t: TestContext, addresses: readonly string[], keepAlive = false) {
  const asked = new Map<string, number>()
  const hosts: string[] = []
  let port = 0
  for (const address of addresses) {
    const server: Server = createServer((request, response) => {
      asked.set(address, (asked.get(address) ?? 0) + 1)
      hosts.push(request.headers.host ?? '')
      response.writeHead(200, keepAlive ? {} : { connection: 'close' }).end(address)
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, address, resolve)
    })
    ;({ port } = server.address() as AddressInfo)
    t.after(
      () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        }),
    )
  }
  return { port, asked, hosts }
}

async function site(
  t: TestContext,
  port: number,
  origin: Partial<OriginDoc> = {},
  more: { ms?: number; own?: string[] } = {},
) {
  const dns = await startDns()
  t.after(() => dns.close())
  const document = distributionDoc(port, {
    origins: [originDoc(port, { domainName: NAME, connectionAttempts: 1, ...origin })],
    behaviors: [behaviorDoc({ cachePolicy: cachePolicy({ defaultTtl: 0, maxTtl: 0 }) })],
  })
  const edge = await EdgeScenario.start(t, [document], {
    lookup: dns.lookup,
    ownAddresses: more.own ?? [],
    ...(more.ms === undefined ? {} : { originConnectionMs: more.ms }),
  })
  return { dns, edge }
}

for (const [type, addresses, from] of [
  ['ipv4', ['127.0.0.1', '::1'], '127.0.0.1'],
  ['ipv6', ['127.0.0.1', '::1'], '::1'],
  ['ipv4', ['::1'], null],
  ['ipv6', ['127.0.0.1'], null],
  ['dualstack', ['127.0.0.1'], '127.0.0.1'],
  ['dualstack', ['::1'], '::1'],
] as const) {
  test(`IpAddressType ${type}, a name with ${addresses.join(' and ')}: ${from ?? 'no address'}`, async (t) => {
    const { port } = await servers(t, ['127.0.0.1', '::1'])
    const { dns, edge } = await site(t, port, { ipAddressType: type })
    dns.names.set(NAME, addresses)
    const answer = await edge.get('/a')
    assert.equal(answer.status, from === null ? 502 : 200)
    if (from === null) assert.match(edge.problems.join('\n'), /: dns: /)
    else assert.equal(answer.body, from)
  })
}

test('dualstack spreads over both families; where one refuses, the other is asked within the attempt', async (t) => {
  const both = await servers(t, ['127.0.0.1', '::1'])
  const { dns, edge } = await site(t, both.port, { ipAddressType: 'dualstack' })
  dns.names.set(NAME, ['127.0.0.1', '::1'])
  for (let at = 0; at < 6; at++) assert.equal((await edge.get(`/${at}`)).status, 200)
  assert.deepEqual(Object.fromEntries(both.asked), { '127.0.0.1': 3, '::1': 3 })
  const four = await servers(t, ['127.0.0.1'])
  const other = await site(t, four.port, { ipAddressType: 'dualstack' })
  other.dns.names.set(NAME, ['127.0.0.1', '::1'])
  for (let at = 0; at < 4; at++) assert.equal((await other.edge.get(`/${at}`)).body, '127.0.0.1')
})

test('a name of several addresses (a load balancer): connections spread, and one that refuses is passed over', async (t) => {
  const { port, asked } = await servers(t, ['127.0.0.2', '127.0.0.3'])
  const { dns, edge } = await site(t, port)
  // Nobody listens at the first.
  dns.names.set(NAME, ['127.0.0.1', '127.0.0.2', '127.0.0.3'])
  for (let at = 0; at < 9; at++) assert.equal((await edge.get(`/${at}`)).status, 200)
  assert.equal(edge.problems.length, 0)
  assert.ok(Number(asked.get('127.0.0.2')) >= 3 && Number(asked.get('127.0.0.3')) >= 3, JSON.stringify([...asked]))
})

test('answers that flap are survived, each request by what is true then', async (t) => {
  const { port } = await servers(t, ['127.0.0.1', '127.0.0.2'])
  const { dns, edge } = await site(t, port, {}, { own: [`127.0.0.3:${port}`] })
  const rows = [
    ['an address', ['127.0.0.1'], 200, '127.0.0.1'],
    ['another address', ['127.0.0.2'], 200, '127.0.0.2'],
    ['no such name any more', 'NXDOMAIN', 502, 'dns'],
    ['a server that fails, after a name that was gone', 'SERVFAIL', 502, 'dns'],
    ['an address again', ['127.0.0.1'], 200, '127.0.0.1'],
    ['a server that fails', 'SERVFAIL', 200, '127.0.0.1'],
    ['a server that says nothing', 'silent', 200, '127.0.0.1'],
    ['the metadata service', ['169.254.169.254'], 502, 'forbidden-address'],
    ['a server that fails, after that', 'SERVFAIL', 502, 'forbidden-address'],
    ['this installation', ['127.0.0.3'], 502, 'forbidden-address'],
    ['the metadata service besides', ['169.254.169.254', '127.0.0.2'], 200, '127.0.0.2'],
    ['an address once more', ['127.0.0.1'], 200, '127.0.0.1'],
  ] as const
  for (const [at, [what, said, status, from]] of rows.entries()) {
    dns.names.set(NAME, said)
    edge.problems.length = 0
    const answer = await edge.get(`/${at}`)
    assert.equal(answer.status, status, what)
    if (status === 200) assert.equal(answer.body, from, what)
    else assert.deepEqual([answer.xCache, answer.headers.server], ['Error', 'CloudFront'], what)
  }
})

test('why a name is of no use is told to the operator, and to nobody else', async (t) => {
  const { dns, edge } = await site(t, 80)
  const unknown = await edge.get('/a')
  assert.equal(unknown.status, 502)
  assert.match(edge.problems.join('\n'), /origin origin \(origin\.test\): dns: .*ENOTFOUND/)
  dns.names.set(NAME, ['169.254.169.254'])
  const other = await site(t, 80)
  other.dns.names.set(NAME, ['169.254.169.254'])
  const guarded = await other.edge.get('/a')
  assert.match(other.edge.problems.join('\n'), /forbidden-address: origin\.test: .* link-local or metadata address/)
  assert.doesNotMatch(unknown.body + guarded.body, /169\.254|origin\.test|ENOTFOUND/)
})

test('a pool that is always busy follows its name to a new address', async (t) => {
  const { port } = await servers(t, ['127.0.0.1', '127.0.0.2'], true)
  const { dns, edge } = await site(t, port, {}, { ms: 1 })
  dns.names.set(NAME, ['127.0.0.1'])
  assert.equal((await edge.get('/a')).body, '127.0.0.1')
  dns.names.set(NAME, ['127.0.0.2'])
  let seen = ''
  for (let at = 0; at < 200 && seen !== '127.0.0.2'; at++) seen = (await edge.get(`/${at}`)).body
  assert.equal(seen, '127.0.0.2')
})

test('localhost is both families, whatever the type: a server may listen on either', async (t) => {
  const six = await servers(t, ['::1'])
  const dual = distributionDoc(six.port, {
    origins: [originDoc(six.port, { domainName: 'localhost', ipAddressType: 'ipv4' })],
  })
  const edge = await EdgeScenario.start(t, [dual], {
    lookup: async (_name, family) => (family === 0 ? ['127.0.0.1', '::1'] : ['127.0.0.1']),
  })
  assert.equal((await edge.get('/a')).body, '::1')
})

test('an origin with an IPv6 address for a name is asked there, with brackets in its Host', async (t) => {
  const { port, hosts } = await servers(t, ['::1'])
  const document = distributionDoc(port, { origins: [originDoc(port, { domainName: '::1' })] })
  const edge = await EdgeScenario.start(t, [document])
  assert.equal((await edge.get('/a')).body, '::1')
  assert.deepEqual(hosts, ['[::1]'])
})

test('connections are reused within the keep-alive time, and each origin setting has its own', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('x'))
  t.after(() => origin.close())
  const off = cachePolicy({ defaultTtl: 0, maxTtl: 0 })
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, {
      origins: [originDoc(origin.port), originDoc(origin.port, { id: 'other', keepaliveTimeoutMs: 7_000 })],
      behaviors: [
        behaviorDoc({ pathPattern: '/other/*', originId: 'other', cachePolicy: off }),
        behaviorDoc({ cachePolicy: off }),
      ],
    }),
  ])
  for (let at = 0; at < 5; at++) await edge.get(`/${at}`)
  assert.equal(origin.connections, 1)
  for (let at = 0; at < 5; at++) await edge.get(`/other/${at}`)
  assert.equal(origin.connections, 2)
})
