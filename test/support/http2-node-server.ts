//! Node's own HTTP/2 server with the answers of http2-answers.ts: the partner of differential tests.
import { createSecureServer, type ServerHttp2Session, type ServerHttp2Stream, type Settings } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { answerOf, early, held, type TestRequest } from './http2-answers.ts'
import { type Http2Server, testIdentity } from './http2-server.ts'

export async function startNodeServer(settings: Settings = {}): Promise<Http2Server> {
  const { ca, key, cert } = await testIdentity()
  const served: TestRequest[] = []
  const server = createSecureServer({ key, cert, settings, allowHTTP1: false })
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => {})
    session.once('close', () => sessions.delete(session))
  })
  server.on('stream', (opened, headers, _flags, raw) => {
    const stream = opened as ServerHttp2Stream
    stream.on('error', () => {})
    const entry = { method: headers[':method'] ?? '', target: headers[':path'] ?? '', fields: plain(raw), body: '' }
    const answer = (request: TestRequest): void => {
      served.push(request)
      if (!held(request.target) && !stream.destroyed && !stream.closed) give(request, stream)
    }
    if (early(entry.target) || stream.endAfterHeaders) {
      answer(entry)
      stream.resume()
      return
    }
    const pieces: Buffer[] = []
    stream.on('data', (bytes: Buffer) => pieces.push(bytes))
    stream.on('end', () => answer({ ...entry, body: Buffer.concat(pieces).toString('latin1') }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    ca,
    served,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const session of sessions) session.destroy()
      }),
  }
}

function plain(raw: readonly string[]): string[] {
  return raw.flatMap((name, at) => (at % 2 === 0 && !name.startsWith(':') ? [name, raw[at + 1] ?? ''] : []))
}

function give(request: TestRequest, stream: ServerHttp2Stream): void {
  const { status, fields, body, pieces, trailers, hints } = answerOf(request)
  if (hints) stream.additionalHeaders({ ':status': 103, link: '</x>' })
  const empty = request.method === 'HEAD' || status === 204 || status === 304
  const length = pieces === null && status !== 204 && status !== 304 ? { 'content-length': body.length } : {}
  const head = { ':status': status, 'content-type': 'text/plain', ...Object.fromEntries(fields), ...length }
  if (empty) stream.respond(head, { endStream: true })
  else if (trailers.length === 0) {
    stream.respond(head)
    stream.end(body)
  } else {
    stream.respond(head, { waitForTrailers: true })
    stream.on('wantTrailers', () => {
      const pairs = trailers.flatMap((name, at) => (at % 2 === 0 ? [[name, trailers[at + 1] ?? '']] : []))
      stream.sendTrailers(Object.fromEntries(pairs))
    })
    stream.end(body)
  }
}
