//! Origins that answer in bad HTTP, by accident or to confuse: what the viewer gets is the answer to its own request or
//! an error, and what is left over on a connection to the origin never answers anybody else. Each row is the reply to one
//! request; after it another viewer asks, for which the origin answers as it should.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import {
  behaviorDoc,
  cachePolicy,
  distributionDoc,
  EdgeScenario,
  HOST,
  originDoc,
} from '../../support/edge-scenario.ts'
import { startWireOrigin } from '../../support/edge-wire-origin.ts'

interface Row {
  readonly name: string
  readonly method?: string
  /** The origin's reply; `<end>` closes the connection. */
  readonly reply: string
  /** What the viewer sees: status and body, or that it was cut. */
  readonly sees: string
}

const OK = (body: string, fields = '') => `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`
const POISON = OK('poison')
const INVALID = '502 page'

const ROWS: readonly Row[] = [
  { name: 'a second answer behind the first', reply: OK('mine') + POISON, sees: '200 mine' },
  { name: 'three answers', reply: OK('mine') + POISON + POISON, sees: '200 mine' },
  { name: 'the beginning of a second answer', reply: `${OK('mine')}HTTP/1.1 200 O`, sees: '200 mine' },
  { name: 'an early hint behind the answer', reply: `${OK('mine')}HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n`, sees: '200 mine' },
  { name: 'a body longer than its length', reply: `HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nminepoison`, sees: '200 mine' },
  { name: 'a body shorter than its length', reply: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nmine<end>', sees: 'cut' },
  { name: 'a length of 0 and a body', reply: `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n${POISON}`, sees: '200 ' },
  { name: 'a body without a length ends with the connection', reply: 'HTTP/1.1 200 OK\r\n\r\nmine<end>', sees: '200 mine' },
  { name: 'two lengths that differ', reply: `HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 0\r\n\r\nmine`, sees: INVALID },
  { name: 'two lengths that agree', reply: `HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nmine`, sees: INVALID },
  { name: 'a list of lengths', reply: `HTTP/1.1 200 OK\r\nContent-Length: 4, 4\r\n\r\nmine`, sees: INVALID },
  { name: 'a length with a sign', reply: `HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\nmine`, sees: INVALID },
  { name: 'a negative length', reply: `HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nmine`, sees: INVALID },
  { name: 'a hexadecimal length', reply: `HTTP/1.1 200 OK\r\nContent-Length: 0x4\r\n\r\nmine`, sees: INVALID },
  { name: 'a length of 2^64 + 4', reply: `HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551620\r\n\r\nmine`, sees: INVALID },
  { name: 'a length and chunks', reply: `HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmine\r\n0\r\n\r\n`, sees: INVALID },
  { name: 'chunks and a length', reply: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n4\r\nmine\r\n0\r\n\r\n`, sees: INVALID },
  { name: 'chunks', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nmine\r\n0\r\nSet-Cookie: poison=1\r\n\r\n', sees: '200 mine' },
  { name: 'chunks and an answer behind them', reply: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmine\r\n0\r\n\r\n${POISON}`, sees: '200 mine' },
  { name: 'a chunk size that is none', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nmine\r\n0\r\n\r\n', sees: 'cut' },
  { name: 'a chunk with a bare LF', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\nmine\r\n0\r\n\r\n', sees: 'cut' },
  { name: 'chunks that break off', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmine\r\n<end>', sees: 'cut' },
  { name: 'a coding that nobody knows ends with the connection', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: foo\r\n\r\nmine<end>', sees: '200 mine' },
  { name: 'a coding that nobody knows, in two lines', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: foo\r\nTransfer-Encoding: bar\r\n\r\nmine<end>', sees: '200 mine' },
  { name: 'a coding that nobody knows, and an answer behind the body', reply: `HTTP/1.1 200 OK\r\nTransfer-Encoding: foo\r\nConnection: keep-alive\r\n\r\nmine${POISON}<end>`, sees: `200 mine${POISON}` },
  { name: 'a coding that nobody knows, and a length', reply: `HTTP/1.1 200 OK\r\nTransfer-Encoding: foo\r\nContent-Length: 4\r\n\r\nmine${POISON}<end>`, sees: INVALID },
  { name: 'a length, and a coding that nobody knows', reply: `HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: foo\r\n\r\nmine${POISON}<end>`, sees: INVALID },
  { name: 'HEAD answered in a coding that nobody knows', method: 'HEAD', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: foo\r\n\r\n<end>', sees: '200 ' },
  { name: 'a coding that nobody knows within chunks', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: foo, chunked\r\n\r\n4\r\nmine\r\n0\r\n\r\n', sees: INVALID },
  { name: 'a coding that nobody knows around chunks', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, foo\r\n\r\n4\r\nmine\r\n0\r\n\r\n<end>', sees: INVALID },
  { name: 'a coding that only looks like chunks', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n4\r\nmine\r\n0\r\n\r\n<end>', sees: INVALID },
  { name: 'chunks behind a vertical tab', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: \x0bchunked\r\n\r\n4\r\nmine\r\n0\r\n\r\n<end>', sees: INVALID },
  { name: 'a coding that leaves an encoded body', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nmine<end>', sees: INVALID },
  { name: 'a coding that leaves an encoded body within chunks', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n4\r\nmine\r\n0\r\n\r\n', sees: INVALID },
  { name: 'chunks twice', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmine\r\n0\r\n\r\n', sees: INVALID },
  { name: '100 Continue that nobody asked for', reply: `HTTP/1.1 100 Continue\r\n\r\n${OK('mine')}`, sees: INVALID },
  { name: 'early hints', reply: `${'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'.repeat(3)}${OK('mine')}`, sees: '200 mine' },
  { name: 'an early hint with a length and a body', reply: `HTTP/1.1 103 Early Hints\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}${OK('mine')}`, sees: '200 poison' },
  { name: 'early hints without end', reply: 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(2_000), sees: INVALID },
  { name: '101 that nobody asked for', reply: `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n${POISON}`, sees: INVALID },
  { name: '101 without Upgrade', reply: `HTTP/1.1 101 Switching Protocols\r\n\r\n${OK('mine')}`, sees: INVALID },
  { name: 'HEAD answered with a body', method: 'HEAD', reply: OK('poison') , sees: '200 ' },
  { name: 'HEAD answered with an answer as its body', method: 'HEAD', reply: `HTTP/1.1 200 OK\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`, sees: '200 ' },
  { name: 'HEAD answered in chunks', method: 'HEAD', reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n', sees: '200 ' },
  { name: '204 with a body', reply: `HTTP/1.1 204 No Content\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`, sees: '204 ' },
  { name: '204 in chunks', reply: `HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n`, sees: '204 ' },
  { name: '304 with a body, to a request without conditions', reply: `HTTP/1.1 304 Not Modified\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`, sees: INVALID },
  { name: '205 with a body', reply: `HTTP/1.1 205 Reset Content\r\nContent-Length: 4\r\n\r\nmine`, sees: '205 mine' },
  { name: 'a status of two digits', reply: 'HTTP/1.1 20 OK\r\nContent-Length: 4\r\n\r\nmine', sees: INVALID },
  { name: 'a status below 100', reply: 'HTTP/1.1 099 OK\r\nContent-Length: 4\r\n\r\nmine', sees: INVALID },
  { name: 'a status of 000', reply: 'HTTP/1.1 000 OK\r\nContent-Length: 4\r\n\r\nmine', sees: INVALID },
  { name: 'a status of four digits', reply: 'HTTP/1.1 2000 OK\r\nContent-Length: 4\r\n\r\nmine', sees: INVALID },
  { name: 'a status of 999', reply: 'HTTP/1.1 999 Odd\r\nContent-Length: 4\r\n\r\nmine', sees: '999 mine' },
  { name: 'no reason', reply: 'HTTP/1.1 200\r\nContent-Length: 4\r\n\r\nmine', sees: '200 mine' },
  { name: 'a reason with a NUL', reply: 'HTTP/1.1 200 O\0K\r\nContent-Length: 4\r\n\r\nmine', sees: '200 mine' },
  { name: 'a reason with a bare CR', reply: 'HTTP/1.1 200 OK\rX-Injected: y\r\nContent-Length: 4\r\n\r\nmine', sees: INVALID },
  { name: 'HTTP/0.9', reply: 'mine<end>', sees: INVALID },
  { name: 'another version in front, the message being plain', reply: 'HTTP/2.0 200 OK\r\nContent-Length: 4\r\n\r\nmine', sees: '200 mine' },
  { name: 'ICY', reply: 'ICY 200 OK\r\nContent-Length: 4\r\n\r\nmine', sees: INVALID },
  { name: 'another protocol', reply: 'SSH-2.0-OpenSSH_9.2\r\n', sees: INVALID },
  { name: 'nothing', reply: '<end>', sees: INVALID },
  { name: 'a head that breaks off', reply: 'HTTP/1.1 200 OK\r\nContent-Le<end>', sees: INVALID },
  { name: 'a folded field', reply: 'HTTP/1.1 200 OK\r\nX: a\r\n Set-Cookie: poison=1\r\nContent-Length: 4\r\n\r\nmine', sees: INVALID },
  { name: 'a field with a bare CR', reply: 'HTTP/1.1 200 OK\r\nX: a\rX-Injected: y\r\nContent-Length: 4\r\n\r\nmine', sees: INVALID },
  { name: 'a field with a bare LF', reply: 'HTTP/1.1 200 OK\r\nX: a\nX-Injected: y\r\nContent-Length: 4\r\n\r\nmine', sees: INVALID },
  { name: 'a field with a NUL', reply: 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 4\r\n\r\nmine', sees: INVALID },
  { name: 'a space before the colon', reply: 'HTTP/1.1 200 OK\r\nContent-Length : 4\r\n\r\nmine', sees: INVALID },
  { name: 'a field without a colon', reply: 'HTTP/1.1 200 OK\r\nContent-Length\r\n\r\nmine<end>', sees: INVALID },
  { name: 'bare LFs throughout', reply: 'HTTP/1.1 200 OK\nContent-Length: 4\n\nmine', sees: INVALID },
  { name: 'a head of 40,000 bytes', reply: `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}\r\nContent-Length: 4\r\n\r\nmine`, sees: INVALID },
  { name: 'HTTP/1.0 with keep-alive and a second answer', reply: `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nmine${POISON}`, sees: '200 mine' },
] // biome-ignore format: a table

/** Asks, and says what was seen: `status body`, `status page` for one of our error pages, `cut` for a broken answer. */
function ask(port: number, method: string, target: string): Promise<{ readonly sees: string; readonly raw: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let raw = ''
    socket.setEncoding('latin1')
    socket.setTimeout(10_000, () => reject(new Error(`no end of the answer to ${target}: ${JSON.stringify(raw)}`)))
    socket.on('data', (text: string) => {
      raw += text
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      socket.destroy()
      resolve({ sees: seen(raw, method), raw })
    })
    socket.write(`${method} ${target} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`)
  })
}

function seen(raw: string, method: string): string {
  const end = raw.indexOf('\r\n\r\n')
  if (end < 0) return 'cut'
  const head = raw.slice(0, end)
  const status = head.slice(9, 12)
  const text = raw.slice(end + 4)
  if (text.includes('Generated by cloudfront')) return `${status} page`
  if (/\r\ntransfer-encoding: chunked/i.test(head)) {
    if (!text.endsWith('0\r\n\r\n')) return 'cut'
    return `${status} ${text.replace(/[0-9a-f]+\r\n(.*)\r\n0\r\n\r\n$/s, '$1')}`
  }
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  const bodiless = method === 'HEAD' || status === '204' || status === '304'
  return length !== undefined && !bodiless && Number(length) !== text.length ? 'cut' : `${status} ${text}`
}

function write(socket: Socket, reply: string): void {
  const [bytes = '', end] = reply.split('<end>')
  if (end === undefined) socket.write(bytes, 'latin1')
  else socket.end(bytes, 'latin1')
}

for (const caching of [false, true]) {
  test(`bad answers answer nobody else${caching ? ', and are not kept for anybody else' : ''}`, async (t) => {
    const replies = new Map<string, string>()
    const origin = await startWireOrigin((socket, { target }) => {
      write(socket, replies.get(target) ?? OK(`answer to ${target}`))
    })
    t.after(() => origin.close())
    const behavior = behaviorDoc({ cachePolicy: cachePolicy(caching ? {} : { defaultTtl: 0, maxTtl: 0 }) })
    // One attempt, so that a row is one reply; one connection would be enough for a leftover to answer another.
    const origins = [originDoc(origin.port, { connectionAttempts: 1, readTimeoutMs: 5_000 })]
    const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: [behavior], origins })])
    for (const [at, { name, method = 'GET', reply, sees }] of ROWS.entries()) {
      await t.test(name, async () => {
        const target = `/row-${at}`
        replies.set(target, reply)
        const answer = await ask(edge.port(), method, target)
        assert.equal(answer.sees, sees)
        assert.doesNotMatch(answer.raw, /set-cookie|x-injected|\0/i)
        assert.equal((await ask(edge.port(), 'GET', `/victim-${at}`)).sees, `200 answer to /victim-${at}`)
        assert.equal((await ask(edge.port(), 'GET', `/other-${at}`)).sees, `200 answer to /other-${at}`)
      })
    }
  })
}

test('an answer that comes while the connection to the origin is idle is thrown away with it', async (t) => {
  const sockets: Socket[] = []
  const origin = await startWireOrigin((socket, { target }) => {
    sockets.push(socket)
    write(socket, OK(`answer to ${target}`))
  })
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port)])
  assert.equal((await ask(edge.port(), 'GET', '/a')).sees, '200 answer to /a')
  const [socket] = sockets
  const closed = new Promise<void>((resolve) => socket?.once('close', () => resolve()))
  socket?.write(POISON)
  await closed
  assert.equal((await ask(edge.port(), 'GET', '/b')).sees, '200 answer to /b')
  assert.notEqual(sockets[1], socket)
})

test("an origin that answers before the body has come: the rest of the body is nobody's request", async (t) => {
  const smuggled = `GET /smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`
  const size = 200_000 + smuggled.length
  const origin = await startWireOrigin((socket, { target }) => write(socket, OK(`answer to ${target}`)), {
    onHead: (socket, { method, target }) => {
      if (method !== 'POST') return false
      write(socket, OK(`early answer to ${target}`))
      return true
    },
  })
  t.after(() => origin.close())
  const behavior = behaviorDoc({
    allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'],
    cachePolicy: cachePolicy({ defaultTtl: 0, maxTtl: 0 }),
  })
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: [behavior] })])
  for (const framing of [`Content-Length: ${size}`, 'Transfer-Encoding: chunked'] as const) {
    const chunked = framing.startsWith('T')
    const socket = connect(edge.port(), '127.0.0.1')
    let got = ''
    socket.setEncoding('latin1')
    socket.on('error', () => {})
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    const answered = new Promise<void>((resolve) => {
      socket.on('data', (text: string) => {
        got += text
        if (got.includes('early answer to /a')) resolve()
      })
    })
    socket.write(`POST /a HTTP/1.1\r\nHost: ${HOST}\r\n${framing}\r\n\r\n${chunked ? '3\r\nabc\r\n' : 'abc'}`)
    await answered
    // The edge reads a short rest and throws it away; over a long one, or one of unknown length, it ends the connection.
    socket.write(smuggled + 'x'.repeat(size - smuggled.length - 3) + smuggled)
    await closed
    assert.equal(got.match(/HTTP\/1\.1 /g)?.length, 1)
    assert.equal((await ask(edge.port(), 'GET', '/victim')).sees, '200 answer to /victim')
  }
  assert.deepEqual(
    origin.requests.map(({ target }) => target).filter((target) => target !== '/a'),
    ['/victim', '/victim'],
  )
})

test('strict mode, a request with trailers: an origin that answers in no way that can be read is a 502', async (t) => {
  const replies = ['HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n', 'HTTP/1.1 101 X\r\n\r\n<end>', '<end>', 'no HTTP\r\n\r\n', 'HTTP/1.1 099 X\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Le<end>', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx<end>'] // biome-ignore format: a list
  const origin = await startWireOrigin((socket, { target }) => write(socket, replies[Number(target.slice(1))] ?? ''))
  t.after(() => origin.close())
  const behavior = behaviorDoc({
    allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'],
    cachePolicy: cachePolicy({ defaultTtl: 0, maxTtl: 0 }),
  })
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: [behavior], rfcStrict: true })])
  for (const [at, reply] of replies.entries()) {
    const fields = `Host: ${HOST}\r\nConnection: close\r\nTrailer: X-T\r\nTransfer-Encoding: chunked`
    const answer = await edge.raw(`POST /${at} HTTP/1.1\r\n${fields}\r\n\r\n3\r\nabc\r\n0\r\nX-T: u\r\n\r\n`)
    assert.match(answer, /^HTTP\/1\.1 502 /, reply)
  }
})

test('strict mode, a request with trailers: what an origin sends behind its answer is thrown away as well', async (t) => {
  const origin = await startWireOrigin((socket, { target }) => {
    write(socket, OK(`answer to ${target}`) + (target === '/a' ? POISON : ''))
  })
  t.after(() => origin.close())
  const behavior = behaviorDoc({
    allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'],
    cachePolicy: cachePolicy({ defaultTtl: 0, maxTtl: 0 }),
  })
  const edge = await EdgeScenario.start(t, [distributionDoc(origin.port, { behaviors: [behavior], rfcStrict: true })])
  const post = `POST /a HTTP/1.1\r\nHost: ${HOST}\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: u\r\n\r\n`
  for (let round = 0; round < 5; round++) {
    const answers = await edge.raw(`${post}GET /b HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`)
    assert.match(answers, /answer to \/a.*answer to \/b$/s)
    assert.doesNotMatch(answers, /poison/)
  }
  assert.deepEqual(origin.requests[0]?.trailers, ['X-T: u'])
})
