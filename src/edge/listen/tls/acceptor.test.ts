//! What is no good TLS ends its own connection, with an alert where one would be understood, and no other. Compared with
//! Node's own TLS server, which reads the same bytes.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { connect, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { selfSigned, TestAuthority } from '../../../../test/support/certificates.ts'
import { alpn, extension, helloMessage, inRecords, serverName } from '../../../../test/support/client-hello.ts'
import { acceptorOf } from '../../../../test/support/tls-acceptor.ts'
import { readClientHello } from './client-hello.ts'

const portOf = (server: Server): number => (server.address() as { port: number }).port
const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return portOf(server)
}

describe('the TLS acceptor', () => {
  const servers: Server[] = []
  let ours = 0
  let nodes = 0
  let hello: Buffer = Buffer.alloc(0)
  let witness: TLSSocket
  const opened = new Set<Socket>()

  before(async () => {
    const { key, cert } = await (await TestAuthority.make()).issue({ names: ['localhost'] })
    const acceptor = acceptorOf({ key, certificate: cert }, { policy: 'TLSv1.2_2021' })
    const accepting = createServer({ allowHalfOpen: true }, (socket) => {
      opened.add(socket)
      socket.once('close', () => opened.delete(socket))
      // As connection.ts does with what comes from TLS.
      acceptor.accept(socket, { lenient: true }, (secured) => {
        secured.on('error', () => secured.destroy())
        secured.on('data', (bytes: Buffer) => secured.write(bytes))
        secured.on('end', () => setImmediate(() => secured.end('over')))
      })
    })
    const plain = createTlsServer({ key, cert, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] }, (socket) => {
      socket.on('error', () => {})
    })
    servers.push(accepting, plain)
    ;[ours, nodes] = [await listen(accepting), await listen(plain)]
    hello = await helloOfNode()
    witness = connect({ port: ours, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false })
    await once(witness, 'secureConnect')
  })
  after(() => {
    witness.destroy()
    for (const socket of opened) socket.destroy()
    for (const server of servers) server.close()
  })

  /** The first flight of a viewer of Node's. */
  async function helloOfNode(): Promise<Buffer> {
    const first = Promise.withResolvers<Buffer>()
    const server = createServer((socket) => socket.once('data', (bytes: Buffer) => first.resolve(bytes)))
    const port = await listen(server)
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ALPNProtocols: ['http/1.1'] })
    socket.on('error', () => {})
    const bytes = await first.promise
    socket.destroy()
    server.close()
    return bytes
  }

  /** What a server answers: the first record by its type, and of an alert what; `closed` for nothing. */
  function answerTo(port: number, bytes: Buffer, cut: number[] = [], ends = false): Promise<string> {
    return new Promise((resolve) => {
      const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true })
      let got = Buffer.alloc(0)
      socket.on('error', () => {})
      socket.on('data', (more: Buffer) => {
        got = Buffer.concat([got, more])
        if (got.length < 7) return
        resolve(got[0] === 22 ? 'handshake' : got[0] === 21 ? `alert ${got[6]}` : `type ${got[0]}`)
        socket.destroy()
      })
      socket.on('close', () => resolve('closed'))
      socket.once('connect', async () => {
        let from = 0
        for (const to of [...cut, bytes.length]) {
          socket.write(bytes.subarray(from, to))
          from = to
          await new Promise(setImmediate)
        }
        // Who waits for more has no more to wait for.
        if (ends) socket.end()
      })
    })
  }

  async function witnessAnswers(): Promise<void> {
    const echo = once(witness, 'data')
    witness.write('still here')
    assert.equal(String((await echo)[0]), 'still here')
  }

  it('answers a ClientHello in whatever pieces it comes', async () => {
    assert.equal(await answerTo(ours, hello), 'handshake')
    assert.equal(await answerTo(ours, hello, [1, 2, 3, 4, 5, 6, 9, 10, 80, 81, hello.length - 1]), 'handshake')
    assert.equal(await answerTo(ours, inRecords(hello.subarray(5), 20), [7, 26, 27, 100]), 'handshake')
    await witnessAnswers()
  })

  const rows: readonly (readonly [what: string, bytes: () => Buffer, outcome: string])[] = [
    ['plain HTTP', () => Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), 'closed'],
    ['noise', () => Buffer.from(Array.from({ length: 600 }, (_, at) => (at * 89 + 7) & 255)), 'closed'],
    ['an SSL 2 hello', () => Buffer.from([0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10]), 'closed'],
    ['a ClientHello that breaks the syntax', () => inRecords(helloMessage({ trailing: Buffer.alloc(3) })), 'alert 50'],
    [
      'one with two server names',
      () => inRecords(helloMessage({ extensions: [serverName('a'), serverName('b')] })),
      'alert 50',
    ],
    [
      'one over the limit',
      () => inRecords(helloMessage({ extensions: [extension(21, Buffer.alloc(17_000))] })),
      'alert 22',
    ],
    ['another message first', () => inRecords(Buffer.from([2, 0, 0, 4, 3, 3, 0, 0])), 'alert 50'],
    ['no protocol in common', () => inRecords(helloMessage({ version: 0x0301, cipherSuites: [0x2f] })), 'alert 70'],
    ['no cipher in common', () => inRecords(helloMessage({ cipherSuites: [0x0a] })), 'alert 40'],
    ['no application protocol in common', () => withAlpn('spdy/3.1'), 'alert 120'],
  ]
  for (const [what, bytes, outcome] of rows) {
    it(`${what}: ${outcome}`, async () => {
      assert.equal(await answerTo(ours, bytes()), outcome)
      await witnessAnswers()
    })
  }

  it('a certificate that cannot be used is said once, however many viewers come for it', async () => {
    const said: string[] = []
    const { key } = await selfSigned({ names: ['localhost'] })
    const { cert } = await selfSigned({ names: ['localhost'] })
    const acceptor = acceptorOf({ key, certificate: cert }, { problem: (text) => said.push(text) })
    const server = createServer((socket) =>
      acceptor.accept(socket, { lenient: true }, () => assert.fail('it was secured')),
    )
    servers.push(server)
    const port = await listen(server)
    for (let run = 0; run < 3; run++) assert.equal(await answerTo(port, hello), 'alert 80')
    assert.equal(said.length, 1)
    assert.match(said[0]!, /^the certificate test cannot be used: ERR_/)
    assert.doesNotMatch(said[0]!, /PRIVATE KEY/)
  })

  it('half a ClientHello ends with the viewer', async () => {
    const before = opened.size
    const socket = connectTcp({ port: ours, host: '127.0.0.1' })
    socket.write(hello.subarray(0, 100))
    while (opened.size === before) await new Promise(setImmediate)
    socket.end()
    await once(socket.resume(), 'close')
    while (opened.size > before) await new Promise(setImmediate)
    await witnessAnswers()
  })

  it('half a handshake ends with the viewer, at once', async () => {
    const before = opened.size
    for (const isAnswered of [false, true]) {
      const socket = connectTcp({ port: ours, host: '127.0.0.1' })
      socket.write(hello)
      while (opened.size === before) await new Promise(setImmediate)
      if (isAnswered) await once(socket, 'data')
      socket.end()
      await once(socket.resume(), 'close')
      while (opened.size > before) await new Promise(setImmediate)
    }
    await witnessAnswers()
  })

  it('a viewer that has ended its side after the handshake is still answered', async () => {
    const viewer = connect({ port: ours, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false })
    await once(viewer, 'secureConnect')
    viewer.end()
    assert.equal((await viewer.toArray()).join(''), 'over')
  })

  it('a bad record after the handshake ends its own connection', async () => {
    const between = Promise.withResolvers<Socket>()
    const relay = createServer((viewer) => {
      const edge = connectTcp({ port: ours, host: '127.0.0.1' })
      for (const end of [viewer, edge]) end.on('error', () => {})
      viewer.pipe(edge).pipe(viewer)
      between.resolve(edge)
    })
    servers.push(relay)
    const socket = connect({ port: await listen(relay), servername: 'localhost', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    socket.on('error', () => {})
    // Application data that nobody has sealed.
    const edge = await between.promise
    edge.write(Buffer.concat([Buffer.from([23, 3, 3, 0, 40]), Buffer.alloc(40, 1)]))
    await new Promise((resolve) => socket.once('close', resolve))
    await witnessAnswers()
  })

  it("answers as Node's own server does, whatever byte of a ClientHello is another one", async () => {
    let seed = 42
    const next = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return seed % below
    }
    const differences: string[] = []
    for (let run = 0; run < 120; run++) {
      const bytes = Buffer.from(hello)
      const at = next(bytes.length)
      bytes[at] = next(256)
      const [mine, theirs] = await Promise.all([answerTo(ours, bytes, [], true), answerTo(nodes, bytes, [], true)])
      const isStricter = readClientHello(bytes).kind === 'refused' && theirs !== 'handshake'
      if (mine !== theirs && !isStricter && (mine === 'handshake' || theirs === 'handshake')) {
        differences.push(`byte ${at} as ${bytes[at]}: ${mine}, Node ${theirs}`)
      }
    }
    assert.deepEqual(differences, [])
    await witnessAnswers()
  })

  /** Node's ClientHello with another protocol, of eight letters as `http/1.1`. */
  const withAlpn = (protocol: string): Buffer => {
    const changed = Buffer.from(hello)
    const at = hello.indexOf(alpn('http/1.1'))
    assert.ok(at > 0 && protocol.length === 8)
    alpn(protocol).copy(changed, at)
    return changed
  }
})
