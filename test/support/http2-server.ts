//! Our viewers' listener over TLS, for tests that speak to it in frames: its handler answers as http2-answers.ts says.
import type { Socket } from 'node:net'
import { type ListenOptions, listenViewers } from '../../src/edge/listen/listener.ts'
import type { ViewerReply, ViewerRequest } from '../../src/edge/listen/viewer.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { TestAuthority } from './certificates.ts'
import { answerOf, early, held, type TestRequest } from './http2-answers.ts'
import { acceptorOf } from './tls-acceptor.ts'

export interface Http2Server {
  readonly port: number
  /** PEM that vouches for it. */
  readonly ca: string
  /** Requests that reached the handler, as they came, with what of the body was read. */
  readonly served: TestRequest[]
  close(): Promise<void>
}

export interface OurServer extends Http2Server {
  /** Open connections, as the listener counts them. */
  readonly connections: number
  /** Answers that are not given (`/hold`), open ones. */
  readonly waiting: Set<ViewerReply>
  /** Answers that ended because the viewer went away. */
  readonly aborted: number
  /** Bytes of streamed answers (`/stream/N`) that the listener took so far. */
  readonly taken: number
  /** Limits of HTTP/2 that a viewer went over, in their order. */
  readonly limits: string[]
  /** Of connections with a request. */
  readonly sockets: Set<Socket>
  drain(): Promise<void>
}

/** Made once: keys cost. */
let identity: Promise<{ readonly ca: string; readonly key: string; readonly cert: string }> | null = null
export function testIdentity(): Promise<{ readonly ca: string; readonly key: string; readonly cert: string }> {
  identity ??= TestAuthority.make().then(async (authority) => ({
    ca: authority.pem,
    ...(await authority.issue({ names: ['localhost', '127.0.0.1'] })),
  }))
  return identity
}

export async function startHttp2Server(
  limits: ListenOptions['limits'] = {},
  clock: Clock = systemClock,
): Promise<OurServer> {
  const { ca, key, cert } = await testIdentity()
  const served: TestRequest[] = []
  const waiting = new Set<ViewerReply>()
  const limited: string[] = []
  const sockets = new Set<Socket>()
  const count = { taken: 0 }
  let aborted = 0
  const handler = (request: ViewerRequest, reply: ViewerReply): void => {
    sockets.add((request.connection as unknown as { readonly socket: Socket }).socket)
    const target = request.query === null ? request.path : `${request.path}?${request.query}`
    const entry = { method: request.method, target, fields: request.headers.raw, body: '' }
    reply.onAbort = () => {
      aborted++
      waiting.delete(reply)
    }
    if (held(target)) waiting.add(reply)
    if (request.body === null || early(target)) {
      served.push(entry)
      if (!held(target)) give(entry, reply, count)
      return
    }
    const pieces: Buffer[] = []
    request.body
      .stream()
      .on('data', (bytes: Buffer) => pieces.push(bytes))
      .on('end', () => {
        const whole = { ...entry, body: Buffer.concat(pieces).toString('latin1') }
        served.push(whole)
        give(whole, reply, count)
      })
  }
  const listener = await listenViewers({
    addresses: [
      {
        host: '127.0.0.1',
        port: 0,
        pop: 0,
        tls: acceptorOf({ key, certificate: cert }, { protocols: ['h2', 'http/1.1'], problem: () => {} }),
      },
    ],
    reusePort: false,
    clock,
    limits: { sweepMs: 5, ...limits },
    handler,
    onHttp2Limit: (limit) => limited.push(limit),
    refuse: ({ status }) => ({
      head: `HTTP/1.1 ${status} X\r\nConnection: close\r\nContent-Length: 7\r\n\r\n`,
      body: Buffer.from('refused'),
    }),
  })
  return {
    port: listener.addresses[0]!.port,
    ca,
    served,
    waiting,
    get connections() {
      return listener.connections
    },
    limits: limited,
    sockets,
    get taken() {
      return count.taken
    },
    get aborted() {
      return aborted
    },
    drain: () => listener.drain(),
    close: () => listener.close(),
  }
}

function give(request: TestRequest, reply: ViewerReply, count: { taken: number }): void {
  const { status, fields, body, pieces, trailers, hints } = answerOf(request)
  if (hints) reply.interim?.('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n')
  const empty = request.method === 'HEAD' || status === 204 || status === 304
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const start = `HTTP/1.1 ${status} X\r\nContent-Type: text/plain\r\n${lines}`
  if (pieces === null || empty) {
    const length = status === 204 || status === 304 ? '' : `Content-Length: ${body.length}\r\n`
    reply.whole(`${start}${length}\r\n`, empty ? null : body, null)
    return
  }
  reply.head(`${start}Transfer-Encoding: chunked\r\n\r\n`, 'chunked')
  let at = 0
  const next = (): void => {
    while (at < body.length) {
      const piece = body.subarray(at, at + pieces)
      at += piece.length
      count.taken += piece.length
      if (!reply.write(piece)) return
    }
    reply.onDrain = null
    reply.end(trailers)
  }
  reply.onDrain = next
  next()
}
