//! Ranges: from the cache, from an object that is being fetched, from origins with and without range support, and of
//! objects that are too large to be kept.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { parseRange, resolveRange } from '../../../src/http/range.ts'
import { type Asked, startOrigin, startRawOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  distributionDoc,
  EdgeScenario,
  HOST,
  type ViewerAnswer,
} from '../../support/edge-scenario.ts'
import { StillClock } from '../../support/still-clock.ts'

const MIB = 1024 * 1024
const ETAG = '"v1"'

const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => at % 251))
const BODY = bytes(1_000)
const text = (from: number, to: number): string => BODY.toString('latin1', from, to)

interface OriginKind {
  readonly ranges: boolean
  readonly body?: Buffer
  readonly headers?: Record<string, string>
}

/** An origin of one object, with ranges of its own or without. */
function answer(asked: Asked, response: ServerResponse, { ranges, body = BODY, headers = {} }: OriginKind): void {
  response.setHeader('content-type', 'text/plain').setHeader('etag', ETAG)
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  const specs = ranges && asked.headers.range !== undefined ? parseRange([asked.headers.range]) : null
  const resolved = specs === null ? null : resolveRange(specs, body.length)
  if (resolved?.kind !== 'parts' || (asked.headers['if-range'] ?? ETAG) !== ETAG) {
    response.setHeader('content-length', body.length).end(body)
    return
  }
  const [{ first, last }] = resolved.ranges
  response.writeHead(206, {
    'content-range': `bytes ${first}-${last}/${body.length}`,
    'content-length': last - first + 1,
  })
  response.end(body.subarray(first, last + 1))
}

async function scenario(
  t: TestContext,
  kind: OriginKind,
  count = 1,
): Promise<{ edge: EdgeScenario; origin: TestOrigin }> {
  const origin = await startOrigin((asked, response) => answer(asked, response, kind))
  t.after(() => origin.close())
  return {
    origin,
    edge: await EdgeScenario.start(t, [distributionDoc(origin.port)], { count, clock: new StillClock() }),
  }
}

const range = (
  edge: EdgeScenario,
  value: string,
  headers: Record<string, string> = {},
  path = '/a',
): Promise<ViewerAnswer> => edge.get(path, { headers: { range: value, ...headers } })

/** What matters of an answer, in one line. */
const brief = ({ status, headers, body, xCache }: ViewerAnswer) =>
  `${status} ${xCache} ${headers['content-range'] ?? '-'} ${body === text(0, 1_000) ? 'whole' : body.length}`

test('a kept object is had in parts', async (t) => {
  const { edge, origin } = await scenario(t, { ranges: false })
  const first = await edge.get('/a')
  assert.equal(first.headers['accept-ranges'], 'bytes')
  const rows = [
    ['bytes=0-9', '206 Hit bytes 0-9/1000 10'],
    ['bytes=990-', '206 Hit bytes 990-999/1000 10'],
    ['bytes=990-5000', '206 Hit bytes 990-999/1000 10'],
    ['bytes=-5', '206 Hit bytes 995-999/1000 5'],
    ['bytes=0-', '206 Hit bytes 0-999/1000 whole'],
    ['bytes=5-1', '200 Hit - whole'],
    ['bytes=20-29,0-9', '200 Hit - whole'],
    ['bytes=0-9,5-14', '200 Hit - whole'],
    ['bytes=0-9,2000-', '200 Hit - whole'],
    ['lines=0-9', '200 Hit - whole'],
  ] as const
  for (const [value, expected] of rows) assert.equal(brief(await range(edge, value)), expected, value)
  const part = await range(edge, 'bytes=100-199')
  assert.equal(part.body, text(100, 200))
  assert.equal(part.headers['content-length'], '100')
  assert.equal(part.headers['content-type'], 'text/plain')
  assert.equal(part.headers.etag, ETAG)
  assert.equal(part.headers['accept-ranges'], 'bytes')
  assert.equal(part.headers.age, '0')
  const head = await edge.get('/a', { method: 'HEAD', headers: { range: 'bytes=0-9' } })
  assert.deepEqual([head.status, head.headers['content-length']], [200, '1000'])
  assert.equal(origin.count('/a'), 1)
})

test('several parts come as multipart/byteranges', async (t) => {
  const { edge } = await scenario(t, { ranges: true })
  // The first from the fetch, the second from the cache.
  for (const xCache of ['Miss', 'Hit']) {
    const several = await range(edge, 'bytes=0-1, 500-502,-1')
    assert.deepEqual([several.status, several.xCache], [206, xCache])
    assert.equal(several.headers['content-range'], undefined)
    assert.equal(Number(several.headers['content-length']), several.body.length)
    const boundary = /^multipart\/byteranges; boundary=([\w-]{20,70})$/.exec(
      String(several.headers['content-type']),
    )?.[1]
    assert.ok(boundary !== undefined)
    const part = (from: number, to: number) =>
      `--${boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes ${from}-${to - 1}/1000\r\n\r\n${text(from, to)}\r\n`
    assert.equal(several.body, `${part(0, 2)}${part(500, 503)}${part(999, 1_000)}--${boundary}--\r\n`)
  }
})

test('beyond the end it is 416, which says how long the object is, from cache and origin alike', async (t) => {
  const { edge, origin } = await scenario(t, { ranges: true })
  for (const round of [1, 2]) {
    const beyond = await range(edge, 'bytes=1000-')
    assert.equal(brief(beyond).replace(/\d+$/, ''), '416 Error bytes */1000 ', `round ${round}`)
  }
  assert.equal((await edge.get('/a')).xCache, 'Hit', 'the object was kept, the 416 was not')
  assert.equal(origin.count('/a'), 1)
})

for (const ranges of [true, false]) {
  test(`a miss fetches the whole object once, from an origin ${ranges ? 'with' : 'without'} ranges`, async (t) => {
    const { edge, origin } = await scenario(t, { ranges })
    const part = await range(edge, 'bytes=10-19')
    assert.equal(brief(part), '206 Miss bytes 10-19/1000 10')
    assert.equal(part.body, text(10, 20))
    assert.equal(origin.asked[0]?.headers.range, undefined)
    assert.equal(brief(await range(edge, 'bytes=500-')), '206 Hit bytes 500-999/1000 500')
    assert.equal(brief(await edge.get('/a')), '200 Hit - whole')
    assert.equal(origin.count('/a'), 1)
  })
}

test('If-Range: a part only of the version that the viewer has', async (t) => {
  const modified = 'Wed, 21 Oct 2015 07:28:00 GMT'
  const { edge } = await scenario(t, { ranges: false, headers: { 'last-modified': modified } })
  const rows = [
    [ETAG, 206],
    ['"v0"', 200],
    ['W/"v1"', 200],
    [modified, 206],
    ['Wed, 21 Oct 2015 07:28:01 GMT', 200],
    ['never', 200],
  ] as const
  for (const path of ['/miss', '/hit']) {
    if (path === '/hit') await edge.get(path)
    for (const [at, [value, status]] of rows.entries()) {
      const got = await range(edge, 'bytes=0-9', { 'if-range': value }, path === '/hit' ? path : `${path}/${at}`)
      assert.equal(got.status, status, `${path} ${value}`)
    }
  }
  assert.equal((await range(edge, 'bytes=2000-', { 'if-range': '"v0"' }, '/hit')).status, 200, 'not 416')
})

test('a range of an object that is being fetched goes out as soon as its bytes are here', async (t) => {
  const begun = Promise.withResolvers<ServerResponse>()
  const origin = await startOrigin((_asked, response) => {
    response.writeHead(200, { 'content-length': 1_000 })
    response.write(BODY.subarray(0, 500))
    begun.resolve(response)
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  // The origin holds the second half back: only the first can be had.
  const early = await range(edge, 'bytes=100-199')
  assert.equal(brief(early), '206 Miss bytes 100-199/1000 100')
  assert.equal(early.body, text(100, 200))
  const late = range(edge, 'bytes=400-599')
  assert.equal(brief(await range(edge, 'bytes=0-9')), '206 Hit bytes 0-9/1000 10')
  const response = await begun.promise
  response.end(BODY.subarray(500))
  assert.equal((await late).body, text(400, 600))
  assert.equal(brief(await edge.get('/a')), '200 Hit - whole')
  assert.equal(origin.asked.length, 1)
})

test('an origin that breaks off before the range has come breaks the answer off', async (t) => {
  const origin = await startRawOrigin((socket) => {
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789')
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const got = await edge.raw(`GET /a HTTP/1.1\r\nHost: ${HOST}\r\nRange: bytes=5-99\r\n\r\n`)
  assert.match(got, /^HTTP\/1\.1 206 /)
  assert.ok(got.endsWith('\r\n\r\n56789'), 'five bytes of 95, and the connection is cut')
  const whole = await range(edge, 'bytes=0-9')
  assert.deepEqual([whole.xCache, whole.body], ['Miss', '0123456789'])
})

test('the length of a chunked answer is not known before its end: the whole is sent, and later parts of it', async (t) => {
  const origin = await startOrigin((_asked, response) => {
    response.write(BODY.subarray(0, 10))
    response.end(BODY.subarray(10))
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  assert.equal(brief(await range(edge, 'bytes=0-9')), '200 Miss - whole')
  assert.equal(brief(await range(edge, 'bytes=0-9')), '206 Hit bytes 0-9/1000 10')
})

test('an object over the limit whose origin does not say that it answers ranges is asked for one; then it is kept in slices', async (t) => {
  const body = bytes(6 * MIB)
  const { edge, origin } = await scenario(t, { ranges: true, body })
  const end = 5 * MIB + 100
  const asked = [undefined, `bytes=${5 * MIB}-${end - 1}`, `bytes=${5 * MIB}-${6 * MIB - 1}`]
  for (const [round, xCache] of ['Miss', 'Miss', 'Hit'].entries()) {
    const part = await range(edge, `bytes=${5 * MIB}-${end - 1}`)
    assert.deepEqual([part.status, part.xCache], [206, xCache], `round ${round}`)
    assert.equal(part.headers['content-range'], `bytes ${5 * MIB}-${end - 1}/${6 * MIB}`)
    assert.equal(part.body === body.toString('latin1', 5 * MIB, end), true)
  }
  // First it is learnt from the head of the whole, which is broken off; then from the part what the object is.
  assert.deepEqual(
    origin.asked.map(({ headers }) => headers.range),
    asked,
  )
  const changed = await range(edge, 'bytes=0-9', { 'if-range': '"v0"' })
  assert.deepEqual([changed.status, changed.body.length], [200, 6 * MIB])
  const beyond = await range(edge, `bytes=${6 * MIB}-`)
  assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, `bytes */${6 * MIB}`])
})

test('an object over the limit that has no strong validator: the parts that were asked for are kept', async (t) => {
  const body = bytes(6 * MIB)
  const { edge, origin } = await scenario(t, { ranges: true, body, headers: { etag: `W/${ETAG}` } })
  const rows = [
    ['bytes=100-199', 'Miss', 2],
    ['bytes=100-199', 'Hit', 2],
    ['bytes=110-119', 'Hit', 2],
    // It touches the first one, and nobody can say that both are of one version.
    ['bytes=200-299', 'Miss', 3],
    ['bytes=100-199', 'Miss', 4],
  ] as const
  for (const [value, xCache, asked] of rows) {
    const part = await range(edge, value)
    const [from, to] = value.slice(6).split('-').map(Number) as [number, number]
    assert.deepEqual([part.status, part.xCache, part.body], [206, xCache, body.toString('latin1', from, to + 1)], value)
    assert.equal(origin.count('/a'), asked, value)
    assert.equal(part.headers['content-range'], `bytes ${from}-${to}/${6 * MIB}`)
  }
})

test('an object over the limit of an origin without ranges is cut at the edge', async (t) => {
  const body = bytes(6 * MIB)
  const { edge } = await scenario(t, { ranges: false, body })
  for (let round = 1; round <= 2; round++) {
    const part = await range(edge, `bytes=${MIB}-${MIB + 9}`)
    assert.deepEqual([part.status, part.body], [206, body.toString('latin1', MIB, MIB + 10)])
  }
})

test('an object that is not kept is cut as it passes', async (t) => {
  const { edge, origin } = await scenario(t, { ranges: true, headers: { 'cache-control': 'no-store' } })
  for (let round = 1; round <= 2; round++) {
    assert.equal(brief(await range(edge, 'bytes=10-19')), '206 Miss bytes 10-19/1000 10')
    assert.equal(origin.count('/a'), round)
  }
})

test('without caching, ranges and answers pass as they are', async (t) => {
  const origin = await startOrigin((asked, response) => answer(asked, response, { ranges: true }))
  t.after(() => origin.close())
  const off = cachePolicy({ minTtl: 0, defaultTtl: 0, maxTtl: 0 })
  const edge = await EdgeScenario.start(t, [
    distributionDoc(origin.port, { behaviors: [behaviorDoc({ cachePolicy: off })] }),
  ])
  assert.equal(brief(await range(edge, 'bytes=10-19', { 'if-range': ETAG })), '206 Miss bytes 10-19/1000 10')
  assert.equal(brief(await range(edge, 'bytes=10-19', { 'if-range': '"v0"' })), '200 Miss - whole')
  assert.equal(brief(await range(edge, 'bytes=0-1,0-1')), '200 Miss - whole')
  assert.equal(origin.asked[0]?.headers.range, 'bytes=10-19')
})

test('three workers are one cache for ranges too', async (t) => {
  const { edge, origin } = await scenario(t, { ranges: true }, 3)
  const paths = ['/a', '/b', '/c', '/d', '/e', '/f']
  for (const path of paths) {
    for (const [at, worker] of [0, 1, 2, 0, 1, 2].entries()) {
      const part = await edge.get(path, { worker, headers: { range: `bytes=${at * 10}-${at * 10 + 9}` } })
      assert.deepEqual([part.status, part.body], [206, text(at * 10, at * 10 + 10)], `${path} ${worker}`)
      assert.equal(part.xCache, at === 0 ? 'Miss' : 'Hit')
    }
    const several = await edge.get(path, { worker: 1, headers: { range: 'bytes=0-0,9-9' } })
    assert.match(String(several.headers['content-type']), /^multipart\/byteranges/)
    const beyond = await edge.get(path, { worker: 2, headers: { range: 'bytes=1000-' } })
    assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, 'bytes */1000'])
    assert.equal(origin.count(path), 1)
  }
})

test('three workers: a range of an object over the limit passes through its owner', async (t) => {
  const body = bytes(6 * MIB)
  const { edge, origin } = await scenario(t, { ranges: true, body }, 3)
  for (const worker of [0, 1, 2]) {
    const part = await edge.get('/a', { worker, headers: { range: 'bytes=10-19' } })
    assert.deepEqual(
      [part.status, part.body, part.headers['content-range']],
      [206, text(10, 20), `bytes 10-19/${6 * MIB}`],
    )
  }
  assert.equal(origin.count('/a'), 3, 'once for the whole, once for the part, once for the slice that it is in')
})

test('a viewer that leaves in the middle of its range ends the fetch, and the next one has it whole', async (t) => {
  const served = Promise.withResolvers<ServerResponse>()
  let asked = 0
  const origin = await startOrigin((_asked, response) => {
    response.writeHead(200, { 'content-length': 1_000 })
    asked++
    if (asked > 1) return response.end(BODY)
    response.write(BODY.subarray(0, 20))
    return served.resolve(response)
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const socket = connect(edge.port(), '127.0.0.1')
  socket.write(`GET /a HTTP/1.1\r\nHost: ${HOST}\r\nRange: bytes=10-99\r\n\r\n`)
  const response = await served.promise
  const gone = new Promise((resolve) => response.once('close', resolve))
  socket.once('data', () => socket.resetAndDestroy())
  await gone
  assert.equal((await range(edge, 'bytes=10-99')).body, text(10, 100))
})

test('a range does not leave the object uncompressed for others; it is one of the bytes that are kept', async (t) => {
  const origin = await startOrigin((asked, response) => answer(asked, response, { ranges: true }))
  t.after(() => origin.close())
  const compressing = behaviorDoc({ compress: true, cachePolicy: cachePolicy({ gzip: true }) })
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: [compressing] })])
  const gzip = { 'accept-encoding': 'gzip' }
  // How long it will be is not known while it is compressed: the whole is sent.
  const first = await range(edge, 'bytes=0-9', gzip)
  assert.deepEqual([first.status, first.xCache, first.headers['content-encoding']], [200, 'Miss', 'gzip'])
  const whole = await edge.get('/a', { headers: gzip })
  assert.deepEqual([whole.xCache, whole.body], ['Hit', first.body])
  const part = await range(edge, 'bytes=5-14', gzip)
  assert.deepEqual([part.status, part.headers['content-encoding'], part.body], [206, 'gzip', whole.body.slice(5, 15)])
  assert.equal(part.headers['content-range'], `bytes 5-14/${whole.body.length}`)
  assert.equal((await range(edge, 'bytes=5-14', { ...gzip, 'if-range': ETAG })).status, 200, 'its tag is weak')
  assert.equal(brief(await range(edge, 'bytes=0-9')), '206 Miss bytes 0-9/1000 10')
  assert.equal(origin.count('/a'), 2, 'once for each coding')
})

test('a 416 has the custom error page of the distribution', async (t) => {
  const origin = await startOrigin((asked, response) => {
    if (asked.url === '/beyond.html') return response.end('beyond')
    return answer(asked, response, { ranges: false })
  })
  t.after(() => origin.close())
  const row = { errorCode: 416, cachingMinTtlSeconds: 10, page: { path: '/beyond.html', responseCode: 416 } }
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { errorResponses: [row] })])
  for (const round of [1, 2]) {
    const beyond = await range(edge, 'bytes=5000-')
    assert.deepEqual([beyond.status, beyond.body, beyond.xCache], [416, 'beyond', 'Error'], `round ${round}`)
  }
  assert.equal(brief(await edge.get('/a')), '200 Hit - whole')
})

test('the access log tells which part was sent', async (t) => {
  const { edge } = await scenario(t, { ranges: false })
  await range(edge, 'bytes=10-19')
  await range(edge, 'bytes=0-0,5-5')
  await range(edge, 'bytes=-10')
  await range(edge, 'bytes=5000-')
  await edge.get('/a')
  await Promise.all(edge.workers.map((worker) => worker.close()))
  const directory = join(edge.directory, 'logs')
  const files = await readdir(directory, { recursive: true, withFileTypes: true })
  const texts = await Promise.all(
    files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), 'utf8')),
  )
  const lines = texts.flatMap((log) => log.split('\n')).filter((line) => line.includes('\t/a\t'))
  const logged = lines.map((line) => {
    const fields = line.split('\t')
    return [fields[8], ...fields.slice(-3)].join(' ')
  })
  const [first, several, last, beyond, whole] = logged
  assert.equal(first, '206 10 10 19')
  assert.match(String(several), /^206 \d{3} - -$/)
  assert.equal(last, '206 10 990 999')
  assert.match(String(beyond), /^416 \d+ - -$/)
  assert.equal(whole, '200 1000 - -')
})

test('curl resumes and picks parts', async (t) => {
  const { edge } = await scenario(t, { ranges: false })
  const curl = async (...args: string[]) => {
    const url = `http://127.0.0.1:${edge.port()}/a`
    const run = promisify(execFile)
    return (await run('curl', ['-s', '-H', `Host: ${HOST}`, ...args, url], { encoding: 'latin1' })).stdout
  }
  assert.equal(await curl('--range', '990-'), text(990, 1_000))
  assert.equal(await curl('--range', '0-4'), text(0, 5))
  assert.equal(await curl('--range', '-3'), text(997, 1_000))
  assert.equal(await curl('--continue-at', '995'), text(995, 1_000))
})
