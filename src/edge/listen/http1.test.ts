import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { handClock } from '../../../test/support/hand-clock.ts'
import { errorPageBody, errorPageHead } from '../../http/error-page.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import type { ListenLimits } from './limits.ts'
import { type Listener, listenViewers, type Refusal } from './listener.ts'
import type { HeaderBlock, ViewerHandler, ViewerReply, ViewerRequest } from './viewer.ts'

interface Setup {
  readonly limits?: Partial<ListenLimits>
  readonly clock?: Clock
  readonly handler?: ViewerHandler
}

const open: Listener[] = []
after(() => Promise.all(open.map((listener) => listener.close())))

async function listening(setup: Setup = {}) {
  const refusals: Refusal[] = []
  const events: string[] = []
  const seen: ViewerRequest[] = []
  const handler = setup.handler ?? echo
  const listener = await listenViewers({
    addresses: [{ host: '127.0.0.1', port: 0, pop: 0, tls: null }],
    reusePort: false,
    clock: setup.clock ?? systemClock,
    handler: (request, reply) => {
      seen.push(request)
      handler(request, reply)
    },
    limits: { sweepMs: 5, ...setup.limits },
    onConnection: (event) => events.push(event),
    onDropped: (cause) => events.push(cause),
    refuse: (refusal) => {
      refusals.push(refusal)
      const page = { status: refusal.status, reason: refusal.reason, requestId: 'ID==' }
      const body = Buffer.from(errorPageBody(page))
      const answerer = { via: '1.1 x.cloudfront.net (CloudFront)', pop: 'TST50-C1', date: 'D' }
      return { head: errorPageHead(page, answerer, body.length, true), body }
    },
  })
  open.push(listener)
  const dial = () => connect(listener.addresses[0]!.port, '127.0.0.1')
  return { listener, refusals, events, seen, dial }
}

/** Answers with what it understood: method, target, header names and values, body. */
const echo: ViewerHandler = (request, reply) => {
  const say = (body: string) => {
    const text = `${request.method} ${request.path} ${request.query} ${request.headers.raw.join('|')} [${body}]`
    whole(reply, text)
  }
  if (request.body === null) return say('')
  const pieces: Buffer[] = []
  request.body
    .stream()
    .on('data', (piece: Buffer) => pieces.push(piece))
    .on('end', () => say(Buffer.concat(pieces).toString('latin1')))
}

function whole(reply: ViewerReply, text: string) {
  const body = Buffer.from(text, 'latin1')
  const connection = reply.closes ? 'Connection: close\r\n' : ''
  reply.whole(`HTTP/1.1 200 OK\r\n${connection}Content-Length: ${body.length}\r\n\r\n`, body, null)
}

/** Sends `text`, closes its half, and gives all that came back until the server closed. */
async function talk(socket: Socket, text: string): Promise<string> {
  let answer = ''
  socket.on('data', (bytes: Buffer) => {
    answer += bytes.toString('latin1')
  })
  socket.end(text, 'latin1')
  await once(socket, 'close')
  return answer
}

/** Reads from a socket that stays open until the text holds `wanted`. */
function reading(socket: Socket) {
  let text = ''
  const waiting = new Set<() => void>()
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1')
    for (const look of waiting) look()
  })
  return (wanted: string): Promise<string> =>
    new Promise((resolve) => {
      const look = () => {
        if (!text.includes(wanted)) return
        waiting.delete(look)
        resolve(text)
      }
      waiting.add(look)
      look()
    })
}

const count = (text: string, part: string) => text.split(part).length - 1

const REFUSED: readonly (readonly [name: string, request: string, status: number, cause: string])[] = [
  ['Content-Length with Transfer-Encoding', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'two-framings'],
  ['Transfer-Encoding before Content-Length', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n', 400, 'two-framings'],
  ['two lengths that differ', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n', 400, 'bad-content-length'],
  ['two lengths that agree', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n', 400, 'bad-content-length'],
  ['a list of lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\n', 400, 'bad-content-length'],
  ['a signed length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\n', 400, 'bad-content-length'],
  ['a hexadecimal length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\n', 400, 'bad-content-length'],
  ['an empty length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n', 400, 'bad-content-length'],
  ['a length beyond exact numbers', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n', 400, 'bad-content-length'],
  ['an unknown coding', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n', 400, 'bad-transfer-encoding'],
  ['a second coding', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 400, 'bad-transfer-encoding'],
  ['chunked twice', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'bad-transfer-encoding'],
  ['chunked with a vertical tab', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n', 400, 'bad-header-value'],
  ['chunks in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'bad-transfer-encoding'],
  ['bare LF after the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 400, 'bad-request-line'],
  ['bare LF throughout', 'GET / HTTP/1.1\nHost: a\n\n', 400, 'bad-line-end'],
  ['bare LF in a header', 'GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n', 400, 'bad-line-end'],
  ['bare CR in a header', 'GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n', 400, 'bad-header-value'],
  ['space before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400, 'bad-header-name'],
  ['a folded header', 'GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n', 400, 'bad-header-name'],
  ['a header without colon', 'GET / HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n', 400, 'bad-header-name'],
  ['a header without name', 'GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n', 400, 'bad-header-name'],
  ['NUL in a value', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n', 400, 'bad-header-value'],
  ['DEL in a value', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\x7fb\r\n\r\n', 400, 'bad-header-value'],
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400, 'bad-host'],
  ['no Host', 'GET / HTTP/1.1\r\nX: a\r\n\r\n', 400, 'bad-host'],
  ['no header at all', 'GET / HTTP/1.1\r\n\r\n', 400, 'bad-host'],
  ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 400, 'bad-host'],
  ['a path in Host', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400, 'bad-host'],
  ['userinfo in Host', 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n', 400, 'bad-host'],
  ['asterisk form', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-target'],
  ['authority form', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-method'],
  ['authority form with GET', 'GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-target'],
  ['absolute form of another host', 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-host'],
  ['another scheme', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-target'],
  ['a fragment', 'GET /#x HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-target'],
  ['a tab in the target', 'GET /\tx HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-target'],
  ['NUL in the target', 'GET /\0x HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-target'],
  ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-request-line'],
  ['two spaces', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-request-line'],
  ['no version', 'GET /\r\nHost: a\r\n\r\n', 400, 'bad-request-line'],
  ['HTTP/2.0 in a request line', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505, 'bad-version'],
  ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 505, 'bad-version'],
  ['lower-case http', 'GET / http/1.1\r\nHost: a\r\n\r\n', 400, 'bad-request-line'],
  ['an unknown method', 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-method'],
  ['a lower-case method', 'get / HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-method'],
  ['a TLS ClientHello', '\x16\x03\x01\x02\x00\x01\x00', 400, 'bad-request-line'],
  ['another expectation', 'POST / HTTP/1.1\r\nHost: a\r\nExpect: dinner\r\nContent-Length: 1\r\n\r\n', 417, 'bad-expect'],
  ['a URL of 8,193 bytes', `GET /${'a'.repeat(8_192)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414, 'url-too-long'],
  ['a URL that does not end', `GET /${'a'.repeat(20_000)}`, 414, 'url-too-long'],
  ['a header block over 32,768 bytes', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(32_768)}\r\n\r\n`, 494, 'head-too-large'],
  ['a header block that does not end', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(40_000)}`, 494, 'head-too-large'],
  ['too many headers', `GET / HTTP/1.1\r\nHost: a\r\n${'A: b\r\n'.repeat(300)}\r\n`, 494, 'head-too-large'],
] // biome-ignore format: a table

for (const [name, request, status, cause] of REFUSED) {
  test(`refuses ${name}: ${status}, closed, not handed on`, async () => {
    const { dial, refusals, seen } = await listening()
    const next = request.endsWith('\r\n\r\n') ? 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n' : ''
    const answer = await talk(dial(), request + next)
    assert.deepEqual(
      refusals.map((refusal) => [refusal.status, refusal.cause]),
      [[status, cause]],
    )
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.match(answer, /\r\nConnection: close\r\n/)
    assert.match(answer, /X-Cache: Error from cloudfront\r\n/)
    assert.match(answer, /Generated by cloudfront \(CloudFront\)/)
    assert.equal(seen.length, 0)
  })
}

const BAD_CHUNKS: readonly (readonly [name: string, body: string])[] = [
  ['a size that is no number', 'x\r\nabc\r\n0\r\n\r\n'],
  ['a size with a prefix', '0x3\r\nabc\r\n0\r\n\r\n'],
  ['a size with a space', '3 \r\nabc\r\n0\r\n\r\n'],
  ['a negative size', '-3\r\nabc\r\n0\r\n\r\n'],
  ['a size beyond exact numbers', 'fffffffffffffffff\r\n'],
  ['bare LF after the size', '3\nabc\r\n0\r\n\r\n'],
  ['bare CR in an extension', '3;a\rb\r\nabc\r\n0\r\n\r\n'],
  ['bare LF in an extension', '3;a\nabc\r\n0\r\n\r\n'],
  ['a malformed extension', '3;=b\r\nabc\r\n0\r\n\r\n'],
  ['more data than the size says', '3\r\nabcd\r\n0\r\n\r\n'],
  ['a malformed trailer', '3\r\nabc\r\n0\r\nx y: z\r\n\r\n'],
  ['a size line that does not end', `3;a=${'b'.repeat(2_000)}`],
]

for (const [name, body] of BAD_CHUNKS) {
  test(`refuses a chunked body with ${name}`, async () => {
    const { dial, refusals } = await listening()
    const answer = await talk(dial(), `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`)
    assert.match(answer, /^HTTP\/1\.1 400 /)
    assert.equal(count(answer, 'HTTP/1.1 '), 1)
    assert.equal(refusals[0]?.cause, 'bad-chunk')
  })
}

test('a body cut off by the viewer is never a whole body', async () => {
  const failed = Promise.withResolvers<Error>()
  const { dial } = await listening({
    handler: (request) => request.body?.stream().on('error', failed.resolve).resume(),
  })
  dial().end('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc')
  assert.match((await failed.promise).message, /before the end of the request body/)
})

test('understands what is well-formed', async () => {
  const { dial, seen } = await listening()
  const answer = await talk(
    dial(),
    '\r\nGET /a%2Fb//c?x=1&y HTTP/1.1\r\nhOST: ExAmple.com:81\r\nX-A:  one \t\r\nx-a: \xe9\r\nEmpty:\r\n\r\n' +
      'GET http://EXAMPLE.com:81?q HTTP/1.1\r\nHost: example.com:81\r\n\r\n' +
      'POST /c HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b;c="d;\x20e"\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\n' +
      'PUT /l? HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: Close\r\n\r\nwxyz' +
      'GET /after-close HTTP/1.1\r\nHost: a\r\n\r\n',
  )
  assert.equal(count(answer, 'HTTP/1.1 200'), 4)
  assert.match(answer, /GET \/a%2Fb\/\/c x=1&y hOST\|ExAmple\.com:81\|X-A\|one\|x-a\|\xe9\|Empty\| \[\]/)
  assert.match(answer, /GET \/ q Host/)
  assert.match(answer, /POST \/c null .* \[abcde\]/)
  assert.match(answer, /PUT \/l {2}Host.* \[wxyz\]/)
  assert.deepEqual(
    seen.map((request) => request.headers.host),
    ['example.com', 'example.com', '[::1]', 'a'],
  )
  assert.deepEqual(seen[0]?.headers.getAll('x-a'), ['one', '\xe9'])
  assert.equal(seen[0]?.headers.get('absent'), undefined)
  assert.equal(seen[2]?.body?.length, null)
  assert.equal(seen[3]?.body?.length, 4)
  assert.equal(seen[0]?.connection.loopback, true)
})

test('a request that arrives byte by byte is the same request', async () => {
  const { dial, seen } = await listening()
  const socket = dial().setNoDelay()
  const until = reading(socket)
  const text = 'POST /slow?x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n'
  for (const byte of text) await new Promise((resolve) => socket.write(byte, 'latin1', resolve))
  assert.match(await until('[abc]'), /POST \/slow x /)
  assert.equal(seen.length, 1)
  socket.destroy()
})

test('HTTP/1.0 closes after the answer and needs no Host', async () => {
  const { dial, seen } = await listening()
  const answer = await talk(dial(), 'GET / HTTP/1.0\r\n\r\nGET /again HTTP/1.0\r\n\r\n')
  assert.equal(count(answer, 'HTTP/1.1 200'), 1)
  assert.match(answer, /Connection: close/)
  assert.equal(seen[0]?.httpVersion, '1.0')
  assert.equal(seen[0]?.headers.host, '')
})

test('equal header blocks of a connection are one object, others are not', async () => {
  const { dial, seen } = await listening()
  const same = 'Host: a\r\nX: 1\r\n\r\n'
  await talk(dial(), `GET /1 HTTP/1.1\r\n${same}GET /2 HTTP/1.1\r\n${same}GET /3 HTTP/1.1\r\nHost: a\r\nX: 2\r\n\r\n`)
  const [first, second, third] = seen.map((request): HeaderBlock => request.headers)
  assert.equal(first, second)
  assert.notEqual(second, third)
  assert.equal(third?.get('x'), '2')
})

test('pipelined answers keep their order when the first takes longer', async () => {
  const replies: [string, ViewerReply][] = []
  const came = Promise.withResolvers<void>()
  const { dial } = await listening({
    handler: (request, reply) => {
      if (request.path !== '/slow') return whole(reply, request.path)
      replies.push([request.path, reply])
      came.resolve()
    },
  })
  const socket = dial()
  const answer = talk(socket, ['/slow', '/b', '/c'].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''))
  await came.promise
  whole(replies[0]![1], '/slow')
  const bodies = [...(await answer).matchAll(/\r\n\r\n(\/[a-z]+)/g)].map((match) => match[1])
  assert.deepEqual(bodies, ['/slow', '/b', '/c'])
})

test('Expect: 100-continue is answered when the body is asked for', async () => {
  const { dial } = await listening()
  const socket = dial()
  const until = reading(socket)
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n')
  await until('HTTP/1.1 100 Continue\r\n\r\n')
  socket.write('abc')
  await until('[abc]')
  socket.destroy()
})

test('a body that nobody asked for: the viewer is answered, and the connection ends', async () => {
  const { dial } = await listening({ handler: (_request, reply) => whole(reply, `closes ${reply.closes}`) })
  const answer = await talk(dial(), 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n')
  assert.match(answer, /^HTTP\/1\.1 200 .*closes true$/s)
})

test('a small body that nobody read is thrown away and the connection goes on', async () => {
  const { dial } = await listening({ handler: (request, reply) => whole(reply, request.path) })
  const answer = await talk(
    dial(),
    'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 21\r\n\r\nGET /x HTTP/1.1\r\n\r\n12GET /2 HTTP/1.1\r\nHost: a\r\n\r\n',
  )
  assert.deepEqual(
    [...answer.matchAll(/\r\n\r\n(\/.)/g)].map((match) => match[1]),
    ['/1', '/2'],
  )
})

test('a request body is not read faster than it is used', async () => {
  const began = Promise.withResolvers<ViewerRequest>()
  const { dial } = await listening({ handler: (request) => began.resolve(request) })
  const socket = dial()
  const size = 64 * 1024 * 1024
  socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`)
  const piece = Buffer.alloc(1024 * 1024, 'x')
  let sent = 0
  const pump = () => {
    while (sent < size) {
      sent += piece.length
      if (!socket.write(piece)) return
    }
  }
  socket.on('drain', pump)
  pump()
  const stream = (await began.promise).body!.stream()
  await once(stream, 'readable')
  // Nothing was read: what the listener holds is bounded by the stream's own buffer and one read of the socket.
  assert.ok(stream.readableLength < 1024 * 1024, `${stream.readableLength} bytes held`)
  let got = 0
  stream.on('data', (bytes: Buffer) => {
    got += bytes.length
  })
  await once(stream, 'end')
  assert.equal(got, size)
  socket.destroy()
})

test('a slow viewer holds the answer back', async () => {
  const piece = Buffer.alloc(256 * 1024, 'y')
  const held = Promise.withResolvers<void>()
  let written = 0
  const { dial } = await listening({
    handler: (_request, reply) => {
      reply.head('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'chunked')
      const pump = () => {
        while (written < 64) {
          written++
          if (!reply.write(piece)) return held.resolve()
        }
        reply.end()
      }
      reply.onDrain = pump
      pump()
    },
  })
  const socket = dial().pause()
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  await held.promise
  let text = ''
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1')
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.ok(written < 64, `${written} pieces written to a viewer that reads nothing`)
  socket.resume()
  await once(socket, 'end')
  assert.equal(count(text, '40000\r\n'), 64)
  assert.ok(text.endsWith('\r\n0\r\n\r\n'))
  socket.destroy()
})

test('a viewer that goes away is noticed, and later answers are dropped', async () => {
  const gone = Promise.withResolvers<ViewerReply>()
  const here = Promise.withResolvers<void>()
  const { dial } = await listening({
    handler: (_request, reply) => {
      reply.onAbort = () => gone.resolve(reply)
      here.resolve()
    },
  })
  const socket = dial()
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await here.promise
  socket.resetAndDestroy()
  const reply = await gone.promise
  assert.equal(reply.gone, true)
  let sent = 0
  reply.whole('HTTP/1.1 200 OK\r\n\r\n', Buffer.from('x'), () => sent++)
  assert.equal(sent, 1)
})

test('a large answer calls onSent once the kernel has it', async () => {
  const body = Buffer.alloc(4 * 1024 * 1024, 'z')
  const sent = Promise.withResolvers<void>()
  let calls = 0
  const { dial } = await listening({
    handler: (_request, reply) => {
      reply.whole(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`, body, () => {
        calls++
        sent.resolve()
      })
      assert.equal(calls, 0)
    },
  })
  const answer = await talk(dial(), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await sent.promise
  assert.equal(calls, 1)
  assert.equal(answer.length - answer.indexOf('\r\n\r\n') - 4, body.length)
})

test('abort() cuts the connection in the middle of an answer', async () => {
  const { dial } = await listening({
    handler: (_request, reply) => {
      reply.head('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n', 'length')
      reply.write(Buffer.from('abc'))
      setImmediate(() => reply.abort())
    },
  })
  const socket = dial()
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  socket.resume()
  await once(socket, 'close')
  assert.equal(socket.bytesRead < 60, true)
})

test('a handler that throws is a 500 in CloudFront shape, not a stack trace', async () => {
  const { dial } = await listening({
    handler: () => {
      throw new Error('secret detail')
    },
  })
  const answer = await talk(dial(), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match(answer, /^HTTP\/1\.1 500 /)
  assert.doesNotMatch(answer, /secret detail/)
})

test('time limits: an idle connection, a slow head, a slow body', async () => {
  const clock = handClock()
  const { dial, refusals, events } = await listening({ clock, limits: { idleMs: 1_000, headMs: 500, bodyIdleMs: 200 } })
  const idle = dial()
  const slowHead = dial()
  const headText = reading(slowHead)
  const slowBody = dial()
  const bodyText = reading(slowBody)
  slowHead.write('GET / HTTP/1.1\r\nHo')
  slowBody.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab')
  while (events.length < 3) await new Promise(setImmediate)
  await new Promise((resolve) => setTimeout(resolve, 20))
  clock.forward(250)
  assert.match(await bodyText('408'), /^HTTP\/1\.1 408 /)
  clock.forward(300)
  assert.match(await headText('408'), /^HTTP\/1\.1 408 /)
  assert.deepEqual(
    refusals.map((refusal) => refusal.cause),
    ['body-timeout', 'head-timeout'],
  )
  idle.resume()
  clock.forward(500)
  await once(idle, 'close')
  slowHead.destroy()
  slowBody.destroy()
})

test('a viewer that takes nothing of its answer for too long is cut', async () => {
  const gone = Promise.withResolvers<void>()
  const piece = Buffer.alloc(1024 * 1024, 'y')
  const { dial } = await listening({
    limits: { sendStallMs: 100 },
    handler: (_request, reply) => {
      reply.onAbort = () => gone.resolve()
      reply.head('HTTP/1.1 200 OK\r\n\r\n', 'close')
      const pump = () => {
        while (reply.write(piece)) if (reply.gone) return
      }
      reply.onDrain = pump
      pump()
    },
  })
  const socket = dial().pause()
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await gone.promise
  socket.destroy()
})

test('connections over the limit are dropped and counted', async () => {
  const asked = Promise.withResolvers<void>()
  const { dial, events, listener } = await listening({ limits: { connections: 1 }, handler: () => asked.resolve() })
  const first = dial()
  // Whoever has not asked for anything makes room; this one waits for its answer.
  first.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await asked.promise
  const second = dial()
  second.on('error', () => {})
  second.resume()
  await once(second, 'close')
  assert.deepEqual(events, ['opened', 'connections'])
  assert.equal(listener.connections, 1)
  first.destroy()
})

test('drain ends idle connections, finishes the answer under way and frees the port', async () => {
  const under = Promise.withResolvers<ViewerReply>()
  const { dial, listener } = await listening({ handler: (_request, reply) => under.resolve(reply) })
  const idle = dial().resume()
  await once(idle, 'connect')
  const busy = dial()
  const answer = talk(busy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const reply = await under.promise
  const drained = listener.drain()
  await once(idle, 'end')
  idle.destroy()
  assert.equal(reply.closes, true)
  whole(reply, 'last')
  assert.match(await answer, /Connection: close\r\n.*last$/s)
  await drained
  const late = dial()
  const [error] = await once(late, 'error')
  assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED')
})

test('a viewer that ends its half behind several requests gets all its answers, however late they are', async () => {
  const { dial } = await listening({
    handler: (request, reply) => void setTimeout(() => whole(reply, request.path), request.path === '/1' ? 20 : 1),
  })
  const three = ['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join('')
  const answer = await talk(dial(), three)
  assert.deepEqual(
    [...answer.matchAll(/\r\n\r\n(\/.)/g)].map((match) => match[1]),
    ['/1', '/2', '/3'],
  )
  assert.match(await talk(dial(), `${three}GET /4 HT`), /\/3HTTP\/1\.1 400 /)
  assert.doesNotMatch(await talk(dial(), `${three}POST /4 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc`), /\/4/)
})
