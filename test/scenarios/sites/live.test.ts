//! Answers that do not end: an EventSource gets each event as it is sent, a WebSocket talks, both of a real browser; a
//! viewer that leaves is gone for the origin too; long polling waits.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { WebSocketServer } from 'ws'
import { browserIsMissing, startBrowser } from '../../support/browser.ts'
import { ALL_VIEWER, CACHING_DISABLED, startSite } from '../../support/site.ts'

test('server-sent events, long polling and WebSocket in a browser', {
  skip: browserIsMissing,
  timeout: 120_000,
}, async (t) => {
  const streams: ServerResponse[] = []
  const polls: ServerResponse[] = []
  const server = createServer((request, response) => {
    if (request.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
      response.write(`id: 1\ndata: first\n\n`)
      streams.push(response)
      server.emit('stream', request.headers['last-event-id'])
    } else if (request.url === '/poll') {
      polls.push(response)
      server.emit('poll')
    } else response.setHeader('content-type', 'text/html').end('<!doctype html><title>live</title>')
  })
  const wss = new WebSocketServer({ server, path: '/socket' })
  wss.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    for (const client of wss.clients) client.terminate()
    server.close()
  })
  const { secureUrl } = await startSite(t, (server.address() as AddressInfo).port, (config) => ({
    ...config,
    DefaultCacheBehavior: {
      ...config.DefaultCacheBehavior!,
      CachePolicyId: CACHING_DISABLED,
      OriginRequestPolicyId: ALL_VIEWER,
      Compress: true,
    },
  }))
  const browser = await startBrowser()
  t.after(() => browser.close())
  const tab = await browser.newPage({ ignoreHTTPSErrors: true })
  await tab.goto(`${secureUrl}/`)
  // Collected from the first on, so that none comes before somebody waits for it.
  await tab.evaluate(`{
    const got = []
    const waiting = []
    const take = (event) => (waiting.length > 0 ? waiting.shift()(event.data) : got.push(event.data))
    window.next = () => new Promise((resolve) => (got.length > 0 ? resolve(got.shift()) : waiting.push(resolve)))
    window.source = new EventSource('/events')
    source.onmessage = take
    source.addEventListener('tick', take)
  }`)
  const next = () => tab.evaluate('next()')
  assert.equal(await next(), 'first')
  for (const word of ['second', 'third']) {
    // The next is sent only when this one has come: nothing gathers on the way.
    streams[0]?.write(`event: tick\nid: ${word}\ndata: ${word}\n\n`)
    assert.equal(await next(), word)
  }
  // The origin breaks off: the browser comes again and says what it had.
  const again = once(server, 'stream')
  streams[0]?.destroy()
  assert.deepEqual(await again, ['third'])
  const closed = once(streams[1] as ServerResponse, 'close')
  await tab.evaluate('source.close()')
  await closed

  const polled = once(server, 'poll')
  const answer = tab.evaluate("fetch('/poll').then((response) => response.text())")
  await polled
  polls[0]?.end('news')
  assert.equal(await answer, 'news')

  const said = await tab.evaluate(`new Promise((resolve, reject) => {
    const socket = new WebSocket(location.origin.replace('https', 'wss') + '/socket')
    socket.onerror = () => reject(new Error('the socket failed'))
    socket.onopen = () => socket.send('hello '.repeat(1000))
    socket.onmessage = (event) => { resolve([event.data.length, socket.extensions]); socket.close() }
  })`)
  assert.deepEqual(said, [6005, ''])
})
