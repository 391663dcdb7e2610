//! The name server of the edge domain at running workers, asked by `dig` and by Node's resolver (c-ares): the nearest POP
//! that is up, by GeoIP of the client subnet.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { PopListen } from '../../../src/edge/listeners.ts'
import type { Worker } from '../../../src/edge/worker.ts'
import { distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'

const run = promisify(execFile)
const DOMAIN = 'cloudfront.localhost'
const LONDON = '81.2.69.142'
const CALIFORNIA = '8.8.8.8'
const SYDNEY = '1.1.1.1'

const pop = (name: string, region: string, host: string, latitude: number, longitude: number): PopListen => ({
  ...{ name, region, regional: null, latitude, longitude, http: { host, port: 0 }, https: null },
})
const POPS = [
  pop('IAD50-C1', 'us-east-1', '127.0.0.1', 38.94, -77.46),
  { ...pop('FRA50-C1', 'eu-central-1', '127.0.0.2', 50.04, 8.56), ipv6: { host: '::1', port: 0 } },
  pop('SYD50-C1', 'ap-southeast-2', '127.0.0.3', -33.94, 151.17),
]
const NAMES = { pops: POPS, regionals: [], dns: { host: '127.0.0.1', port: 0, edgeDomain: DOMAIN } }

const second = {
  ...{ id: 'E2TESTDISTRIB2', domainName: `d222222abcdef8.${DOMAIN}`, priceClass: 'PriceClass_100', ipv6: true },
}

function start(t: Parameters<typeof EdgeScenario.start>[0], count = 1): Promise<EdgeScenario> {
  const documents = [distributionDoc(1, { aliases: ['www.example.com'] }), distributionDoc(1, second)]
  return EdgeScenario.start(t, documents, { ...NAMES, count })
}

const portOf = ({ dns }: Worker): number => dns?.port ?? assert.fail('no name server')

/** What `dig` says: its status, flags, and the answers. */
async function dig(port: number, ...args: string[]) {
  const { stdout } = await run('dig', ['@127.0.0.1', '-p', String(port), '+tries=1', '+time=5', '+norecurse', ...args])
  const section = (name: string) =>
    new RegExp(`;; ${name} SECTION:\\n([^;]*)`).exec(stdout)?.[1]?.trim().split('\n') ?? []
  return {
    text: stdout,
    status: /status: (\w+)/.exec(stdout)?.[1],
    answers: section('ANSWER').map((line) => line.split(/\s+/).slice(3).join(' ')),
    ttl: Number(section('ANSWER')[0]?.split(/\s+/)[1]),
    authority: section('AUTHORITY'),
    subnet: /CLIENT-SUBNET: (\S+)/.exec(stdout)?.[1],
  }
}

test('dig: the nearest POP of the client subnet, over UDP and TCP', async (t) => {
  const edge = await start(t)
  const port = portOf(edge.workers[0] as Worker)
  const rows: [subnet: string, address: string][] = [
    [`${LONDON}/32`, '127.0.0.2'],
    [`${CALIFORNIA}/24`, '127.0.0.1'],
    [`${SYDNEY}/24`, '127.0.0.3'],
    ['2a02:2e0::/32', '127.0.0.2'],
    ['203.0.113.0/24', '127.0.0.1'],
    ['0.0.0.0/0', '127.0.0.1'],
  ]
  for (const [subnet, address] of rows) {
    for (const over of ['+notcp', '+tcp']) {
      const { status, answers, ttl } = await dig(port, HOST, 'A', `+subnet=${subnet}`, over)
      assert.deepEqual([status, answers, ttl], ['NOERROR', [`A ${address}`], 60], `${subnet} ${over}`)
    }
  }
  assert.equal((await dig(port, HOST, 'A', `+subnet=${LONDON}/32`)).subnet, `${LONDON}/32/24`)
  assert.deepEqual((await dig(port, 'www.example.com', 'A', `+subnet=${SYDNEY}/24`)).answers, ['A 127.0.0.3'])
})

test('dig: IPv6, price class, what is not there, and what is not ours', async (t) => {
  const edge = await start(t)
  const port = portOf(edge.workers[0] as Worker)
  const off = await dig(port, HOST, 'AAAA', `+subnet=${LONDON}/32`)
  assert.deepEqual([off.status, off.answers, off.authority.length], ['NOERROR', [], 1])
  assert.deepEqual((await dig(port, second.domainName, 'AAAA', `+subnet=${LONDON}/32`)).answers, ['AAAA ::1'])
  // PriceClass_100 has no POP in Australia.
  assert.deepEqual((await dig(port, second.domainName, 'A', `+subnet=${SYDNEY}/24`)).answers, ['A 127.0.0.1'])
  const none = await dig(port, `d9.${DOMAIN}`, 'A')
  assert.deepEqual([none.status, none.answers], ['NXDOMAIN', []])
  assert.match(
    none.authority[0] ?? '',
    new RegExp(`^${DOMAIN}\\.\\s+60\\s+IN\\s+SOA\\s+ns\\.${DOMAIN}\\. hostmaster\\.${DOMAIN}\\.`),
  )
  assert.equal((await dig(port, 'example.org', 'A')).status, 'REFUSED')
  assert.deepEqual((await dig(port, DOMAIN, 'NS')).answers, [`NS ns.${DOMAIN}.`])
  assert.deepEqual((await dig(port, `ns.${DOMAIN}`, 'A')).answers, ['A 127.0.0.1'])
  assert.deepEqual((await dig(port, HOST, 'ANY', '+notcp')).answers, ['HINFO "RFC8482" ""'])
  assert.equal((await dig(port, HOST, 'A', '+edns=1', '+noednsnegotiation')).status, 'BADVERS')
  assert.equal((await dig(port, HOST, 'A', '+opcode=update')).status, 'NOTIMP')
})

test('a POP that goes down is left out, for a shorter time, and comes back', async (t) => {
  const edge = await start(t)
  const port = portOf(edge.workers[0] as Worker)
  const asks = () => dig(port, HOST, 'A', `+subnet=${LONDON}/32`)
  assert.deepEqual((await asks()).answers, ['A 127.0.0.2'])
  await edge.feed.change(() => ({ kind: 'place', name: 'FRA50-C1', down: true }))
  const { answers, ttl } = await asks()
  assert.deepEqual([answers, ttl], [['A 127.0.0.1'], 10])
  for (const { name } of POPS) await edge.feed.change(() => ({ kind: 'place', name, down: true }))
  assert.equal((await asks()).status, 'SERVFAIL')
  for (const { name } of POPS) await edge.feed.change(() => ({ kind: 'place', name, down: false }))
  assert.deepEqual((await asks()).answers, ['A 127.0.0.2'])
})

test('a new distribution has its name when it is deployed; names are answered without control', async (t) => {
  const edge = await start(t, 3)
  const ports = edge.workers.map(portOf)
  const name = `d333333abcdef8.${DOMAIN}`
  await edge.feed.put(distributionDoc(1, { id: 'E3TESTDISTRIB3', domainName: name }))
  await edge.feed.stop()
  for (const port of ports)
    assert.deepEqual((await dig(port, name, 'A', `+subnet=${SYDNEY}/24`)).answers, ['A 127.0.0.3'])
})

test("Node's resolver", async (t) => {
  const edge = await start(t)
  const resolver = new Resolver()
  resolver.setServers([`127.0.0.1:${portOf(edge.workers[0] as Worker)}`])
  assert.deepEqual(await resolver.resolve4(HOST, { ttl: true }), [{ address: '127.0.0.1', ttl: 60 }])
  assert.deepEqual(await resolver.resolve6(second.domainName).catch((error) => error.code), 'ENODATA')
  await assert.rejects(resolver.resolve4(`nobody.${DOMAIN}`), { code: 'ENOTFOUND' })
  const soa = await resolver.resolveSoa(DOMAIN)
  assert.deepEqual([soa.nsname, soa.minttl], [`ns.${DOMAIN}`, 60])
})

test('what is no query does not disturb it', async (t) => {
  const edge = await start(t)
  const port = portOf(edge.workers[0] as Worker)
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  let state = 7
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  }
  for (let n = 0; n < 300; n++) socket.send(Buffer.from(Array.from({ length: random() }, random)), port, '127.0.0.1')
  // Over TCP: a length without end, and half a message.
  for (const bytes of [Buffer.from([255, 255, 1, 2, 3]), Buffer.from([0, 40, 1, 2, 3])]) {
    const client = connect(port, '127.0.0.1')
    client.write(bytes)
    if (bytes[0] === 255) await once(client, 'close')
    else client.destroy()
  }
  assert.deepEqual((await dig(port, HOST, 'A', `+subnet=${LONDON}/32`)).answers, ['A 127.0.0.2'])
  assert.deepEqual(edge.problems, [])
})
