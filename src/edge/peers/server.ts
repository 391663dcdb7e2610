//! Answers the peers that lack a key which this worker owns: their question runs through the same table as a viewer's
//! request, only that the answer goes out in the frames of peers/protocol.ts.
import { chmod, unlink } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { isLoopback } from '../../lib/loopback.ts'
import type { Edge } from '../edge.ts'
import { type HandlerOptions, handlePeer } from '../handler.ts'
import { unframedHeaders } from '../listen/header-block.ts'
import type { ViewerRequest } from '../listen/viewer.ts'
import { keepHeaderOrder } from '../viewer/header-order.ts'
import { isWafQuestion, type WafQuestion } from '../waf/peer-question.ts'
import { type HandOverQuestion, isHandOver } from './hand-over.ts'
import { PeerReply } from './peer-reply.ts'
import type { PeerQuestion } from './protocol.ts'
import { answerPurge, isPurge, type PurgeQuestion } from './purge.ts'
import { takeOver } from './take-over.ts'

/** Bytes of a question: a viewer's header block and a little more. */
const QUESTION_BYTES_MAX = 256 * 1024
/** Milliseconds that a question may wait until this worker has the asker's revision. */
const BEHIND_MS_MAX = 1_000
const BEHIND_CHECK_MS = 5
const LF = 10

export interface PeerServer {
  close(): Promise<void>
}

/** @throws the system's error when the socket cannot be bound. */
export async function servePeers(path: string, edge: Edge, handling: HandlerOptions): Promise<PeerServer> {
  // Left over from a worker of this name that was killed; a live one has the name locked by the ledger.
  await unlink(path).catch(() => {})
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    serve(socket, edge, handling)
  })
  await listen(server, path)
  await chmod(path, 0o600)
  return {
    close() {
      return new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
    },
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      server.on('error', () => {})
      resolve()
    })
  })
}

function serve(socket: Socket, edge: Edge, handling: HandlerOptions): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('error', () => {})
  const onData = (bytes: Buffer): void => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    if (rest.length > QUESTION_BYTES_MAX) return void socket.destroy()
    for (let end = rest.indexOf(LF); end >= 0; end = rest.indexOf(LF)) {
      const line = rest.toString('utf8', 0, end)
      rest = rest.subarray(end + 1)
      try {
        const question = JSON.parse(line) as PeerQuestion | PurgeQuestion | HandOverQuestion | WafQuestion
        if (isHandOver(question)) {
          // What follows is no question: the connection is for this one object.
          socket.off('data', onData)
          takeOver(requestOf(question.handOver, edge), question.handOver, rest, socket, edge, handling)
          return
        }
        if (isWafQuestion(question)) socket.write(`${JSON.stringify(edge.waf.answer(question))}\n`)
        else if (isPurge(question))
          answerPurge(question, edge).then(
            (line) => void socket.write(line),
            () => void socket.destroy(),
          )
        else answer(question, socket, edge, handling)
      } catch {
        return void socket.destroy()
      }
    }
  }
  socket.on('data', onData)
}

function answer(question: PeerQuestion, socket: Socket, edge: Edge, handling: HandlerOptions): void {
  const place = edge.places.named(question.place, question.layer)
  // A worker that was started with another network does not keep what is asked for: the next in line is asked.
  if (place === undefined) return void socket.destroy()
  const begin = () => {
    if (socket.destroyed) return
    const reply = new PeerReply(socket, question.ofSamePlace)
    handlePeer(requestOf(question, edge), reply, question, place, edge, handling)
  }
  if (edge.snapshot.revision >= question.revision) {
    begin()
    return
  }
  const giveUpAt = edge.clock.monotonic() + BEHIND_MS_MAX
  const timer = setInterval(() => {
    const behind = edge.snapshot.revision < question.revision
    if (behind && edge.clock.monotonic() < giveUpAt) return
    clearInterval(timer)
    if (behind) new PeerReply(socket, true).behind()
    else begin()
  }, BEHIND_CHECK_MS)
}

function requestOf(question: PeerQuestion, edge: Edge): ViewerRequest {
  const headers = headersOf(question)
  return {
    method: question.method,
    path: question.path,
    query: question.query,
    httpVersion: question.httpVersion,
    headers,
    errorOf: question.errorOf,
    body: null,
    reused: question.reused,
    connection: {
      remoteAddress: question.viewerAddress,
      remotePort: question.viewerPort,
      localAddress: '',
      localPort: question.localPort,
      loopback: isLoopback(question.viewerAddress),
      proxied: false,
      scheme: question.scheme,
      tls: question.tls === null ? null : { ...question.tls, terms: null, certificate: '' },
      pop: 0,
      logParts: null,
      budget: null,
    },
    startedAt: edge.clock.monotonic(),
  }
}

function headersOf(question: PeerQuestion): ViewerRequest['headers'] {
  const hostAt = question.rawHeaders.findIndex((text, at) => at % 2 === 0 && text.toLowerCase() === 'host')
  const host = hostAt < 0 ? '' : (question.rawHeaders[hostAt + 1] ?? '')
  const headers = unframedHeaders(question.rawHeaders, host)
  keepHeaderOrder(headers, question.headerOrder)
  return headers
}
