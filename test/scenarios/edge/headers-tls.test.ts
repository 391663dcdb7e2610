//! CloudFront-Viewer-TLS and what else of 6.3 tells a viewer over HTTPS apart, at a real edge: the handshake of the
//! viewer's connection, also where another worker asks the origin.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, cachePolicy, distributionDoc, EdgeScenario, HOST, NONE } from '../../support/edge-scenario.ts'

const behaviors = [
  behaviorDoc({
    cachePolicy: cachePolicy({ headers: { behavior: 'whitelist', names: ['cloudfront-forwarded-proto'] } }),
    originRequestPolicy: {
      ...{ id: 'orp', cookies: NONE, queryStrings: NONE },
      headers: { behavior: 'whitelist', names: ['cloudfront-viewer-tls'] },
    },
  }),
]

/** One answer on a connection that stays open. */
async function ask(socket: TLSSocket, path: string): Promise<void> {
  let got = ''
  const read = (bytes: Buffer): void => {
    got += bytes.toString('latin1')
  }
  socket.on('data', read)
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
  while (!/\r\n\r\nx$/.test(got)) await once(socket, 'data')
  socket.off('data', read)
  assert.match(got, /^HTTP\/1\.1 200 /)
}

for (const count of [1, 3]) {
  test(`a full handshake, a used connection, a resumed session, ${count === 1 ? 'one worker' : 'three workers'}`, async (t) => {
    const origin = await startOrigin((_asked, response) => response.end('x'))
    t.after(() => origin.close())
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors })], { count })
    const ca = await edge.trust()
    const open = async (options: ConnectionOptions = {}): Promise<TLSSocket> => {
      const socket = connect({ host: '127.0.0.1', port: edge.httpsPort(), servername: HOST, ca, ...options })
      await once(socket, 'secureConnect')
      return socket
    }
    const told = (path: string) => origin.asked.find(({ url }) => url === path)?.headers
    const sessions: Buffer[] = []
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const limits = { minVersion: version, maxVersion: version }
      const first = await open(limits)
      await ask(first, `/${version}/0`)
      for (let at = 1; at < 6; at++) await ask(first, `/${version}/${at}`)
      const cipher = version === 'TLSv1.2' ? first.getCipher().name : first.getCipher().standardName
      sessions.push(first.getSession() ?? assert.fail('no session'))
      first.destroy()
      assert.equal(told(`/${version}/0`)?.['cloudfront-viewer-tls'], `${version}:${cipher}:fullHandshake`)
      for (let at = 1; at < 6; at++) {
        assert.equal(told(`/${version}/${at}`)?.['cloudfront-viewer-tls'], `${version}:${cipher}:connectionReused`)
      }
      const again = await open({ ...limits, session: sessions.at(-1) as Buffer })
      assert.equal(again.isSessionReused(), true)
      await ask(again, `/${version}/again`)
      again.destroy()
      assert.equal(told(`/${version}/again`)?.['cloudfront-viewer-tls'], `${version}:${cipher}:sessionResumed`)
      assert.equal(told(`/${version}/again`)?.['cloudfront-forwarded-proto'], 'https')
    }
    // Over plain HTTP there is none, and the key says which it was.
    assert.equal((await edge.get('/TLSv1.3/0')).xCache, 'Miss')
    const plain = origin.asked.findLast(({ url }) => url === '/TLSv1.3/0')?.headers
    assert.deepEqual([plain?.['cloudfront-viewer-tls'], plain?.['cloudfront-forwarded-proto']], [undefined, 'http'])
  })
}
