//! Strict mode: an answer to POST that says what a GET would get serves later GETs at every worker, whichever of them
//! handled the POST (RFC 9110 9.3.3).
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'

const VARY = { vary: 'Foo' }
const SEVEN = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE']

type Posted = (url: string, response: ServerResponse) => unknown

/** GETs are answered with their number and kept for an hour; `posted` answers POSTs. */
async function scenario(t: TestContext, count: number, posted: Posted, vary: Record<string, string> = {}) {
  const gets = new Map<string, number>()
  const origin = createServer((request, response) => {
    const { url = '', method } = request.resume()
    if (method === 'POST') return void posted(url, response)
    gets.set(url, (gets.get(url) ?? 0) + 1)
    response.writeHead(200, { 'cache-control': 'max-age=3600', ...vary }).end(`got ${url}`)
  })
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    origin.close()
    origin.closeAllConnections()
  })
  const policy = cachePolicy({ defaultTtl: 0, headers: { behavior: 'none', names: [] } })
  const all = { behavior: 'all', names: [] } as const
  const forwarding = {
    id: 'all',
    headers: { behavior: 'allViewer', names: [] },
    // Nothing is shared before it is whole where cookies are forwarded (spec/cloudfront.md 5.7).
    cookies: { behavior: 'none', names: [] },
    queryStrings: all,
  } as const
  const behaviors = [behaviorDoc({ allowedMethods: SEVEN, cachePolicy: policy, originRequestPolicy: forwarding })]
  const { port } = origin.address() as AddressInfo
  const edge = await EdgeScenario.start(t, [distributionDoc(port, { rfcStrict: true, behaviors })], { count })
  return { edge, gets: (url: string) => gets.get(url) ?? 0 }
}

const kept = (url: string, more: Record<string, string> = {}) => ({
  'content-location': url,
  'cache-control': 'max-age=60',
  ...more,
})

for (const count of [1, 3]) {
  for (const before of ['after a GET', 'before any GET']) {
    test(`whoever handles the POST, ${before}: later GETs at every worker get it (${count} workers)`, async (t) => {
      const { edge, gets } = await scenario(t, count, (url, response) =>
        response.writeHead(200, kept(url)).end(`posted ${url}`),
      )
      for (let at = 0; at < 4 * count; at++) {
        const path = `/page/${at}`
        if (before === 'after a GET') for (let worker = 0; worker < count; worker++) await edge.get(path, { worker })
        const asked = gets(path)
        const answer = await edge.get(path, { method: 'POST', body: 'x', worker: at % count })
        assert.equal(answer.body, `posted ${path}`)
        for (let worker = 0; worker < count; worker++) {
          const { body, xCache } = await edge.get(path, { worker })
          assert.deepEqual([body, xCache], [`posted ${path}`, 'Hit'], `${path} at worker ${worker}`)
        }
        assert.equal(gets(path), asked)
      }
    })
  }

  test(`an answer to POST that varies serves the GETs that it is for (${count} workers)`, async (t) => {
    const { edge } = await scenario(
      t,
      count,
      (url, response) => response.writeHead(200, kept(url, VARY)).end('posted with foo 1'),
      VARY,
    )
    for (let at = 0; at < 2 * count; at++) {
      const path = `/page/${at}`
      await edge.get(path, { method: 'POST', body: 'x', worker: at % count, headers: { foo: '1' } })
      for (let worker = 0; worker < count; worker++) {
        assert.equal((await edge.get(path, { worker, headers: { foo: '1' } })).body, 'posted with foo 1')
        assert.match((await edge.get(path, { worker, headers: { foo: '2' } })).body, /^got/)
      }
    }
  })

  test(`a later POST takes the place of what an earlier one left (${count} workers)`, async (t) => {
    let version = 0
    const { edge } = await scenario(t, count, (url, response) =>
      response.writeHead(200, kept(url)).end(`posted ${++version}`),
    )
    for (let at = 0; at < 3 * count; at++) {
      const { body } = await edge.get('/page', { method: 'POST', body: 'x', worker: at % count })
      for (let worker = 0; worker < count; worker++) assert.equal((await edge.get('/page', { worker })).body, body)
    }
  })
}

test('GETs join an answer to POST that is still arriving, also when its viewer leaves', async (t) => {
  const count = 3
  const begun = new Map<string, (response: ServerResponse) => void>()
  const { edge, gets } = await scenario(t, count, (url, response) => {
    response.writeHead(200, kept(url)).write('the first of it, ')
    begun.get(url)?.(response)
  })
  let joined = 0
  for (let at = 0; at < 4 * count; at++) {
    const path = `/page/${at}`
    const worker = at % count
    const responding = new Promise<ServerResponse>((resolve) => begun.set(path, resolve))
    const socket = connect(edge.port(worker), '127.0.0.1').on('error', () => {})
    socket.write(`POST ${path} HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 1\r\n\r\nx`)
    const response = await responding
    await once(socket, 'data')
    const others = Array.from({ length: count }, (_, other) => edge.get(path, { worker: other }))
    socket.resetAndDestroy()
    await edge.get('/other', { worker })
    response.end('the rest')
    const bodies = new Set((await Promise.all(others)).map(({ body }) => body))
    // What the worker owns itself is there for others only when it is whole.
    if (gets(path) === 0) joined++
    assert.deepEqual([...bodies], [gets(path) === 0 ? 'the first of it, the rest' : `got ${path}`])
    assert.ok(gets(path) <= 1, `${gets(path)} fetches of ${path}`)
  }
  assert.ok(joined > 0)
})
