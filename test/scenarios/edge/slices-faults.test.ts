//! Large objects in slices when things go wrong: the object changes, the origin dies or does not keep its word, viewers
//! leave or read slowly, invalidations come in the middle.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { LargeOrigin, largeBytes } from '../../support/edge-large-origin.ts'
import { brief, largeScenario } from '../../support/edge-large-scenario.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
  HOST,
  type ViewerAnswer,
} from '../../support/edge-scenario.ts'

const MIB = 1024 * 1024

const range = (edge: EdgeScenario, value: string, worker = 0): Promise<ViewerAnswer> =>
  edge.get('/film', { worker, headers: { range: value } })

function assertBytes(body: string, from: number, to: number, version = 1): void {
  assert.equal(body.length, to - from)
  assert.ok(Buffer.from(body, 'latin1').equals(largeBytes(from, to, version)), `bytes ${from}-${to - 1} of v${version}`)
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of buffers that somebody still refers to: what is dead is swept while others run, so the least of some looks. */
async function bytesInUse(): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let look = 0; look < 5; look++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
    least = Math.min(least, process.memoryUsage().arrayBuffers)
  }
  return least
}

/** A viewer that says when it reads. */
class SlowViewer {
  readonly socket: Socket
  #got: Buffer[] = []

  constructor(port: number, lines = '') {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('error', () => {})
    this.socket.write(`GET /film HTTP/1.1\r\nHost: ${HOST}\r\n${lines}\r\n`)
  }

  /** Reads until so many bytes of the body are here (or the connection ends), then stops reading. */
  async read(bytes: number): Promise<Buffer> {
    const { socket } = this
    while (this.body.length < bytes && !socket.readableEnded && !socket.destroyed) {
      const chunk = socket.read() as Buffer | null
      if (chunk !== null) this.#got.push(chunk)
      else {
        await new Promise<void>((resolve) => {
          const wake = () => {
            socket.off('readable', wake).off('close', wake)
            resolve()
          }
          socket.on('readable', wake).on('close', wake)
        })
      }
    }
    return this.body
  }

  get body(): Buffer {
    const all = Buffer.concat(this.#got)
    this.#got = [all]
    const end = all.indexOf('\r\n\r\n')
    return end < 0 ? Buffer.alloc(0) : all.subarray(end + 4)
  }
}

const indexed = async (edge: EdgeScenario, worker = 0): Promise<void> => {
  assert.equal((await range(edge, 'bytes=0-0', worker)).status, 206)
}

for (const count of [1, 3]) {
  test(`an object that has changed: a request begins anew, and gets the bytes of one version (workers: ${count})`, async (t) => {
    const { edge, origin } = await largeScenario(t, { length: 10 * MIB }, { count })
    for (let worker = 0; worker < count; worker++) await indexed(edge, worker)
    origin.version = 2
    for (let worker = 0; worker < count; worker++) {
      const got = await range(edge, `bytes=${5 * MIB}-${6 * MIB + 9}`, worker)
      assert.equal(brief(got), `206 ${worker === 0 ? 'Miss' : 'Hit'} bytes ${5 * MIB}-${6 * MIB + 9}/${10 * MIB}`)
      assert.equal(got.headers.etag, '"v2"')
      assertBytes(got.body, 5 * MIB, 6 * MIB + 10, 2)
    }
    // What was kept of the first version is not to be found any more.
    assertBytes((await range(edge, 'bytes=0-9')).body, 0, 10, 2)
  })
}

test('an object that changes while a viewer gets it: the viewer is cut off and never gets bytes of two versions', async (t) => {
  const length = 10 * MIB
  const { edge, origin } = await largeScenario(t, { length })
  origin.instead = (asked) => {
    if (asked.range?.startsWith(`bytes=${4 * MIB}-`)) origin.version = 2
  }
  const viewer = new SlowViewer(edge.port())
  const body = await viewer.read(length)
  assert.ok(body.length <= 4 * MIB && body.length >= 3 * MIB, `${body.length} bytes came`)
  assert.ok(body.equals(largeBytes(0, body.length, 1)))
  const next = await edge.get('/film')
  assert.equal(next.headers.etag, '"v2"')
  assertBytes(next.body, 0, length, 2)
})

test('an invalidation in the middle: who began goes on with one version, slices from before it are fetched anew', async (t) => {
  const length = 6 * MIB
  const { edge, origin } = await largeScenario(t, { length })
  assert.equal((await edge.get('/film')).xCache, 'Miss')
  const viewer = new SlowViewer(edge.port())
  await viewer.read(1)
  const before = origin.asked.length
  await edge.feed.invalidate(DISTRIBUTION_ID, '/film')
  assert.ok((await viewer.read(length)).equals(largeBytes(0, length)))
  assert.ok(origin.asked.length > before, 'the later slices came from the origin')
  const after = await range(edge, 'bytes=0-9')
  assert.equal(after.xCache, 'Miss')
  assertBytes(after.body, 0, 10)
})

test('an invalidation and a new version in the middle: the old one ends, it is not continued', async (t) => {
  const length = 24 * MIB
  const { edge, origin } = await largeScenario(t, { length }, { cacheBytes: 64 * MIB })
  const viewer = new SlowViewer(edge.port())
  await viewer.read(1)
  origin.version = 2
  await edge.feed.invalidate(DISTRIBUTION_ID, '/*')
  const body = await viewer.read(length)
  assert.ok(body.length < length)
  assert.ok(body.equals(largeBytes(0, body.length, 1)))
  assertBytes((await range(edge, 'bytes=100-199')).body, 100, 200, 2)
})

test('an origin that dies in the middle of a slice cuts the viewer off; what came before is kept', async (t) => {
  const length = 8 * MIB
  const { edge, origin } = await largeScenario(t, { length })
  let dead = true
  origin.instead = async (asked, response) => {
    if (!dead || !asked.range?.startsWith(`bytes=${3 * MIB}-`)) return false
    response.writeHead(206, {
      etag: '"v1"',
      'content-range': `bytes ${3 * MIB}-${4 * MIB - 1}/${length}`,
      'content-length': MIB,
    })
    response.write(largeBytes(3 * MIB, 3 * MIB + 1_000))
    setImmediate(() => response.destroy())
    return true
  }
  const viewer = new SlowViewer(edge.port())
  const body = await viewer.read(length)
  assert.ok(body.length >= 3 * MIB && body.length <= 3 * MIB + 1_000)
  assert.ok(body.equals(largeBytes(0, body.length)))
  dead = false
  const before = origin.asked.length
  const again = await edge.get('/film')
  assertBytes(again.body, 0, length)
  assert.ok(origin.ranges.slice(before).every((asked) => asked !== null && !asked.startsWith('bytes=0-')))
})

test('an origin that fails before the first byte is an error page, and the object is there when it is back', async (t) => {
  const { edge, origin } = await largeScenario(t, { length: 8 * MIB })
  await indexed(edge)
  origin.instead = (_asked, response) => response.writeHead(503).end('sorry')
  const failed = await range(edge, `bytes=${5 * MIB}-`)
  assert.deepEqual([failed.status, failed.xCache], [503, 'Error'])
  assert.equal(brief(await range(edge, 'bytes=0-9')), `206 Hit bytes 0-9/${8 * MIB}`)
  // One that refuses this request has said nothing of the object either.
  origin.instead = (_asked, response) => response.writeHead(429).end('not so fast')
  assert.equal((await range(edge, `bytes=${5 * MIB}-`)).status, 429)
  assert.equal(brief(await range(edge, 'bytes=0-9')), `206 Hit bytes 0-9/${8 * MIB}`)
  origin.instead = () => false
  const back = await range(edge, `bytes=${5 * MIB}-`)
  assertBytes(back.body, 5 * MIB, 8 * MIB)
})

for (const count of [1, 3]) {
  test(`an origin that says it answers ranges and does not: the object passes as a whole (workers: ${count})`, async (t) => {
    const length = 6 * MIB
    const { edge, origin } = await largeScenario(t, { length }, { count })
    origin.instead = async (asked, response) => {
      if (asked.range === null) return false
      response.writeHead(200, { etag: '"v1"', 'accept-ranges': 'bytes', 'content-length': length })
      await origin.send(response, 0, length - 1)
      return true
    }
    for (let worker = 0; worker < count; worker++) {
      const whole = await edge.get('/film', { worker })
      assert.equal(brief(whole), '200 Miss -')
      assertBytes(whole.body, 0, length)
      const part = await range(edge, 'bytes=1000-1999', worker)
      assertBytes(part.body, 1_000, 2_000)
    }
  })
}

for (const [name, options] of [
  ['a weak entity tag', { etag: () => 'W/"v1"' }],
  ['no validator', { etag: null }],
  ['no Accept-Ranges', { acceptRanges: false }],
  ['Accept-Ranges: none', { acceptRanges: false, headers: { 'accept-ranges': 'none' } }],
] as const) {
  test(`${name}: the object passes as a whole`, async (t) => {
    const length = 5 * MIB
    const { edge, origin } = await largeScenario(t, { length, ...options })
    for (let round = 1; round <= 2; round++) {
      const whole = await edge.get('/film')
      assert.equal(brief(whole), '200 Miss -')
      assertBytes(whole.body, 0, length)
      assert.deepEqual(origin.ranges, new Array(round).fill(null))
    }
  })
}

test('a Last-Modified that is old enough tells versions apart as well', async (t) => {
  const headers = { 'last-modified': 'Wed, 21 Oct 2015 07:28:00 GMT' }
  const { edge, origin } = await largeScenario(t, { length: 6 * MIB, etag: null, headers })
  const part = await range(edge, 'bytes=0-9')
  assertBytes(part.body, 0, 10)
  assert.equal(origin.asked.at(-1)?.headers['if-unmodified-since'], headers['last-modified'])
  assert.equal((await range(edge, 'bytes=10-19')).xCache, 'Hit')
})

test('a stale index is confirmed for all slices at once', async (t) => {
  const { edge, origin } = await largeScenario(t, { length: 6 * MIB })
  await edge.get('/film')
  const before = origin.asked.length
  await edge.feed.moveClock(3_700_000)
  const again = await edge.get('/film')
  assert.equal(brief(again), '200 RefreshHit -')
  assertBytes(again.body, 0, 6 * MIB)
  assert.equal(origin.asked.length, before + 1)
  assert.equal(origin.asked.at(-1)?.headers['if-none-match'], '"v1"')
  assert.equal(brief(await edge.get('/film')), '200 Hit -')
  assert.equal(origin.asked.length, before + 1)
})

test('what is kept for revalidation only is confirmed for each request, and its slices stay', async (t) => {
  const headers = { 'cache-control': 'no-cache' }
  const { edge, origin } = await largeScenario(t, { length: 6 * MIB, headers })
  await range(edge, 'bytes=0-9')
  for (let round = 1; round <= 2; round++) {
    const got = await range(edge, 'bytes=10-19')
    assert.equal(brief(got), `206 RefreshHit bytes 10-19/${6 * MIB}`)
    assertBytes(got.body, 10, 20)
  }
  assert.deepEqual(origin.ranges, [null, `bytes=0-${MIB - 1}`, null, null])
})

test('a viewer that leaves ends what is fetched for it', async (t) => {
  const length = 40 * MIB
  const { edge, origin } = await largeScenario(t, { length })
  await indexed(edge)
  const left = Promise.withResolvers<void>()
  origin.instead = async (asked, response) => {
    if (!asked.range?.startsWith(`bytes=${10 * MIB}-`)) return false
    response.writeHead(206, {
      etag: '"v1"',
      'content-range': `bytes ${10 * MIB}-${11 * MIB - 1}/${length}`,
      'content-length': MIB,
    })
    response.write(largeBytes(10 * MIB, 10 * MIB + 500_000))
    response.once('close', left.resolve)
    return true
  }
  const viewer = new SlowViewer(edge.port(), `Range: bytes=${10 * MIB}-\r\n`)
  await viewer.read(1)
  viewer.socket.resetAndDestroy()
  await left.promise
  assert.ok(origin.asked.length <= 5, 'no more than the slices ahead were begun')
  const next = range(edge, `bytes=${10 * MIB + 5}-${10 * MIB + 9}`)
  origin.instead = () => false
  assertBytes((await next).body, 10 * MIB + 5, 10 * MIB + 10)
})

for (const count of [1, 3]) {
  test(`40 readers that stall hold a few slices, not the object (workers: ${count})`, async (t) => {
    const length = 200 * MIB
    const { edge, origin } = await largeScenario(t, { length }, { count })
    const before = await bytesInUse()
    const viewers = Array.from({ length: 40 }, (_, at) => new SlowViewer(edge.port(at % count)))
    t.after(() => {
      for (const { socket } of viewers) socket.destroy()
    })
    for (const viewer of viewers) await viewer.read(1)
    // Somebody who reads gets all of it meanwhile.
    const reader = new SlowViewer(edge.port())
    let at = 0
    reader.socket.on('data', (chunk) => {
      at += chunk.length
    })
    while (at < length) await once(reader.socket, 'data')
    const grown = (await bytesInUse()) - before
    t.diagnostic(`${Math.round(grown / MIB)} MiB for ${count} caches of 32 MiB`)
    // The cache of each worker, and each of the slices at which its readers stand once, however many they are.
    assert.ok(grown < count * (32 + 30) * MIB, `${Math.round(grown / MIB)} MiB`)
    assert.ok(origin.bytesSent < 2.2 * length, `${Math.round(origin.bytesSent / MIB)} MiB came from the origin`)
    reader.socket.destroy()
  })
}

test('what one viewer says in Request-Range is not heard when slices are fetched for all', async (t) => {
  const { edge, origin } = await largeScenario(t, { length: 6 * MIB })
  await edge.get('/film', { headers: { range: 'bytes=0-9', 'request-range': 'bytes=20-29' } })
  assert.deepEqual(
    origin.asked.map(({ headers }) => headers['request-range']),
    ['bytes=20-29', undefined],
  )
})

test('the smallest cache has smaller slices', async (t) => {
  const length = 5 * MIB
  const { edge, origin } = await largeScenario(t, { length }, { cacheBytes: 8 * MIB })
  await range(edge, 'bytes=0-0')
  assert.deepEqual(origin.ranges, [null, `bytes=0-${MIB / 4 - 1}`])
  assertBytes((await edge.get('/film')).body, 0, length)
})

test('a request that may not be kept passes as it is', async (t) => {
  const origin = await LargeOrigin.start({ length: 6 * MIB, headers: { 'cache-control': 'no-store' } })
  t.after(() => origin.close())
  const behaviors = [behaviorDoc({ cachePolicy: cachePolicy() })]
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors })])
  assertBytes((await edge.get('/film')).body, 0, 6 * MIB)
  assert.deepEqual(origin.ranges, [null])
})
