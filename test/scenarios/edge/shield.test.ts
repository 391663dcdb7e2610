//! Who asks too much is refused, and all others are answered: limits of addresses, connections that are closed for new
//! ones, misses that an overloaded worker sheds. Addresses of this host are many sources here (`limitLoopback`).
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { BEGIN } from '../../../src/edge/shield/attack-watch.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'

const HEAD = `GET /a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`

function dial(edge: EdgeScenario, localAddress: string, port = edge.port()): Socket {
  return connect({ port, host: '127.0.0.1', localAddress }).on('error', () => {})
}

/** All that comes until the connection ends, or until `count` answers are there. */
function answers(socket: Socket, count: number): Promise<string[]> {
  return new Promise((resolve) => {
    let got = ''
    const all = () => got.split(/(?=HTTP\/1\.1 \d{3} )/).filter((text) => text !== '')
    socket.setEncoding('latin1').on('data', (text: string) => {
      got += text
      const heads = all()
      if (heads.length >= count && heads.at(-1)?.includes('\r\n\r\n')) resolve(heads)
    })
    socket.on('close', () => resolve(all()))
  })
}

async function ask(edge: EdgeScenario, localAddress: string, path = '/a'): Promise<string> {
  const socket = dial(edge, localAddress)
  socket.write(HEAD.replace('/a', path).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
  const [answer = ''] = await answers(socket, 1)
  socket.destroy()
  return answer
}

const statusOf = (answer: string): number => Number(answer.slice(9, 12))
const ended = (socket: Socket): Promise<unknown> => (socket.destroyed ? Promise.resolve() : once(socket, 'close'))

async function counted(edge: EdgeScenario, worker?: string): Promise<Readonly<Record<string, number>>> {
  const answer = await edge.feed.ask({ kind: 'counters' }, worker)
  assert.ok(answer.kind === 'counters')
  return answer.counters
}

const countOf = (counters: Readonly<Record<string, number>>, name: string): number => {
  assert.ok(counters[name] !== undefined, `${name} is a counter`)
  return counters[name]
}

test('requests of an address: over its budget 429, over that nothing; others are answered; an attack is told', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('ok'))
  t.after(() => origin.close())
  // So slow that nothing is earned back within the test.
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], {
    shield: { addressRequests: 0.001, addressBurst: 8, limitLoopback: true },
  })
  const flood = dial(edge, '127.0.0.2')
  flood.write(HEAD.repeat(12))
  const heads = await answers(flood, 12)
  assert.deepEqual(heads.map(statusOf), [...Array(8).fill(200), ...Array(4).fill(429)], 'pipelined')
  assert.match(heads[8] ?? '', /^Retry-After: 1\r$/m)
  assert.match(heads[8] ?? '', /^X-Cache: LimitExceeded from cloudfront\r$/m)
  assert.equal(statusOf(await ask(edge, '127.0.0.2')), 429, 'nor on another connection')
  assert.equal(statusOf(await ask(edge, '127.0.0.3')), 200)

  const session = connectHttp2(`https://${HOST}`, {
    createConnection: () => tlsOver(dial(edge, '127.0.0.4', edge.httpsPort())),
  })
  t.after(() => session.destroy())
  const statuses: number[] = []
  for (let at = 0; at < 10; at++) {
    const stream = session.request({ ':path': '/a', ':authority': HOST })
    const [fields] = (await once(stream, 'response')) as [{ ':status'?: number }]
    statuses.push(fields[':status'] ?? 0)
    stream.resume()
  }
  assert.deepEqual(statuses, [...Array(8).fill(200), 429, 429], 'streams of HTTP/2 count alike')

  flood.write(HEAD.repeat(1_000))
  await ended(flood)
  const counters = await counted(edge)
  assert.ok(countOf(counters, 'requestsLimited') >= 100)
  assert.ok(countOf(counters, 'requestsShunned') >= 1)
  assert.ok(countOf(counters, 'limitExceeded') >= 100)
  assert.equal(countOf(counters, 'underAttack'), 1)
  const seen = await edge.feed.shield()
  assert.ok((seen?.attack?.counts.requests ?? 0) >= BEGIN.count)
  assert.ok(
    edge.problems.some((line) =>
      /^under attack since .*requests over what one address may make \(127\.0\.0\.2\)/.test(line),
    ),
  )
  assert.equal(statusOf(await ask(edge, '127.0.0.5')), 200)
})

test('slow-loris from one address and from a thousand: who never sends a request is closed first, new viewers get in', async (t) => {
  const origin = await startOrigin((_asked, response) => response.end('ok'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], {
    shield: { limitLoopback: true },
    listen: { connections: 300, connectionsPerAddress: 60, relievedAfterMs: 0 },
  })
  const loris: Socket[] = []
  t.after(() => {
    for (const socket of loris) socket.destroy()
  })
  const drip = (localAddress: string): void => {
    const socket = dial(edge, localAddress)
    socket.write('GET /a HTTP/1.1\r\nHost: ')
    loris.push(socket)
  }
  for (let n = 0; n < 200; n++) drip('127.0.0.9')
  assert.equal(statusOf(await ask(edge, '127.0.0.10')), 200, 'one address has its share and no more')
  assert.ok(countOf(await counted(edge), 'droppedAddressConnections') >= 140)
  for (let n = 0; n < 1_000; n++) {
    drip(`127.0.${1 + (n >> 8)}.${n & 255}`)
    if (n % 100 === 99) assert.equal(statusOf(await ask(edge, `127.0.100.${(n + 1) / 100}`)), 200)
  }
  for (let n = 1; n <= 20; n++) assert.equal(statusOf(await ask(edge, `127.0.101.${n}`)), 200)
  const counters = await counted(edge)
  assert.equal(countOf(counters, 'droppedConnections'), 0, 'nobody was refused for want of connections')
  assert.ok(countOf(counters, 'relievedUnused') >= 700)
  assert.equal(countOf(counters, 'relievedIdle') + countOf(counters, 'relievedSlow'), 0)
  assert.ok(countOf(counters, 'connectionsOpen') <= 300)
  const { attack } = (await edge.feed.shield()) ?? {}
  assert.ok((attack?.counts['slow-connections'] ?? 0) >= 700)
  assert.ok((attack?.counts['address-connections'] ?? 0) >= 140)
})

test('few connections left: idle ones end, the oldest first, HTTP/2 with GOAWAY; those that work stay; handshakes likewise', async (t) => {
  const waiting: ServerResponse[] = []
  const origin = await startOrigin((asked, response) => {
    if (asked.url === '/slow') waiting.push(response)
    else response.end('ok')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], {
    listen: { connections: 5, handshakes: 3, relievedAfterMs: 0 },
  })
  const session = connectHttp2(`https://${HOST}`, {
    createConnection: () => tlsOver(dial(edge, '127.0.0.1', edge.httpsPort())),
  })
  t.after(() => session.destroy())
  const goaway = once(session, 'goaway')
  const stream = session.request({ ':path': '/a', ':authority': HOST })
  stream.resume()
  await once(stream, 'end')
  const idle = dial(edge, '127.0.0.1')
  idle.write(HEAD)
  await answers(idle, 1)
  const busy = dial(edge, '127.0.0.1')
  busy.write(HEAD.replace('/a', '/slow'))
  const answered = answers(busy, 1)
  while (waiting.length === 0) await edge.feed.ask({ kind: 'counters' })
  const another = dial(edge, '127.0.0.1')
  another.write(HEAD)
  assert.equal(statusOf((await answers(another, 1))[0] ?? ''), 200)
  // Four are open: the fifth makes the oldest idle one go.
  assert.equal(statusOf(await ask(edge, '127.0.0.1')), 200)
  const [code] = (await goaway) as [number]
  assert.equal(code, 0)
  assert.equal(idle.destroyed, false)
  const more = [dial(edge, '127.0.0.1'), dial(edge, '127.0.0.1')]
  for (const socket of more) {
    socket.write(HEAD)
    assert.equal(statusOf((await answers(socket, 1))[0] ?? ''), 200)
  }
  await ended(idle)
  waiting[0]?.end('late')
  assert.equal(statusOf((await answered)[0] ?? ''), 200, 'a request under way is answered')
  for (const socket of [busy, another, ...more]) socket.destroy()
  await Promise.all([busy, another, ...more].map(ended))

  const silent = [dial(edge, '127.0.0.1', edge.httpsPort()), dial(edge, '127.0.0.1', edge.httpsPort())]
  await Promise.all(silent.map((socket) => once(socket, 'connect')))
  const secured = await edge.get('/a', { trust: await edge.trust() })
  assert.equal(secured.status, 200, 'a handshake gets in')
  await ended(silent[0] as Socket)
  const counters = await counted(edge)
  assert.ok(countOf(counters, 'relievedHandshakes') >= 1)
  assert.ok(countOf(counters, 'relievedIdle') >= 2)
  assert.equal(countOf(counters, 'droppedConnections') + countOf(counters, 'droppedHandshakes'), 0)
  for (const socket of silent) socket.destroy()
})

for (const count of [1, 3]) {
  test(`${count} worker(s): misses are shed before hits, who waits already waits on, and stale copies stand in`, async (t) => {
    const waiting: ServerResponse[] = []
    let isSlow = true
    const origin = await startOrigin((asked, response) => {
      if (asked.url.startsWith('/slow') && isSlow) waiting.push(response)
      else response.setHeader('cache-control', asked.url === '/stale' ? 'max-age=10' : 'max-age=100').end('ok')
    })
    t.after(() => origin.close())
    // An origin may have half of them.
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)], { count, shield: { originRequests: 4 } })
    for (const path of ['/hit', '/stale'])
      for (let worker = 0; worker < count; worker++) await edge.get(path, { worker })
    await edge.feed.moveClock(20_000)
    const asks = Array.from({ length: 40 }, (_, n) => edge.get(`/slow/${n}`))
    const refused = (await settledFirst(asks, 40 - 2 * count)).map(({ status, xCache, headers }) =>
      [status, xCache, headers['retry-after']].join(' '),
    )
    assert.deepEqual(new Set(refused), new Set(['503 CapacityExceeded 5']))
    assert.ok(waiting.length <= 2 * count, 'each worker takes its share')
    const hit = await edge.get('/hit')
    assert.deepEqual([hit.status, hit.xCache], [200, 'Hit'])
    const stale = await edge.get('/stale')
    assert.deepEqual([stale.status, stale.xCache], [200, 'Hit'])
    assert.equal(origin.count('/stale'), 1)
    const held = [...waiting]
    const path = origin.asked.findLast(({ url }) => url.startsWith('/slow'))?.url ?? ''
    const joined = edge.get(path)
    isSlow = false
    for (const response of held) response.setHeader('cache-control', 'max-age=100').end('late')
    assert.equal((await joined).body, 'late')
    const fresh = await edge.get('/slow/99')
    assert.deepEqual([fresh.status, fresh.xCache], [200, 'Miss'], 'it is over')
    let shed = 0
    for (const { identity } of edge.workers) shed += countOf(await counted(edge, identity.worker), 'shedMissOrigins')
    assert.ok(shed >= 40 - 2 * count)
    assert.equal((await Promise.all(asks)).filter(({ status }) => status === 200).length, held.length)
  })
}

/** The first `count` of them that settle. */
function settledFirst<T>(all: readonly Promise<T>[], count: number): Promise<T[]> {
  return new Promise((resolve, reject) => {
    const values: T[] = []
    for (const one of all) {
      one.then((value) => {
        values.push(value)
        if (values.length === count) resolve(values)
      }, reject)
    }
  })
}

const tlsOver = (socket: Socket) =>
  connectTls({ socket, servername: HOST, ALPNProtocols: ['h2'], rejectUnauthorized: false })
