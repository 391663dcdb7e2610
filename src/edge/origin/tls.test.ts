//! What the edge offers an origin: the ClientHello of each setting, read off the wire.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { TestAuthority } from '../../../test/support/certificates.ts'
import { startTlsOrigin } from '../../../test/support/tls-origin.ts'
import { OriginTls, type OriginTlsSettings } from './tls.ts'

/** IANA's numbers of the list of spec/cloudfront.md 7.4, in its order, without DES-CBC3-SHA and RC4-MD5. */
const CIPHERS = {
  'ECDHE-ECDSA-AES256-GCM-SHA384': 0xc02c, 'ECDHE-ECDSA-AES256-SHA384': 0xc024, 'ECDHE-ECDSA-AES256-SHA': 0xc00a,
  'ECDHE-ECDSA-AES128-GCM-SHA256': 0xc02b, 'ECDHE-ECDSA-AES128-SHA256': 0xc023, 'ECDHE-ECDSA-AES128-SHA': 0xc009,
  'ECDHE-RSA-AES256-GCM-SHA384': 0xc030, 'ECDHE-RSA-AES256-SHA384': 0xc028, 'ECDHE-RSA-AES256-SHA': 0xc014,
  'ECDHE-RSA-AES128-GCM-SHA256': 0xc02f, 'ECDHE-RSA-AES128-SHA256': 0xc027, 'ECDHE-RSA-AES128-SHA': 0xc013,
  'AES256-SHA': 0x35, 'AES128-SHA': 0x2f,
} as const // biome-ignore format: a table
const OF_TLS13 = [0x1301, 0x1302, 0x1303]
/** That a renegotiation would be a secure one; no cipher. */
const SCSV = 0xff

const settings: OriginTlsSettings = {
  protocols: undefined,
  servername: 'origin.test',
  domainName: 'origin.test',
  alpn: 'http/1.1',
  clientCertificate: null,
}

/** The body of the ClientHello that a speaker sends. */
async function helloOf(changes: Partial<OriginTlsSettings>): Promise<Hello> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  const secured = new OriginTls().speaker({ ...settings, ...changes }).secure(socket, () => {})
  const [peer] = await accepted
  const [record] = (await once(peer, 'data')) as [Buffer]
  secured.on('error', () => {}).destroy()
  peer.destroy()
  server.close()
  return parsed(record.subarray(9))
}

interface Hello {
  readonly ciphers: number[]
  readonly name: string | null
  readonly alpn: string[]
  readonly versions: number[]
  readonly groups: number[]
}

/** RFC 8446 4.1.2. */
function parsed(body: Buffer): Hello {
  let at = 34 + 1 + (body[34] as number)
  const numbers = (from: number, bytes: number): number[] =>
    Array.from({ length: bytes / 2 }, (_, index) => body.readUInt16BE(from + index * 2))
  const ciphers = numbers(at + 2, body.readUInt16BE(at))
  at += 2 + body.readUInt16BE(at)
  at += 1 + (body[at] as number)
  const end = at + 2 + body.readUInt16BE(at)
  at += 2
  const extensions = new Map<number, { readonly from: number; readonly length: number }>()
  while (at < end) {
    const length = body.readUInt16BE(at + 2)
    extensions.set(body.readUInt16BE(at), { from: at + 4, length })
    at += 4 + length
  }
  const of = (type: number) => extensions.get(type)
  const [name, alpn, versions, groups] = [of(0), of(16), of(43), of(10)]
  return {
    ciphers,
    name: name === undefined ? null : body.toString('latin1', name.from + 5, name.from + name.length),
    alpn: alpn === undefined ? [] : [body.toString('latin1', alpn.from + 3, alpn.from + alpn.length)],
    versions: versions === undefined ? [] : numbers(versions.from + 1, versions.length - 1),
    groups: groups === undefined ? [] : numbers(groups.from + 2, groups.length - 2),
  }
}

test('an origin is offered exactly CloudFront’s ciphers, in CloudFront’s order, its name, and HTTP/1.1', async () => {
  const hello = await helloOf({})
  assert.deepEqual(
    hello.ciphers.filter((cipher) => cipher !== SCSV),
    [...OF_TLS13, ...Object.values(CIPHERS)],
  )
  assert.deepEqual([hello.name, hello.alpn], ['origin.test', ['http/1.1']])
  assert.deepEqual(hello.versions, [0x304, 0x303, 0x302, 0x301])
  assert.deepEqual(hello.groups, [0x17, 0x18, 0x1d])
})

test('a gRPC origin is offered h2 over what HTTP/2 may be spoken over (RFC 9113 9.2)', async () => {
  const hello = await helloOf({ alpn: 'h2' })
  const aead = Object.entries(CIPHERS).filter(([name]) => name.includes('GCM'))
  assert.deepEqual(
    hello.ciphers.filter((cipher) => cipher !== SCSV),
    [...OF_TLS13, ...aead.map(([, number]) => number)],
  )
  assert.deepEqual([hello.alpn, hello.versions], [['h2'], [0x304, 0x303]])
})

for (const [protocols, versions] of [
  [['TLSv1.2'], [0x304, 0x303]],
  [
    ['TLSv1.1', 'TLSv1.2'],
    [0x304, 0x303, 0x302],
  ],
  [
    ['SSLv3', 'TLSv1.2'],
    [0x304, 0x303],
  ],
] as const) {
  test(`OriginSslProtocols ${protocols} offers nothing older`, async () => {
    assert.deepEqual((await helloOf({ protocols })).versions, versions)
  })
}

for (const [servername, sent] of [
  ['127.0.0.1', null],
  ['::1', null],
  ['www.example.com.', 'www.example.com'],
] as const) {
  test(`SNI for ${servername}: ${sent ?? 'none'}`, async () => {
    assert.equal((await helloOf({ servername })).name, sent)
  })
}

test('HTTP/2 over nothing older than TLS 1.2: there is no connection to be made', async () => {
  const speaker = new OriginTls().speaker({ ...settings, alpn: 'h2', protocols: ['TLSv1', 'TLSv1.1'] })
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const socket = connect(1, '127.0.0.1').on('error', () => {})
  speaker.secure(socket, resolve)
  assert.match(String(await promise), /gRPC needs HTTP\/2 over TLS 1.2 or later/)
  socket.destroy()
})

test('a session is resumed until the certificate ends that was verified for it', async (t) => {
  const authority = await TestAuthority.make()
  const origin = await startTlsOrigin(await authority.issue({ names: ['origin.test'], to: 30 }), {
    maxVersion: 'TLSv1.2',
  })
  t.after(() => origin.close())
  let wall = Date.now()
  const speaker = new OriginTls([authority.pem], () => wall).speaker(settings)
  const handshake = async (): Promise<void> => {
    const socket = connect(origin.port, '127.0.0.1')
    await once(socket, 'connect')
    const { promise, resolve } = Promise.withResolvers<unknown>()
    const secured = speaker.secure(socket, resolve)
    assert.equal(await promise, null)
    // The server's side of it is over when it answers.
    secured.write('GET / HTTP/1.1\r\nHost: origin.test\r\nConnection: close\r\n\r\n')
    secured.resume()
    await once(secured, 'close')
  }
  await handshake()
  await handshake()
  wall += 31 * 86_400_000
  await handshake()
  assert.deepEqual(
    origin.handshakes.map(({ resumed }) => resumed),
    [false, true, false],
  )
})
