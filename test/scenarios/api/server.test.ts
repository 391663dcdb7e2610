//! The HTTP side of the API: closing, clients that go away, connections that are used again.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { StateError } from '../../../src/state/state-error.ts'
import { anyAuthorization, FORM, send } from '../../support/api-http.ts'
import { startApi, type TestApi } from '../../support/api-server.ts'

const WHO_AM_I = 'Action=GetCallerIdentity&Version=2011-06-15'
const whoAmI = (server: TestApi) =>
  send(server.port, { method: 'POST', headers: { ...FORM, ...anyAuthorization('sts') }, body: WHO_AM_I })

/** A server with one operation that ends when the test says so. */
async function startSlowApi() {
  const begun = Promise.withResolvers<void>()
  const end = Promise.withResolvers<void>()
  const server = await startApi({
    services: {
      cloudfront: {},
      elasticache: {
        DescribeEvents: async () => {
          begun.resolve()
          await end.promise
          return { Events: [] }
        },
      },
    },
  })
  const body = 'Action=DescribeEvents&Version=2015-02-02'
  const headers = { ...FORM, ...anyAuthorization('elasticache') }
  return { server, begun: begun.promise, end: end.resolve, slow: { method: 'POST', headers, body } }
}

describe('the API server', () => {
  test('says that the state cannot be used, and of a defect nothing but where to look', async () => {
    const answers: Error[] = [new StateError('The state x.db cannot be used: the disk is full.'), new Error('hush')]
    const server = await startApi({
      services: {
        cloudfront: {},
        elasticache: {
          DescribeEvents: async () => {
            throw answers.shift()
          },
        },
      },
    })
    const headers = { ...FORM, ...anyAuthorization('elasticache') }
    const ask = () => send(server.port, { method: 'POST', headers, body: 'Action=DescribeEvents&Version=2015-02-02' })
    const [full, defect] = [await ask(), await ask()]
    assert.deepEqual([full.status, defect.status], [500, 500])
    assert.match(full.body, /The state x\.db cannot be used: the disk is full\./)
    assert.match(defect.body, /An internal error; the log has it under request id/)
    assert.doesNotMatch(defect.body, /hush/)
    await server.api.close()
  })

  test('close lets a running call end and takes no new one', async () => {
    const { server, begun, end, slow } = await startSlowApi()
    const answer = send(server.port, slow)
    await begun
    const closed = server.api.close()
    await assert.rejects(whoAmI(server), { code: 'ECONNREFUSED' })
    end()
    assert.equal((await answer).status, 200)
    await closed
    await server.api.close()
  })

  test('close does not wait for connections that idle', async () => {
    const server = await startApi()
    const socket = connect(server.port, '127.0.0.1')
    await once(socket, 'connect')
    const agent = new Agent({ keepAlive: true })
    const headers = { ...FORM, ...anyAuthorization('sts') }
    const outgoing = request({ host: '127.0.0.1', port: server.port, method: 'POST', headers, agent }).end(WHO_AM_I)
    const [incoming] = await once(outgoing, 'response')
    incoming.resume()
    await once(incoming, 'end')
    const gone = once(socket, 'close')
    await server.api.close()
    await gone
    agent.destroy()
  })

  test('a client that goes away in the middle of its body, or of its call, harms nobody', async () => {
    const { server, begun, end, slow } = await startSlowApi()
    const half = connect(server.port, '127.0.0.1')
    await once(half, 'connect')
    half.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nAction=')
    assert.equal((await whoAmI(server)).status, 200)
    half.destroy()
    const outgoing = request({ host: '127.0.0.1', port: server.port, ...slow }).end(slow.body)
    outgoing.on('error', () => undefined)
    await begun
    outgoing.destroy()
    end()
    assert.equal((await whoAmI(server)).status, 200)
    await server.api.close()
    assert.ok(
      server.log.every((line) => line.event === 'api-call'),
      server.rawLog.join('\n'),
    )
  })

  test('an answer without a body has neither length nor type', async () => {
    const server = await startApi({
      services: { cloudfront: { DeleteDistribution: async () => ({}) }, elasticache: {} },
    })
    const headers = anyAuthorization('cloudfront')
    const answer = await send(server.port, { method: 'DELETE', path: '/2020-05-31/distribution/E1', headers })
    assert.equal(answer.status, 204)
    assert.deepEqual(
      [answer.headers['content-length'], answer.headers['content-type'], answer.body],
      [undefined, undefined, ''],
    )
    assert.equal(answer.headers['x-amzn-requestid'], server.log[0]?.requestId)
    await server.api.close()
  })

  test('an output that does not fit the model is a defect, told to the log', async () => {
    const operations = { GetDistribution: async () => ({ Distribution: { LastModifiedTime: { not: 'a date' } } }) }
    const server = await startApi({ services: { cloudfront: operations, elasticache: {} } })
    const headers = anyAuthorization('cloudfront')
    const answer = await send(server.port, { path: '/2020-05-31/distribution/E1', headers })
    assert.deepEqual([answer.status, answer.code], [500, 'InternalFailure'])
    assert.match(answer.body, /<Type>Receiver<\/Type>/)
    assert.deepEqual(
      server.log.map((line) => line.event),
      ['api-defect', 'api-call'],
    )
    await server.api.close()
  })

  test('what is not HTTP gets 400, a head that is too large 431', async () => {
    const server = await startApi()
    const status = async (text: string) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write(text))
      const [chunk] = await once(socket, 'data')
      socket.destroy()
      return String(chunk).slice(0, 12)
    }
    assert.equal(await status('hello\r\n\r\n'), 'HTTP/1.1 400')
    assert.equal(await status(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`), 'HTTP/1.1 431')
    await server.api.close()
  })
})
