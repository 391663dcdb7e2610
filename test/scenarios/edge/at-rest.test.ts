//! After all kinds of load, with viewers that leave and stall, origins that break off and changes in between: when nobody
//! asks for anything any more, nothing is held.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { LargeOrigin } from '../../support/edge-large-origin.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
  originDoc,
} from '../../support/edge-scenario.ts'
import { ALL_VIEWER } from '../../support/edge-strict.ts'

const MIB = 1024 * 1024
const SEVEN = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE']
const STRICT_HOST = 'strict.example'
const LARGE_BYTES = 6 * MIB
const VIEWERS = 8
const STEPS = 40
/** What runs ends in its own time; it does end. Milliseconds. */
const REST_MS = 20_000
const MUST_BE_ZERO = [
  ...['fetchesUnderWay', 'fetchBytesHeld', 'originRequestsOpen', 'peerRequestsOpen', 'refreshesUnderWay'],
  ...['compressionsUnderWay', 'fieldBytesHeld', 'objectsHeld', 'diskPending', 'connectionsOpen'],
] as const

function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

for (const count of [1, 3]) {
  test(`nothing is held when nobody asks (${count} workers)`, { timeout: 120_000 }, async (t) => {
    const versions = new Map<string, number>()
    const origin = await startOrigin(({ method, url, headers }, response) => {
      origin.asked.length = 0
      const [, kind = ''] = url.split('/')
      if (method === 'POST') versions.set(url, (versions.get(url) ?? 0) + 1)
      const version = versions.get(url) ?? 0
      const text = `${url} ${version} ${headers['accept-language'] ?? ''} `
      const body = text.repeat(kind === 'big' ? 40_000 : 200)
      response.setHeader('etag', `"${version}"`).setHeader('vary', 'accept-language').setHeader('x-tags', 'a,b')
      response.setHeader('content-type', 'text/plain')
      const life = { swr: 'max-age=0, stale-while-revalidate=60', none: 'no-store' }[kind] ?? 'max-age=60'
      response.setHeader('cache-control', life)
      if (kind === 'cut') {
        response.writeHead(200, { 'content-length': body.length }).write(body.slice(0, 100))
        return setImmediate(() => response.destroy())
      }
      if (kind === 'fails') return response.writeHead(503).end()
      if (headers['if-none-match'] === `"${version}"`) return response.writeHead(304).end()
      return response.writeHead(200, { 'content-length': body.length }).end(body)
    })
    const large = await LargeOrigin.start({ length: LARGE_BYTES })
    t.after(() => Promise.all([origin.close(), large.close()]))
    const origins = [originDoc(origin.port), originDoc(large.port, { id: 'large' })]
    const largeBehavior = behaviorDoc({ pathPattern: '/large', originId: 'large' })
    const compress = { compress: true, cachePolicy: cachePolicy({ gzip: true }) }
    const behaviors = [largeBehavior, behaviorDoc(compress)]
    const strictOnes = [
      largeBehavior,
      behaviorDoc({ allowedMethods: SEVEN, originRequestPolicy: ALL_VIEWER, cachePolicy: cachePolicy() }),
    ]
    const documents = [
      distributionDoc(origin.port, { origins, behaviors, cacheTagHeader: 'x-tags' }),
      distributionDoc(origin.port, {
        ...{ id: 'E1STRICT', domainName: 'other.example', aliases: [STRICT_HOST], rfcStrict: true },
        ...{ origins, behaviors: strictOnes },
      }),
    ]
    const edge = await EdgeScenario.start(t, documents, { count, cacheBytes: 8 * MIB, diskBytes: 32 * MIB })
    await Promise.all(Array.from({ length: VIEWERS }, (_, viewer) => load(edge, count, random(viewer + 1))))

    const seen = () =>
      Promise.all(edge.workers.map(({ identity }) => edge.feed.ask({ kind: 'counters' }, identity.worker)))
    const held = async (): Promise<string[]> =>
      (await seen()).flatMap((answer, worker) => {
        assert.ok(answer.kind === 'counters')
        const { counters } = answer
        return MUST_BE_ZERO.filter((name) => counters[name] !== 0).map((name) => `${worker}: ${name} ${counters[name]}`)
      })
    const since = performance.now()
    let left = await held()
    while (left.length > 0 && performance.now() - since < REST_MS) {
      await sleep(20)
      left = await held()
    }
    assert.deepEqual(left, [])
    const [first] = await seen()
    assert.ok(first?.kind === 'counters')
    for (const name of ['diskHits', 'refreshes', 'viewersGone', 'evicted', 'collapsed'] as const)
      assert.ok((first.counters[name] ?? 0) > 0, `${name}: the load had none of it`)
    assert.deepEqual(
      edge.problems.filter((text) => !/origin/.test(text)),
      [],
    )
  })
}

/** One viewer after the other's steps: what it asks for, how it reads, and what it changes. */
async function load(edge: EdgeScenario, count: number, next: (below: number) => number): Promise<void> {
  const kinds = ['page', 'page', 'page', 'big', 'big', 'swr', 'swr', 'none', 'cut', 'fails']
  for (let step = 0; step < STEPS; step++) {
    const worker = next(count)
    const host = next(2) === 0 ? STRICT_HOST : undefined
    const hosted = host === undefined ? {} : { host }
    const isLarge = next(6) === 0
    const path = isLarge ? '/large' : `/${kinds[next(kinds.length)]}/${next(4)}`
    const headers: Record<string, string> = {
      ...(isLarge ? { range: `bytes=${next(LARGE_BYTES)}-${LARGE_BYTES - 1}` } : {}),
      ...(next(3) === 0 ? { 'accept-encoding': 'gzip' } : {}),
      'accept-language': ['de', 'en'][next(2)] as string,
    }
    const act = next(20)
    if (act === 0) await edge.feed.invalidate(DISTRIBUTION_ID, next(2) === 0 ? '/page/*' : '#a')
    else if (act === 1 && host !== undefined)
      await edge.get(path, { ...hosted, worker, method: 'POST' }).catch(() => null)
    else if (act < 5) await leave(edge.port(worker), host, path, headers)
    else await edge.get(path, { ...hosted, worker, headers }).catch(() => null)
  }
}

/** Asks, reads little or nothing, and goes. */
function leave(port: number, host: string | undefined, path: string, headers: Record<string, string>): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const lines = Object.entries({ host: host ?? 'd111111abcdef8.cloudfront.localhost', ...headers })
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
    socket.once('data', () => {
      socket.pause()
      setTimeout(() => socket.destroy(), 20)
    })
    socket.on('error', () => {})
    socket.once('close', () => resolve())
  })
}
