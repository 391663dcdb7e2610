import assert from 'node:assert/strict'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { type ConnectionOptions, connect } from 'node:tls'
import fc from 'fast-check'
import {
  alpn,
  extension,
  groups,
  helloMessage,
  inRecords,
  serverName,
  signatureSchemes,
  vector16,
  versions,
} from '../../../../test/support/client-hello.ts'
import { type ClientHello, type Codes, HELLO_BYTES_MAX, type HelloOutcome, readClientHello } from './client-hello.ts'

const PSK = (identity: Buffer): Buffer =>
  extension(41, Buffer.concat([vector16(Buffer.concat([vector16(identity), Buffer.alloc(4)])), Buffer.alloc(35)]))
const WHOLE = helloMessage({
  extensions: [
    extension(0x0a0a, Buffer.alloc(0)),
    serverName('WWW.Example.com'),
    alpn('h2', 'http/1.1'),
    groups(0x11ec, 29, 23),
    signatureSchemes(0x0403, 0x0804),
    versions(0x5a5a, 0x0304, 0x0303),
    PSK(Buffer.alloc(64, 'k')),
  ],
})

const read = (bytes: Buffer): HelloOutcome => readClientHello(bytes)

function hello(bytes: Buffer): ClientHello {
  const outcome = read(bytes)
  assert.ok(outcome.kind === 'hello', JSON.stringify(outcome))
  return outcome.hello
}

/** The codes that the tests send, as lists. */
const codesIn = (codes: Codes | null): number[] | null =>
  codes === null
    ? null
    : [0x0a0a, 0x1301, 0xc02b, 0x2f, 0x0403, 0x0804, 0x11ec, 29, 23].filter((code) => codes.includes(code))
const facts = (read: ClientHello) => ({
  ...read,
  cipherSuites: codesIn(read.cipherSuites),
  signatureSchemes: codesIn(read.signatureSchemes),
  groups: codesIn(read.groups),
})

/** In one word. */
function wordOf(bytes: Buffer): string {
  const outcome = read(bytes)
  return outcome.kind === 'refused' ? outcome.fault : outcome.kind
}

describe('the ClientHello', () => {
  it('is read as far as it decides who answers', () => {
    assert.deepEqual(facts(hello(inRecords(WHOLE))), {
      serverName: 'www.example.com',
      protocols: ['h2', 'http/1.1'],
      newest: 0x0304,
      cipherSuites: [0x1301, 0xc02b],
      signatureSchemes: [0x0403, 0x0804],
      groups: [0x11ec, 29, 23],
      ticketKeyName: Buffer.alloc(16, 'k'),
    })
    const old = facts(hello(inRecords(helloMessage({ version: 0x0301, cipherSuites: [0x2f], extensions: null }))))
    const none = { signatureSchemes: null, groups: null, ticketKeyName: null }
    assert.deepEqual(old, { serverName: null, protocols: [], newest: 0x0301, cipherSuites: [0x2f], ...none })
    assert.equal(hello(inRecords(helloMessage({ extensions: [] }))).newest, 0x0303)
    assert.equal(hello(inRecords(helloMessage({ extensions: [extension(35, Buffer.alloc(0))] }))).ticketKeyName, null)
    const ticket = helloMessage({ extensions: [extension(35, Buffer.alloc(160, 't'))] })
    assert.deepEqual(hello(inRecords(ticket)).ticketKeyName, Buffer.alloc(16, 't'))
  })

  it('is read the same however it is cut into records, and says how much is missing however it arrives', () => {
    const expected = facts(hello(inRecords(WHOLE)))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: WHOLE.length }), fc.nat(), (bytes, more) => {
        const wire = inRecords(WHOLE, bytes)
        const cut = more % wire.length
        const outcome = read(wire.subarray(0, cut))
        assert.ok(outcome.kind === 'incomplete')
        // More than there is, and never more than the whole: who waits for it waits neither for ever nor in vain.
        assert.ok(outcome.needed > cut && outcome.needed <= wire.length)
        assert.deepEqual(facts(hello(wire)), expected)
        assert.deepEqual(facts(hello(Buffer.concat([wire, Buffer.from('and what comes next')]))), expected)
      }),
      { numRuns: 200 },
    )
  })

  const rows: readonly (readonly [what: string, bytes: Buffer, word: string])[] = [
    ['nothing yet', Buffer.alloc(0), 'incomplete'],
    ['plain HTTP', Buffer.from('G'), 'not-tls'],
    ['SSL 2', Buffer.from([0x80, 0x2e, 1, 0, 2]), 'not-tls'],
    ['an alert first', Buffer.from([21, 3, 1, 0, 2, 1, 0]), 'not-tls'],
    ['a record of another major version', Buffer.from([22, 2]), 'not-tls'],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0]), 'malformed'],
    ['a record over the limit', Buffer.from([22, 3, 1, 0x40, 1]), 'malformed'],
    ['another message first', inRecords(Buffer.from([2, 0, 0, 1, 0])), 'malformed'],
    ['a message without a body', inRecords(Buffer.from([1, 0, 0, 0])), 'malformed'],
    ['a body of one byte', inRecords(Buffer.from([1, 0, 0, 1, 3])), 'malformed'],
    ['a message over the limit', inRecords(Buffer.from([1, 0, 0x40, 0])), 'too-long'],
    ['a message of 16 MB', inRecords(Buffer.from([1, 0xff, 0xff, 0xff])), 'too-long'],
    [
      'records of one byte',
      inRecords(helloMessage({ extensions: [extension(21, Buffer.alloc(8_000))] }), 1),
      'too-long',
    ],
    ['a session id over 32', inRecords(helloMessage({ sessionId: Buffer.alloc(33) })), 'malformed'],
    ['no cipher', inRecords(helloMessage({ cipherSuites: [] })), 'malformed'],
    ['bytes behind the extensions', inRecords(helloMessage({ trailing: Buffer.alloc(1) })), 'malformed'],
    ['SSL 2 inside', inRecords(helloMessage({ version: 0x0002 })), 'malformed'],
    ['an extension that is cut', inRecords(helloMessage({ extensions: [Buffer.from([0, 0, 0, 9, 1])] })), 'malformed'],
    ['two server names', inRecords(helloMessage({ extensions: [serverName('a'), serverName('b')] })), 'malformed'],
    ['an empty server name', inRecords(helloMessage({ extensions: [serverName('')] })), 'malformed'],
    ['a name with NUL', inRecords(helloMessage({ extensions: [serverName('a\0.b')] })), 'malformed'],
    ['a name over 255', inRecords(helloMessage({ extensions: [serverName('a'.repeat(256))] })), 'malformed'],
    [
      'a name of another type',
      inRecords(helloMessage({ extensions: [extension(0, vector16(Buffer.from([1, 0, 1, 97])))] })),
      'malformed',
    ],
    ['an empty protocol', inRecords(helloMessage({ extensions: [alpn('')] })), 'malformed'],
    ['no protocol at all', inRecords(helloMessage({ extensions: [alpn()] })), 'malformed'],
    ['half a version', inRecords(helloMessage({ extensions: [extension(43, Buffer.from([1, 3]))] })), 'malformed'],
    ['no group', inRecords(helloMessage({ extensions: [groups()] })), 'malformed'],
    ['a PSK without identity', inRecords(helloMessage({ extensions: [extension(41, Buffer.alloc(2))] })), 'malformed'],
  ]
  for (const [what, bytes, word] of rows) it(`${what}: ${word}`, () => assert.equal(wordOf(bytes), word))

  it('has as many bytes as the limit says', () => {
    const room = HELLO_BYTES_MAX - helloMessage({ extensions: [extension(21, Buffer.alloc(0))] }).length
    const fits = helloMessage({ extensions: [extension(21, Buffer.alloc(room))] })
    assert.equal(fits.length, HELLO_BYTES_MAX)
    assert.equal(wordOf(inRecords(fits)), 'hello')
    assert.equal(wordOf(inRecords(fits, 1_000)), 'hello')
    const more = helloMessage({ extensions: [extension(21, Buffer.alloc(room + 1))] })
    assert.equal(wordOf(inRecords(more)), 'too-long')
  })

  it('may be anything: no bytes make the reader throw, or wait for more than a limit', () => {
    const mutated = fc
      .tuple(fc.integer({ min: 0, max: WHOLE.length + 4 }), fc.integer({ min: 0, max: 255 }))
      .map(([at, byte]) => {
        const wire = inRecords(WHOLE)
        wire[at] = byte
        return wire
      })
    const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
    const framed = noise.map((bytes) => inRecords(Buffer.concat([Buffer.from([1, 0, 0, bytes.length]), bytes])))
    fc.assert(
      fc.property(fc.oneof(mutated, noise, framed), (bytes) => {
        const outcome = read(bytes)
        if (outcome.kind === 'incomplete') assert.ok(outcome.needed > bytes.length && outcome.needed < 40_000)
      }),
      { numRuns: 2_000 },
    )
  })

  it("of Node's own client is read as it was meant", async (t) => {
    const first = Promise.withResolvers<Buffer>()
    const server = createServer((socket: Socket) => {
      socket.once('data', (bytes: Buffer) => {
        first.resolve(bytes)
        socket.destroy()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    const { port } = server.address() as { port: number }
    const options: ConnectionOptions = { servername: 'a.example', ALPNProtocols: ['h2', 'http/1.1'] }
    const socket = connect({ ...options, socket: connectTcp(port, '127.0.0.1') })
    socket.on('error', () => {})
    const [got] = await Promise.all([first.promise, new Promise((resolve) => socket.once('close', resolve))])
    const { serverName: name, protocols, newest, groups: shared } = hello(got)
    assert.deepEqual([name, protocols, newest], ['a.example', ['h2', 'http/1.1'], 0x0304])
    assert.ok(shared?.includes(29))
  })
})
