//! Answers of the installation's own routes that are made while they are sent.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { type TestContext, test } from 'node:test'
import type { LocalRoute } from '../../../src/services/cachefront/local-route.ts'
import { startApi } from '../../support/api-server.ts'

const LINE = `${'x'.repeat(64 * 1024)}\n`

async function open(t: TestContext, pieces: (made: () => void) => AsyncGenerator<string>) {
  const ended = Promise.withResolvers<void>()
  let made = 0
  const route: LocalRoute = {
    method: 'GET',
    path: '/_cachefront/lines',
    run: async () => ({
      status: 200,
      contentType: 'application/x-ndjson',
      body: (async function* () {
        try {
          yield* pieces(() => made++)
        } finally {
          ended.resolve()
        }
      })(),
    }),
  }
  const server = await startApi({ localRoutes: [route] })
  t.after(() => server.api.close())
  const ask = async (method = 'GET'): Promise<IncomingMessage> => {
    const call = request(`${server.url}/_cachefront/lines`, { method, agent: false }).end()
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    return response
  }
  return { ask, ended: ended.promise, made: () => made, log: server.rawLog }
}

async function* endless(made: () => void): AsyncGenerator<string> {
  for (;;) {
    made()
    yield LINE
  }
}

test('what is made comes, whole', async (t) => {
  const { ask } = await open(t, async function* (made) {
    for (const piece of ['a\n', 'b\n']) {
      made()
      yield piece
    }
  })
  const response = await ask()
  assert.equal(response.headers['content-type'], 'application/x-ndjson')
  assert.equal((await response.setEncoding('utf8').toArray()).join(''), 'a\nb\n')
})

test('a slow client is waited for; when it leaves, the making ends', async (t) => {
  const { ask, ended, made } = await open(t, endless)
  const response = await ask()
  response.pause()
  let before = -1
  while (before !== made()) {
    before = made()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.ok(made() < 1_000, `${made()} pieces for nobody`)
  response.destroy()
  await ended
})

test('HEAD makes nothing', async (t) => {
  const { ask, made } = await open(t, endless)
  const response = await ask('HEAD')
  assert.deepEqual([response.statusCode, made()], [200, 0])
  response.resume()
})

test('what fails on the way breaks the answer off and stands in the log', async (t) => {
  const { ask, log } = await open(t, async function* () {
    yield 'a\n'
    throw new Error('the state is gone')
  })
  const response = await ask()
  await assert.rejects(response.toArray())
  assert.ok(log.some((line) => line.includes('api-stream-broken') && line.includes('the state is gone')))
})
