//! Many viewers, one cold object: one fetch, and nobody waits for the last byte who could have had the first.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { startOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, DISTRIBUTION_ID, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'

test('concurrent misses of a key cost the origin one fetch', async (t) => {
  const waiting: ServerResponse[] = []
  const arrived = Promise.withResolvers<void>()
  const origin = await startOrigin((_asked, response) => {
    waiting.push(response)
    arrived.resolve()
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const viewers = Array.from({ length: 20 }, () => edge.get('/cold'))
  await arrived.promise
  // One more round trip through the edge: by then it has read all twenty requests.
  await edge.get('/', { host: 'nobody.example' })
  waiting[0]?.end('warm')
  const answers = await Promise.all(viewers)
  assert.deepEqual(new Set(answers.map((answer) => answer.body)), new Set(['warm']))
  assert.equal(answers.filter((answer) => answer.xCache === 'Miss').length, 1)
  assert.equal(answers.filter((answer) => answer.xCache === 'Hit').length, 19)
  assert.equal(origin.count('/cold'), 1)
})

for (const rfcStrict of [false, true]) {
  const mode = rfcStrict ? 'strict mode: one fetch' : "CloudFront's mode: a fetch each"
  test(`concurrent misses where cookies are forwarded; ${mode}`, async (t) => {
    const waiting: ServerResponse[] = []
    const arrived = Promise.withResolvers<void>()
    const wanted = rfcStrict ? 1 : 10
    const origin = await startOrigin((_asked, response) => {
      if (waiting.push(response) === wanted) arrived.resolve()
    })
    t.after(() => origin.close())
    const cookies = { behavior: 'all', names: [] } as const
    const none = { behavior: 'none', names: [] } as const
    const originRequestPolicy = { id: 'cookies', headers: none, cookies, queryStrings: none }
    const behaviors = [behaviorDoc({ originRequestPolicy })]
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors, rfcStrict })])
    const viewers = Array.from({ length: 10 }, (_, n) => edge.get('/cold', { headers: { Cookie: `viewer=${n}` } }))
    await arrived.promise
    // One more round trip through the edge: by then it has read all ten requests.
    await edge.get('/', { host: 'nobody.example' })
    for (const response of waiting) response.writeHead(200, { 'Cache-Control': 'max-age=60' }).end('warm')
    for (const { body } of await Promise.all(viewers)) assert.equal(body, 'warm')
    assert.equal(origin.count('/cold'), wanted)
  })
}

test('bytes reach those who wait while they are still arriving', async (t) => {
  let response: ServerResponse | null = null
  const origin = await startOrigin((_asked, answer) => {
    response = answer
    answer.writeHead(200)
    answer.write('first,')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const readers = Array.from({ length: 3 }, () => {
    const socket = connect(edge.port(), '127.0.0.1')
    let got = ''
    const first = Promise.withResolvers<void>()
    const end = Promise.withResolvers<string>()
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      got += text
      if (got.includes('first,')) first.resolve()
    })
    socket.on('close', () => end.resolve(got))
    socket.write(`GET /slow HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`)
    return { first: first.promise, end: end.promise }
  })
  await Promise.all(readers.map((reader) => reader.first))
  ;(response as ServerResponse | null)?.end('last')
  for (const reader of readers) assert.match(await reader.end, /6\r\nfirst,\r\n4\r\nlast\r\n0\r\n\r\n$/)
  assert.equal(origin.count('/slow'), 1)
  assert.equal((await edge.get('/slow')).body, 'first,last')
  assert.equal(origin.count('/slow'), 1)
})

test('an answer that may not be shared lets those who wait go to the origin themselves', async (t) => {
  const waiting: ServerResponse[] = []
  const arrived = Promise.withResolvers<void>()
  const origin = await startOrigin((_asked, response) => {
    waiting.push(response)
    if (waiting.length === 1) arrived.resolve()
    else response.setHeader('cache-control', 'private').end('yours')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const viewers = Array.from({ length: 5 }, () => edge.get('/me'))
  await arrived.promise
  await edge.get('/', { host: 'nobody.example' })
  waiting[0]?.setHeader('cache-control', 'private').end('yours')
  const answers = await Promise.all(viewers)
  assert.deepEqual(
    answers.map((answer) => answer.xCache),
    Array(5).fill('Miss'),
  )
  assert.equal(origin.count('/me'), 5)
})

test('no request joins a fetch that began before an invalidation it knows, nor is that fetch kept', async (t) => {
  const waiting: ServerResponse[] = []
  let arrived = Promise.withResolvers<void>()
  const origin = await startOrigin((_asked, response) => {
    waiting.push(response)
    arrived.resolve()
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const before = edge.get('/price')
  await arrived.promise
  arrived = Promise.withResolvers<void>()
  await edge.feed.invalidate(DISTRIBUTION_ID, '/pri*')
  const after = edge.get('/price')
  await arrived.promise
  waiting[1]?.end('new')
  assert.equal((await after).body, 'new')
  waiting[0]?.end('old')
  assert.equal((await before).body, 'old', 'asked before the invalidation')
  const later = await edge.get('/price')
  assert.equal(later.body, 'new')
  assert.equal(later.xCache, 'Hit')
})

const MIB = 1024 * 1024

/** An origin whose answers the test gives when it likes. */
interface Held {
  readonly origin: TestOrigin
  /** Requests that came, in their order. */
  readonly responses: ServerResponse[]
  /** Resolves when so many requests have come in all. */
  came(count: number): Promise<void>
}

async function holdingOrigin(t: TestContext): Promise<Held> {
  const responses: ServerResponse[] = []
  const waiting = new Set<() => void>()
  const origin = await startOrigin((_asked, response) => {
    responses.push(response)
    for (const check of [...waiting]) check()
  })
  t.after(() => origin.close())
  const came = (count: number): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (responses.length < count) return
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
      check()
    })
  return { origin, responses, came }
}

/** A viewer that reads when it is told to, and may leave without a word. */
class Viewer {
  readonly socket: Socket
  got = 0
  head = ''
  readonly ended: Promise<'complete' | 'cut'>

  constructor(port: number, path: string) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('data', (chunk: Buffer) => {
      if (this.got === 0) this.head = chunk.toString('latin1').split('\r\n\r\n')[0] ?? ''
      this.got += chunk.length
      this.#last = chunk.subarray(-7).toString('latin1')
    })
    this.socket.on('error', () => {})
    this.ended = new Promise((resolve) => {
      this.socket.on('close', () => resolve(this.#last.endsWith('0\r\n\r\n') ? 'complete' : 'cut'))
    })
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`)
  }
  #last = ''

  leave(): void {
    this.socket.resetAndDestroy()
  }
}

/** Every worker has read what was sent to it before. */
const roundTrip = async (edge: EdgeScenario): Promise<void> => {
  await Promise.all(edge.workers.map((_, worker) => edge.get('/', { worker, host: 'nobody.example' })))
  // Peers ask each other in the meantime: once more, behind their questions.
  await Promise.all(edge.workers.map((_, worker) => edge.get('/', { worker, host: 'nobody.example' })))
}

for (const count of [1, 3]) {
  const workers = Array.from({ length: count }, (_, at) => at)
  const name = (text: string): string => `${count} ${count === 1 ? 'worker' : 'workers'}: ${text}`
  const start = async (t: TestContext) => {
    const held = await holdingOrigin(t)
    const edge = await EdgeScenario.start(t, [distributionDoc(held.origin.port)], { count })
    for (const worker of workers) await edge.get('/', { worker, host: 'nobody.example' })
    return { ...held, edge }
  }
  /** So many viewers of one path, spread over the workers. */
  const crowd = (edge: EdgeScenario, path: string, size: number) =>
    Array.from({ length: size }, (_, at) => edge.get(path, { worker: at % count }))

  test(name('300 viewers of a cold object cost the origin one request'), async (t) => {
    const { edge, origin, responses, came } = await start(t)
    const viewers = crowd(edge, '/cold', 300)
    await came(1)
    await roundTrip(edge)
    responses[0]?.end('warm')
    const answers = await Promise.all(viewers)
    assert.equal(answers.filter(({ body, status }) => body === 'warm' && status === 200).length, 300)
    assert.equal(answers.filter(({ xCache }) => xCache === 'Miss').length, 1)
    assert.equal(origin.asked.length, 1)
  })

  test(name('those who wait get the bytes as they arrive'), async (t) => {
    const { edge, responses, came, origin } = await start(t)
    const viewers = workers.flatMap((worker) => [1, 2].map(() => new Viewer(edge.port(worker), '/slow')))
    await came(1)
    responses[0]?.writeHead(200).write('first')
    await Promise.all(viewers.map((viewer) => new Promise((resolve) => viewer.socket.once('data', resolve))))
    assert.equal(responses[0]?.writableEnded, false)
    responses[0]?.end('last')
    for (const viewer of viewers) assert.equal(await viewer.ended, 'complete')
    assert.equal(origin.asked.length, 1)
  })

  test(
    name('an answer that may not be kept releases all who wait at once; it is remembered, and forgotten'),
    async (t) => {
      const { edge, responses, came, origin } = await start(t)
      const refuse = (response?: ServerResponse) => response?.setHeader('cache-control', 'private').end('yours')
      const first = crowd(edge, '/me', 9)
      await came(1)
      await roundTrip(edge)
      refuse(responses[0])
      // All of the others are at the origin before a single one of them is answered.
      await came(9)
      for (const response of responses.slice(1)) refuse(response)
      await Promise.all(first)
      // Remembered: nobody waits for anybody.
      const second = crowd(edge, '/me', 6)
      await came(15)
      for (const response of responses.slice(9)) response.setHeader('cache-control', 'max-age=60').end('ours')
      assert.deepEqual(new Set((await Promise.all(second)).map(({ body }) => body)), new Set(['ours']))
      // Forgotten: a hit now, and after an invalidation one fetch for all.
      for (const worker of workers) assert.equal((await edge.get('/me', { worker })).xCache, 'Hit')
      await edge.feed.invalidate(DISTRIBUTION_ID, '/me')
      const third = crowd(edge, '/me', 6)
      await came(16)
      await roundTrip(edge)
      responses[15]?.end('ours again')
      await Promise.all(third)
      assert.equal(origin.asked.length, 16)
    },
  )

  test(name('whoever waits may leave, before and after the first byte'), async (t) => {
    const { edge, responses, came, origin } = await start(t)
    const leader = new Viewer(edge.port(), '/a')
    await came(1)
    const [early, late, ...stay] = Array.from({ length: 5 }, (_, at) => new Viewer(edge.port(at % count), '/a'))
    await roundTrip(edge)
    early?.leave()
    await early?.ended
    responses[0]?.writeHead(200).write('first')
    await new Promise((resolve) => late?.socket.once('data', resolve))
    late?.leave()
    await late?.ended
    await roundTrip(edge)
    responses[0]?.end('last')
    for (const viewer of [leader, ...stay]) assert.equal(await viewer.ended, 'complete')
    for (const worker of workers) assert.equal((await edge.get('/a', { worker })).body, 'firstlast')
    assert.equal(origin.asked.length, 1)
  })

  for (const when of ['before', 'after'] as const) {
    test(name(`whoever leads the fetch may leave, ${when} the first byte`), async (t) => {
      const { edge, responses, came, origin } = await start(t)
      const leader = new Viewer(edge.port(), '/a')
      await came(1)
      const stay = workers.map((worker) => new Viewer(edge.port(worker), '/a'))
      await roundTrip(edge)
      if (when === 'after') {
        responses[0]?.writeHead(200).write('first')
        await new Promise((resolve) => leader.socket.once('data', resolve))
      }
      leader.leave()
      await leader.ended
      await roundTrip(edge)
      if (when === 'before') responses[0]?.writeHead(200).write('first')
      responses[0]?.end('last')
      for (const viewer of stay) assert.equal(await viewer.ended, 'complete')
      for (const worker of workers) assert.equal((await edge.get('/a', { worker })).body, 'firstlast')
      assert.equal(origin.asked.length, 1)
    })
  }

  test(
    name('an origin that fails, fails all who wait, and is remembered, also when the leader has left'),
    async (t) => {
      const { edge, responses, came, origin } = await start(t)
      const leader = new Viewer(edge.port(), '/a')
      await came(1)
      const stay = crowd(edge, '/a', 6)
      await roundTrip(edge)
      leader.leave()
      await leader.ended
      await roundTrip(edge)
      // Reads are tried three times (spec 7.4).
      for (let attempt = 1; attempt <= 3; attempt++) {
        await came(attempt)
        responses[attempt - 1]?.socket?.destroy()
      }
      for (const answer of await Promise.all(stay)) {
        assert.deepEqual([answer.status, answer.xCache], [502, 'Error'])
      }
      for (const worker of workers) assert.equal((await edge.get('/a', { worker })).status, 502)
      assert.equal(origin.asked.length, 3)
    },
  )

  test(name('a fetch that nobody wants any more is broken off, and is kept for nobody'), async (t) => {
    const { edge, responses, came, origin } = await start(t)
    const viewers = workers.map((worker) => new Viewer(edge.port(worker), '/a'))
    await came(1)
    await roundTrip(edge)
    responses[0]?.writeHead(200).write('first')
    await Promise.all(viewers.map((viewer) => new Promise((resolve) => viewer.socket.once('data', resolve))))
    const brokenOff = new Promise((resolve) => responses[0]?.once('close', resolve))
    for (const viewer of viewers) viewer.leave()
    await brokenOff
    const again = edge.get('/a')
    await came(2)
    responses[1]?.end('whole')
    assert.equal((await again).body, 'whole')
    assert.equal(origin.asked.length, 2)
  })

  test(name('a reader that stalls holds up nobody: an object that is kept'), async (t) => {
    const { edge, responses, came, origin } = await start(t)
    const body = Buffer.alloc(3 * MIB, 'k')
    const stalled = new Viewer(edge.port(), '/kept')
    await came(1)
    stalled.socket.pause()
    const readers = workers.map((worker) => new Viewer(edge.port(worker), '/kept'))
    await roundTrip(edge)
    responses[0]?.writeHead(200).end(body)
    for (const reader of readers) assert.equal(await reader.ended, 'complete')
    for (const worker of workers) {
      const hit = await edge.get('/kept', { worker })
      assert.deepEqual([hit.xCache, hit.body.length], ['Hit', body.length])
    }
    // Its bytes wait for it.
    stalled.socket.resume()
    assert.equal(await stalled.ended, 'complete')
    assert.ok(stalled.got > body.length)
    assert.equal(origin.asked.length, 1)
  })

  test(name('a reader that stalls holds up nobody: an object too large to be kept'), async (t) => {
    const { edge, responses, came } = await start(t)
    const stalled = new Viewer(edge.port(), '/large')
    await came(1)
    stalled.socket.pause()
    const reader = new Viewer(edge.port(), '/large')
    await roundTrip(edge)
    const chunk = Buffer.alloc(MIB, 'l')
    const { promise: sent, resolve } = Promise.withResolvers<void>()
    const send = (left: number): void => {
      if (left === 0) responses[0]?.end(() => resolve())
      else responses[0]?.write(chunk, () => send(left - 1))
    }
    responses[0]?.writeHead(200)
    send(48)
    await sent
    assert.equal(await reader.ended, 'complete')
    assert.ok(reader.got > 48 * MIB)
    stalled.socket.resume()
    assert.equal(await stalled.ended, 'cut', 'it was too far behind to have the rest')
    assert.ok(stalled.got < 48 * MIB)
  })
}
