//! Validators, large objects, and viewers that read slowly or leave.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startOrigin, startRawOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'

const MIB = 1024 * 1024

test('an expired object is confirmed by the origin and kept with its new headers', async (t) => {
  let notModified = 0
  const origin = await startOrigin((asked, response) => {
    response.setHeader('etag', '"v1"')
    response.setHeader('x-count', `${notModified}`)
    if (asked.headers['if-none-match'] === '"v1"') {
      notModified++
      response.statusCode = 304
      return response.end()
    }
    return response.setHeader('content-type', 'text/plain').end('body')
  })
  t.after(() => origin.close())
  const behavior = behaviorDoc({ cachePolicy: cachePolicy({ defaultTtl: 60 }) })
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: [behavior] })])
  assert.equal((await edge.get('/a')).headers['x-count'], '0')
  await edge.feed.moveClock(61_000)
  const refreshed = await edge.get('/a')
  assert.deepEqual([refreshed.status, refreshed.xCache, refreshed.body], [200, 'RefreshHit', 'body'])
  assert.equal(refreshed.headers['content-type'], 'text/plain')
  assert.equal((await edge.get('/a')).xCache, 'Hit')
  await edge.feed.moveClock(122_000)
  await edge.get('/a')
  const after = await edge.get('/a')
  assert.deepEqual([after.xCache, after.headers['x-count']], ['Hit', '1'])
  assert.equal(notModified, 2)
})

test('a viewer whose copy is good gets 304 from the cache', async (t) => {
  const modified = 'Wed, 21 Oct 2015 07:28:00 GMT'
  const origin = await startOrigin((_asked, response) =>
    response.setHeader('etag', '"v1"').setHeader('last-modified', modified).end('body'),
  )
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  assert.equal((await edge.get('/a')).status, 200)
  for (const [name, value] of [
    ['if-none-match', 'W/"v1"'],
    ['if-modified-since', modified],
  ] as const) {
    const again = await edge.get('/a', { headers: { [name]: value } })
    assert.deepEqual([again.status, again.xCache, again.body, again.headers.etag], [304, 'Hit', '', '"v1"'])
  }
  assert.equal((await edge.get('/a', { headers: { 'if-none-match': '"v2"' } })).status, 200)
  assert.equal(origin.count('/a'), 1)
})

test('objects over the limit stream through and are not kept, announced or not', async (t) => {
  const size = 6 * MIB
  const origin = await startOrigin((asked, response) => {
    if (asked.url === '/announced') response.setHeader('content-length', size)
    for (let sent = 0; sent < size; sent += MIB) response.write(Buffer.alloc(MIB, 'x'))
    response.end()
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  for (const path of ['/announced', '/chunked']) {
    for (let round = 1; round <= 2; round++) {
      const answer = await edge.get(path)
      assert.deepEqual([answer.body.length, answer.xCache], [size, 'Miss'], path)
      assert.equal(origin.count(path), round)
    }
  }
})

test('an object of some megabytes is kept and comes back byte for byte', async (t) => {
  const body = Buffer.from(Array.from({ length: 3 * MIB }, (_, at) => at % 251)).toString('latin1')
  const origin = await startOrigin((_asked, response) => response.end(body, 'latin1'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  assert.equal((await edge.get('/a')).body === body, true)
  const hit = await edge.get('/a')
  assert.equal(hit.xCache, 'Hit')
  assert.equal(hit.body === body, true)
})

test('a viewer that does not read makes the origin of an unkept answer wait', async (t) => {
  let accepted = 0
  const total = 64 * MIB
  const origin = await startRawOrigin((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: ${total}\r\n\r\n`)
    const more = (): void => {
      while (accepted < total) {
        accepted += MIB
        if (!socket.write(Buffer.alloc(MIB))) {
          socket.once('drain', more)
          return
        }
      }
    }
    more()
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const viewer = connect(edge.port(), '127.0.0.1')
  viewer.on('error', () => {})
  viewer.write(`GET /big HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
  await once(viewer, 'readable')
  // The viewer reads nothing more. Other requests pass meanwhile; when two looks agree, the origin is waiting.
  let before = -1
  while (before !== accepted) {
    before = accepted
    for (let round = 0; round < 20; round++) await edge.get('/', { host: 'nobody.example' })
  }
  assert.ok(accepted < total, `${accepted} of ${total} bytes were taken from the origin`)
  viewer.destroy()
})

test('when the only viewer leaves, the origin is let go and nothing is kept', async (t) => {
  const gone = Promise.withResolvers<void>()
  const origin = await startRawOrigin((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegin')
    // A viewer that closed its half is still owed the answer: that it has really gone shows when bytes go to it.
    const more = setInterval(() => socket.write('more'), 5)
    socket.once('close', () => {
      clearInterval(more)
      gone.resolve()
    })
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  const viewer = connect(edge.port(), '127.0.0.1')
  viewer.on('error', () => {})
  viewer.write(`GET /a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
  await once(viewer, 'data')
  viewer.destroy()
  await gone.promise
})
