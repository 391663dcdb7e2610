//! Many viewers, one cold object: one fetch, and nobody waits for the last byte who could have had the first.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startOrigin } from '../../support/edge-origin.ts'
import { DISTRIBUTION_ID, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'

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
