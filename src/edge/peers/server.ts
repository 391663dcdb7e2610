//! Answers the peers that lack a key which this worker owns: their question runs through the same table as a viewer's
//! request, only that the answer goes out in the frames of peers/protocol.ts.
import { chmod, unlink } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import type { ResultType } from '../../domain/outcomes.ts'
import { isLoopback } from '../../lib/loopback.ts'
import type { Answer } from '../cache/flight.ts'
import type { Edge } from '../edge.ts'
import type { EdgeFault, PeerAnswer } from '../exchange.ts'
import { type HandlerOptions, handlePeer } from '../handler.ts'
import { unframedHeaders } from '../listen/header-block.ts'
import type { ViewerReply, ViewerRequest } from '../listen/viewer.ts'
import { type PeerAlone, type PeerHead, type PeerHint, type PeerQuestion, TRAILERS } from './protocol.ts'
import { answerPurge, isPurge, type PurgeQuestion } from './purge.ts'

/** Bytes of a question: a viewer's header block and a little more. */
const QUESTION_BYTES_MAX = 256 * 1024
/** Milliseconds that a question may wait until this worker has the asker's revision. */
const BEHIND_MS_MAX = 1_000
const BEHIND_CHECK_MS = 5

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
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('error', () => {})
  socket.on('data', (text: string) => {
    rest += text
    if (rest.length > QUESTION_BYTES_MAX) return void socket.destroy()
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      const line = rest.slice(0, end)
      rest = rest.slice(end + 1)
      try {
        const question = JSON.parse(line) as PeerQuestion | PurgeQuestion
        if (isPurge(question))
          answerPurge(question, edge).then(
            (line) => void socket.write(line),
            () => void socket.destroy(),
          )
        else answer(question, socket, edge, handling)
      } catch {
        return void socket.destroy()
      }
    }
  })
}

function answer(question: PeerQuestion, socket: Socket, edge: Edge, handling: HandlerOptions): void {
  const begin = () => {
    if (socket.destroyed) return
    const reply = new PeerReply(socket)
    handlePeer(requestOf(question, edge), reply, question, edge, handling)
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
    if (behind) new PeerReply(socket).behind()
    else begin()
  }, BEHIND_CHECK_MS)
}

function requestOf(question: PeerQuestion, edge: Edge): ViewerRequest {
  const hostAt = question.rawHeaders.findIndex((text, at) => at % 2 === 0 && text.toLowerCase() === 'host')
  return {
    method: question.method,
    path: question.path,
    query: question.query,
    httpVersion: question.httpVersion,
    headers: unframedHeaders(question.rawHeaders, hostAt < 0 ? '' : (question.rawHeaders[hostAt + 1] ?? '')),
    errorOf: question.errorOf,
    body: null,
    connection: {
      remoteAddress: question.viewerAddress,
      remotePort: question.viewerPort,
      localAddress: '',
      localPort: question.localPort,
      loopback: isLoopback(question.viewerAddress),
      scheme: question.scheme,
      pop: 0,
      logParts: null,
    },
    startedAt: edge.clock.monotonic(),
  }
}

/** A reply in frames. What the stages say as HTTP text is not used: the head goes as fields. */
class PeerReply implements ViewerReply, PeerAnswer {
  readonly #socket: Socket
  readonly closes = false
  readonly remote = true
  onDrain: (() => void) | null = null
  onAbort: (() => void) | null = null
  bytesSent = 0
  #over = false
  readonly #drained = (): void => this.onDrain?.()
  readonly #closed = (): void => {
    this.#over = true
    this.onAbort?.()
  }

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('drain', this.#drained)
    socket.once('close', this.#closed)
  }

  get gone(): boolean {
    return this.#socket.destroyed
  }

  announce(answer: Answer, result: ResultType): void {
    this.#send({ kind: 'answer', answer, result })
  }

  fault(fault: EdgeFault): void {
    this.#send({ kind: 'fault', fault: { ...fault } })
    this.end()
  }

  alone(): void {
    this.#send({ kind: 'alone' })
  }

  hint(status: number, headers: readonly string[]): void {
    this.#send({ kind: 'hint', status, headers })
  }

  behind(): void {
    this.#send({ kind: 'behind' })
    this.end()
  }

  whole(_head: string, body: Uint8Array | null, onSent: (() => void) | null): void {
    if (body !== null && body.length > 0) {
      this.#socket.cork()
      this.#frame(body.length)
      this.#socket.write(body, () => onSent?.())
      this.end()
      this.#socket.uncork()
      return
    }
    this.end()
    onSent?.()
  }

  head(): void {}

  write(chunk: Uint8Array, onSent?: () => void): boolean {
    if (this.#over || chunk.length === 0) {
      onSent?.()
      return true
    }
    this.bytesSent += chunk.length
    this.#frame(chunk.length)
    return this.#socket.write(chunk, onSent)
  }

  end(trailers: readonly string[] = []): void {
    if (this.#over) return
    if (trailers.length > 0) {
      const text = Buffer.from(JSON.stringify(trailers))
      this.#frame(TRAILERS)
      this.#frame(text.length)
      this.#socket.write(text)
    }
    this.#frame(0)
    this.#finish()
  }

  abort(): void {
    this.#socket.destroy()
  }

  #send(head: PeerHead | PeerHint | PeerAlone): void {
    this.#socket.write(`${JSON.stringify(head)}\n`)
  }

  #frame(length: number): void {
    const bytes = Buffer.allocUnsafe(4)
    bytes.writeUInt32BE(length)
    this.#socket.write(bytes)
  }

  #finish(): void {
    this.#over = true
    this.#socket.off('drain', this.#drained)
    this.#socket.off('close', this.#closed)
  }
}
