//! The demo's visitors against a server of the test: never more connections than they may have, a popular few products,
//! and every answer counted for the tier that gave it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Visitors } from './visitors.ts'

const PRODUCTS = 1_000

async function visit(requests: number, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen = { connections: 0, hosts: new Set<string>(), paths: [] as string[] }
  const server = createServer((request, response) => {
    seen.hosts.add(String(request.headers.host))
    seen.paths.push(String(request.url))
    answer(request, response)
  })
  server.on('connection', () => seen.connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const edge = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const visitors = new Visitors({ edge, host: 'shop.example', connections: 3, products: PRODUCTS, seed: 1 })
  try {
    return { seen, samples: await visitors.visit((sent) => sent < requests) }
  } finally {
    await visitors.close()
    server.close()
  }
}

test('as many requests as asked for, over no more connections, to the distribution by its name', async () => {
  const { seen, samples } = await visit(200, (_, response) => response.end('ok'))
  assert.equal(samples.length, 200)
  assert.equal(seen.paths.length, 200)
  assert.ok(seen.connections <= 3)
  assert.deepEqual([...seen.hosts], ['shop.example'])
})

test('popular products are asked for most', async () => {
  const { seen } = await visit(2_000, (_, response) => response.end())
  const ids = seen.paths.flatMap((path) => /\/products\/(\d+)$/.exec(path)?.[1] ?? []).map(Number)
  const top = ids.filter((id) => id <= 10).length / ids.length
  // The first ten of a thousand have 39 % of the weight.
  assert.ok(top > 0.3 && top < 0.5, `the first ten products got ${top}`)
  assert.ok(ids.every((id) => id >= 1 && id <= PRODUCTS))
})

test('who answered is read from the headers; an error is an error', async () => {
  const { samples } = await visit(300, (request, response) => {
    if (request.url === '/') return void response.writeHead(502).end()
    if (request.url?.startsWith('/assets/')) return void response.end()
    if (request.url?.startsWith('/api/')) response.setHeader('X-Tier', 'elasticache')
    // A hit carries the tier that was stored with the page.
    else response.setHeader('X-Tier', 'database').setHeader('X-Cache', 'Hit from cloudfront')
    response.end()
  })
  const tiers = new Set(samples.map((sample) => sample.answeredBy))
  assert.deepEqual([...tiers].sort(), ['bucket', 'edge hit', 'elasticache', 'error'].sort())
})
