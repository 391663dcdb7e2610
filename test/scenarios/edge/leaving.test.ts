//! Viewers that leave before their answer begins: what was fetched for them alone is given up at once, and nobody else
//! notices. A viewer that has only ended its side still gets what can be had at once.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { behaviorDoc, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'

/** One request at the origin: nothing is answered until the test does. */
interface Held {
  readonly response: ServerResponse
  /** Resolves when the edge has broken it off. */
  readonly brokenOff: Promise<void>
}

/** An edge before an origin that holds every request for /slow paths, and answers others at once. */
async function edgeBefore(t: TestContext, workers: number) {
  const held = new Map<string, Held[]>()
  const waiting = new Map<string, (held: Held) => void>()
  const origin = createServer((request, response) => {
    const { url = '' } = request.resume()
    if (!url.startsWith('/slow')) {
      response.setHeader('cache-control', 'max-age=60').end(`this is ${url}`)
      return
    }
    const one = { response, brokenOff: once(response, 'close').then(() => {}) }
    held.set(url, [...(held.get(url) ?? []), one])
    waiting.get(url)?.(one)
  })
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    origin.close()
    origin.closeAllConnections()
  })
  const behavior = behaviorDoc({
    allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'],
  })
  const document = distributionDoc((origin.address() as AddressInfo).port, { behaviors: [behavior] })
  const edge = await EdgeScenario.start(t, [document], { count: workers })
  return {
    edge,
    count: (url: string) => held.get(url)?.length ?? 0,
    /** The first request for that path, when it is at the origin. */
    asked: (url: string): Promise<Held> =>
      new Promise((resolve) => {
        const [first] = held.get(url) ?? []
        if (first !== undefined) resolve(first)
        else waiting.set(url, resolve)
      }),
  }
}

function ask(edge: EdgeScenario, path: string, worker = 0, { method = 'GET', body = '' } = {}): Socket {
  const socket = connect(edge.port(worker), '127.0.0.1')
  socket.on('error', () => {})
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n${length}\r\n${body}`)
  return socket
}

async function all(socket: Socket): Promise<string> {
  let text = ''
  for await (const data of socket.setEncoding('latin1')) text += data
  return text
}

/** By then every worker has read what was sent to it before, and its questions to the others have been heard. */
async function allRead(edge: EdgeScenario): Promise<void> {
  for (let round = 0; round < 3; round++) {
    for (let worker = 0; worker < edge.workers.length; worker++) {
      for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) await edge.get(`/${key}?${round}`, { worker })
    }
  }
}

async function counter(edge: EdgeScenario, name: string): Promise<number> {
  let sum = 0
  for (let at = 0; at < edge.workers.length; at++) {
    const answer = await edge.feed.ask({ kind: 'counters' }, `worker-${at}`)
    assert.ok(answer.kind === 'counters')
    const count = answer.counters[name]
    assert.ok(count !== undefined, name)
    sum += count
  }
  return sum
}

/** Status, result and detailed result of the lines about a path, from the logs of all workers. */
async function logged(edge: EdgeScenario, path: string): Promise<string[][]> {
  const lines: string[][] = []
  const count = edge.workers.length
  await edge.pause()
  for (let at = 0; at < count; at++) {
    const text = await readFile(join(edge.directory, 'logs', `access-worker-${at}.log`), 'utf8').catch(() => '')
    for (const line of text.split('\n')) {
      const fields = line.split('\t')
      if (fields[7] === path) lines.push([fields[8] ?? '', fields[28] ?? ''])
    }
  }
  return lines
}

const WAYS: readonly (readonly [how: string, leave: (socket: Socket) => unknown])[] = [
  ['resets the connection', (socket) => socket.resetAndDestroy()],
  ['closes the connection', (socket) => socket.destroy()],
]

for (const workers of [1, 3]) {
  for (const [how, leave] of WAYS) {
    test(`a viewer that ${how} before the origin answers stops its fetch (${workers} workers)`, async (t) => {
      const { edge, asked, count } = await edgeBefore(t, workers)
      // Of several keys each worker owns some.
      for (const path of ['/slow/1', '/slow/2', '/slow/3', '/slow/4']) {
        const socket = ask(edge, path)
        const { brokenOff } = await asked(path)
        leave(socket)
        await brokenOff
        assert.equal(count(path), 1)
      }
      assert.equal((await edge.get('/next')).body, 'this is /next')
      assert.equal(await counter(edge, 'viewersGone'), 4)
      assert.equal(await counter(edge, 'originErrors'), 0)
      assert.deepEqual(edge.problems, [])
      assert.deepEqual(await logged(edge, '/slow/1'), [['000', 'ClientCommError']])
    })

    test(`a viewer that ${how} stops a request with a body, sent whole (${workers} workers)`, async (t) => {
      const { edge, asked } = await edgeBefore(t, workers)
      const socket = ask(edge, '/slow/post', 0, { method: 'POST', body: 'all of it' })
      const { brokenOff } = await asked('/slow/post')
      leave(socket)
      await brokenOff
      assert.equal(await counter(edge, 'originErrors'), 0)
      assert.deepEqual(await logged(edge, '/slow/post'), [['000', 'ClientCommError']])
    })

    test(`the first of several viewers ${how}: the others get the answer of its fetch (${workers} workers)`, async (t) => {
      const { edge, asked, count } = await edgeBefore(t, workers)
      for (const path of ['/slow/1', '/slow/2', '/slow/3']) {
        const first = ask(edge, path)
        const { response } = await asked(path)
        const others = Array.from({ length: 6 }, (_, at) => ask(edge, path, at % workers))
        const answers = others.slice(1).map(all)
        await allRead(edge)
        leave(first)
        leave(others[0] as Socket)
        await allRead(edge)
        response.setHeader('cache-control', 'max-age=60').end('for everybody')
        for (const answer of await Promise.all(answers)) assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*for everybody/)
        assert.equal(count(path), 1)
        for (let worker = 0; worker < workers; worker++) {
          const { body, xCache } = await edge.get(path, { worker })
          assert.deepEqual([body, xCache], ['for everybody', 'Hit'])
        }
      }
    })

    test(`all viewers of a fetch leave, one after the other: it stops with the last (${workers} workers)`, async (t) => {
      const { edge, asked, count } = await edgeBefore(t, workers)
      for (const path of ['/slow/1', '/slow/2', '/slow/3']) {
        const first = ask(edge, path)
        const { brokenOff, response } = await asked(path)
        const others = Array.from({ length: 3 }, (_, at) => ask(edge, path, at % workers))
        await allRead(edge)
        leave(first)
        await allRead(edge)
        assert.equal(response.destroyed, false)
        for (const socket of others) leave(socket)
        await brokenOff
        assert.equal(count(path), 1)
      }
      assert.equal((await edge.get('/next')).body, 'this is /next')
      assert.equal(await counter(edge, 'viewersGone'), 12)
    })
  }

  test(`a viewer that leaves while its answer has come to a halt stops the fetch (${workers} workers)`, async (t) => {
    const { edge, asked } = await edgeBefore(t, workers)
    for (const path of ['/slow/1', '/slow/2', '/slow/3']) {
      const socket = ask(edge, path)
      const { response, brokenOff } = await asked(path)
      response.write('the first of it')
      await once(socket, 'data')
      socket.destroy()
      await brokenOff
    }
  })

  test(`a viewer of a large object that leaves before its first slice has come stops the slices (${workers} workers)`, async (t) => {
    const length = 64 * 1024 * 1024
    const stopped: Promise<void>[] = []
    const arrived = Promise.withResolvers<void>()
    const origin = createServer((request, response) => {
      response.setHeader('etag', '"v1"').setHeader('accept-ranges', 'bytes').setHeader('cache-control', 'max-age=60')
      if (request.headers.range === undefined) {
        response.writeHead(200, { 'content-length': length }).write('x')
        return
      }
      stopped.push(once(response, 'close').then(() => {}))
      arrived.resolve()
    })
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
    t.after(() => {
      origin.close()
      origin.closeAllConnections()
    })
    const document = distributionDoc((origin.address() as AddressInfo).port)
    const edge = await EdgeScenario.start(t, [document], { count: workers })
    const socket = ask(edge, '/large')
    await arrived.promise
    socket.resetAndDestroy()
    await Promise.all(stopped)
    assert.equal(await counter(edge, 'viewersGone'), 1)
    assert.deepEqual(await logged(edge, '/large'), [['000', 'ClientCommError']])
  })

  test(`a viewer that has only ended its side gets what is there (${workers} workers)`, async (t) => {
    const { edge, asked } = await edgeBefore(t, workers)
    await edge.get('/warm')
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`
    for (let worker = 0; worker < workers; worker++) {
      const socket = connect(edge.port(worker), '127.0.0.1')
      // A hit, one that the origin answers at once, an error page, and one that it does not answer.
      socket.end(get('/warm') + get(`/cold/${worker}`) + get('/bad').replace('GET', 'TRACE') + get('/slow/x'))
      const { brokenOff } = await asked('/slow/x')
      const text = await all(socket)
      await brokenOff
      assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 403'])
      assert.match(text, /this is \/warm/)
      assert.match(text, new RegExp(`this is /cold/${worker}`))
    }
  })
}

test('a viewer that has ended its side gets all of an answer that flows', async (t) => {
  const { edge, asked } = await edgeBefore(t, 1)
  const socket = connect(edge.port(), '127.0.0.1')
  socket.end(`GET /slow/flow HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
  const text = all(socket)
  const { response } = await asked('/slow/flow')
  // For longer than the edge waits for an answer that has come to a halt.
  for (let at = 0; at < 12; at++) {
    response.write(`piece ${at},`)
    await new Promise((resolve) => setTimeout(resolve, 60))
  }
  response.end('end')
  assert.match(await text, /piece 11,[\s\S]*end\r\n0\r\n\r\n$/)
})
