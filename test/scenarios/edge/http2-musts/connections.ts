//! RFC 9113 sections 9 (connections, TLS) and 10 (security), as far as frames and handshakes show them. Limits against abuse
//! have a scenario of their own (http2-abuse.test.ts).
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { handClock } from '../../../support/hand-clock.ts'
import { data, FLAG, headers, reset, TYPE } from '../../../support/http2-frames.ts'
import { block, literal } from '../../../support/http2-hpack.ts'
import { type OurServer, startHttp2Server } from '../../../support/http2-server.ts'
import { Http2Wire, request, requestFields } from '../../../support/http2-wire.ts'
import { type AnyRow, answered, connectionError, ended, malformed, other, row, watched } from './row.ts'

async function handshake({ port, ca }: OurServer, options: ConnectionOptions): Promise<TLSSocket | null> {
  const socket = connectTls({ host: '127.0.0.1', port, ca, servername: 'localhost', ALPNProtocols: ['h2'], ...options })
  try {
    await once(socket, 'secureConnect')
    socket.on('error', () => {})
    return socket
  } catch {
    return null
  }
}

/** Of one handshake: the protocol, cipher and ALPN that it came to; null for none. */
async function agreed(server: OurServer, options: ConnectionOptions): Promise<string | null> {
  const socket = await handshake(server, options)
  const told =
    socket === null ? null : `${socket.getProtocol()} ${socket.getCipher().standardName} ${socket.alpnProtocol}`
  socket?.destroy()
  return told
}

const CONNECTIONS: readonly AnyRow[] = [
  {
    section: '9.1',
    must: 'GOAWAY comes before the end of a connection: of one that nobody uses',
    run: async () => {
      const clock = handClock()
      const server = await startHttp2Server({ idleMs: 1_000 }, clock)
      try {
        const wire = await Http2Wire.connect(server)
        wire.start([], request(1))
        await wire.answered(1)
        await wire.pong()
        clock.forward(1_001)
        await wire.ended()
        assert.deepEqual(wire.goaway, { last: 1, code: 0 })
        assert.deepEqual(wire.observer.breaches, [])
        wire.close()
      } finally {
        await server.close()
      }
    },
  },
  {
    section: '9.1',
    must: 'GOAWAY comes before the end of a connection: when the server stops, and what was asked for is answered',
    run: async () => {
      const server = await startHttp2Server()
      const wire = await Http2Wire.connect(server)
      wire.start([], request(1, '/hold'))
      await wire.pong()
      const drained = server.drain()
      await wire.until(() => wire.goaway !== null, 'GOAWAY')
      assert.equal(wire.goaway?.code, 0)
      for (const reply of server.waiting) reply.whole('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n', Buffer.from('ok'), null)
      assert.equal((await wire.answered(1)).body.toString(), 'ok')
      await wire.ended()
      await drained
      assert.ok(wire.frames.some(({ type }) => type === TYPE.GOAWAY))
      assert.deepEqual(wire.goaway, { last: 1, code: 0 })
      assert.deepEqual(wire.observer.breaches, [])
      wire.close()
    },
  },
  other('9.1', 'clients open one connection to a server', 'of clients'),
  other('9.1.1', 'connections may be used for other authorities; 421 says where not', 'decided per request behind the listener: test/scenarios/edge has 421'),
  {
    section: '9.2',
    must: 'HTTP/2 is spoken with TLS 1.2 and newer alone',
    run: async (server) => {
      assert.match((await agreed(server, {})) ?? '', /^TLSv1\.3 .* h2$/)
      assert.match((await agreed(server, { maxVersion: 'TLSv1.2' })) ?? '', /^TLSv1\.2 .* h2$/)
      const old = await agreed(server, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
      assert.doesNotMatch(old ?? '', /h2$/)
    },
  },
  other('9.2', 'Server Name Indication is supported', 'every row names a server; names and certificates are in https.test.ts'),
  other('9.2.1', 'TLS compression is disabled', "OpenSSL of Node is built without it"),
  {
    section: '9.2.1',
    must: 'renegotiation of TLS 1.2 is not taken: it ends the connection',
    run: async (server) => {
      const socket = await handshake(server, { maxVersion: 'TLSv1.2' })
      assert.ok(socket !== null)
      const over = once(socket.resume(), 'close')
      const outcome = await Promise.race([
        over.then(() => 'ended'),
        new Promise((resolve) => socket.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error === null ? 'done' : 'refused'))),
      ])
      assert.notEqual(outcome, 'done')
      await over
    },
  },
  {
    section: '9.2.2',
    must: 'TLS 1.2 with ECDHE and AES-128-GCM on P-256 works, and ciphers of the prohibited list are not used for h2',
    run: async (server) => {
      const one = await agreed(server, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256', ecdhCurve: 'P-256' })
      assert.match(one ?? '', /^TLSv1\.2 TLS_ECDHE_(?:ECDSA|RSA)_WITH_AES_128_GCM_SHA256 h2$/)
      for (const ciphers of ['AES128-SHA', 'AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384'])
        assert.doesNotMatch((await agreed(server, { maxVersion: 'TLSv1.2', ciphers })) ?? '', /h2$/, ciphers)
    },
  },
  other('9.2.3', 'no CertificateRequest after a TLS 1.3 handshake', 'client certificates are asked for in the handshake or not at all'),
] // biome-ignore format: a table

const huge = (bytes: number): Buffer => block(...requestFields('/', 'GET', [['x-large', 'v'.repeat(bytes)]]))
const cut = (stream: number, bytes: Buffer): Buffer[] => {
  const parts = Array.from({ length: Math.ceil(bytes.length / 16_000) }, (_, at) =>
    bytes.subarray(at * 16_000, (at + 1) * 16_000),
  )
  return parts.map((part, at) => {
    const last = at === parts.length - 1 ? FLAG.END_HEADERS : 0
    const head = Buffer.from([
      part.length >> 16,
      part.length >> 8,
      part.length,
      at === 0 ? 1 : 9,
      last | (at === 0 ? 1 : 0),
      0,
      0,
      0,
      stream,
    ])
    return Buffer.concat([head, part])
  })
}
const SECURITY: readonly AnyRow[] = [
  other('10.1', 'authority of a server', 'of clients'),
  other('10.2', 'cross-protocol attacks', 'ALPN is required: rows of 3.2'),
  row('10.3', 'names and values that another protocol would take for more than one are malformed', [
    headers(1, Buffer.concat([block(...requestFields()), literal('x', 'a\r\nhost: other.example\r\n')])),
  ], malformed()),
  watched('10.3', 'what is sent has none of them either', 'field-values'),
  other('10.4', 'cacheability of pushed answers', 'nothing is pushed'),
  row('10.5', 'limits are kept and the connection goes on where they can be kept for one stream', [
    ...Array.from({ length: 20 }, (_, at) => [request(2 * at + 1, '/hold'), reset(2 * at + 1)]).flat(), request(101),
  ], answered(101)),
  // 494 is what CloudFront answers to a request whose headers are over its limit; 431 of RFC 6585 says the same.
  row('10.5.1', 'a header section over the limit is refused, and the table is kept', [...cut(1, huge(40_000)), request(3)], answered(1, 494, null), answered(1, 431, null), malformed()),
  row('10.5.1', 'one far over it ends the connection or is refused', [...cut(1, huge(300_000))], connectionError('ENHANCE_YOUR_CALM', 'PROTOCOL_ERROR'), answered(1, 494, null), answered(1, 431, null), ended),
  row('10.5.1', 'one below it is answered', [...cut(1, huge(30_000))], answered()),
  row('10.5.1', 'a target over the limit is refused with 414', [request(1, `/${'a'.repeat(8_192)}`)], answered(1, 414, null)),
  other('10.5.2', 'limits of CONNECT', 'there is no CONNECT'),
  other('10.6', 'compression of secrets together with what others choose', 'advice about contents; the encoder keeps no secret of one viewer for another: each connection has its own'),
  other('10.7', 'padding hides lengths', 'the server does not pad, and takes padding: rows of 6.1 and 6.2'),
  other('10.8', 'privacy', 'about clients and logs; no requirement on frames'),
  other('10.9', 'timing of remote answers', 'no requirement'),
  row('10.5', 'a body that nobody reads does not hold up other streams', [
    headers(1, block(...requestFields('/hold', 'POST')), FLAG.END_HEADERS), ...Array.from({ length: 3 }, () => data(1, Buffer.alloc(16_000))), request(3),
  ], answered(3)),
  row('10.5', 'a request that asks for everything at once and reads nothing does not hold up other streams', [request(1, '/size/10000000'), request(3, '/status/204')], answered(3, 204, '')),
] // biome-ignore format: a table

export const CONNECTION_RULES: readonly AnyRow[] = [...CONNECTIONS, ...SECURITY]
