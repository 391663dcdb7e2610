//! Asks the worker that owns a key (peers/protocol.ts). The head comes back as a promise, the body goes into the flight
//! as it arrives, at the pace of those who read it.
import { connect, type Socket } from 'node:net'
import type { Flight } from '../cache/flight.ts'
import type { AskPeers } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import type { WorkerIdentity } from '../feed-protocol.ts'
import { OriginFailure } from '../origin/failure.ts'
import {
  type PeerAlone,
  type PeerHead,
  type PeerHint,
  type PeerQuestion,
  type PeerResult,
  TRAILERS,
} from './protocol.ts'

/** Idle connections kept to one peer. */
const IDLE_MAX = 32
/** Bytes of the head's line; a longer one is not from a worker of ours. */
const HEAD_BYTES_MAX = 256 * 1024

export class PeerClient implements AskPeers {
  readonly #idle = new Map<string, Socket[]>()
  readonly #busy = new Map<Socket, string>()
  #closed = false

  ask(owner: WorkerIdentity, x: Exchange, flight: Flight): Promise<PeerResult> {
    const reused = this.#idle.get(owner.peerSocket)?.pop()
    if (reused === undefined) return this.#ask(owner.peerSocket, connect(owner.peerSocket), x, flight)
    // An idle connection may be that of a worker which has gone since: then a new one tells.
    return this.#ask(owner.peerSocket, reused, x, flight).then((result) =>
      result.kind === 'gone' && !flight.abandoned
        ? this.#ask(owner.peerSocket, connect(owner.peerSocket), x, flight)
        : result,
    )
  }

  get busy(): number {
    return this.#busy.size
  }

  /** A worker without a lease may be frozen, its sockets open: nothing would ever come from it. */
  onlyThese(workers: readonly WorkerIdentity[]): void {
    const live = new Set(workers.map((worker) => worker.peerSocket))
    for (const [socket, path] of this.#busy) if (!live.has(path)) socket.destroy()
    for (const [path, sockets] of this.#idle) if (!live.has(path)) for (const socket of [...sockets]) socket.destroy()
  }

  close(): void {
    this.#closed = true
    for (const socket of this.#busy.keys()) socket.destroy()
    for (const sockets of this.#idle.values()) for (const socket of sockets) socket.destroy()
    this.#idle.clear()
  }

  #ask(path: string, socket: Socket, x: Exchange, flight: Flight): Promise<PeerResult> {
    return new Promise((resolve) => {
      this.#busy.set(socket, path)
      let over = false
      // Also before the head: who is waited for no longer is told by the end of the connection. After its end it is for others.
      flight.source = {
        pause: () => over || socket.pause(),
        resume: () => over || socket.resume(),
        abort: () => over || socket.destroy(),
      }
      const parser = new AnswerParser({
        early: (line) => {
          if (line.kind === 'hint') flight.onInterim(line.status, line.headers)
          else flight.decide('alone')
        },
        head: (head) => {
          if (head.kind === 'answer') flight.onHead(head.answer.status, '', [])
          resolve(head)
        },
        data: (chunk) => flight.onData(chunk),
        end: (trailers) => {
          over = true
          socket.removeAllListeners()
          this.#busy.delete(socket)
          this.#keep(path, socket)
          if (parser.answered) flight.onEnd(trailers)
        },
      })
      socket.on('data', (chunk: Buffer) => {
        if (!parser.read(chunk)) socket.destroy()
      })
      socket.on('error', () => {})
      socket.once('close', () => {
        this.#busy.delete(socket)
        if (parser.answered) flight.onFailure(new OriginFailure('reset', 'the worker that owns the key broke off'))
        resolve({ kind: 'gone' })
      })
      socket.write(`${JSON.stringify(questionOf(x))}\n`)
    })
  }

  #keep(path: string, socket: Socket): void {
    const sockets = this.#idle.get(path) ?? []
    if (this.#closed || sockets.length >= IDLE_MAX) {
      socket.destroy()
      return
    }
    socket.on('error', () => {})
    socket.once('close', () => {
      const at = sockets.indexOf(socket)
      if (at >= 0) sockets.splice(at, 1)
    })
    socket.unref()
    sockets.push(socket)
    this.#idle.set(path, sockets)
  }
}

function questionOf(x: Exchange): PeerQuestion {
  const { request } = x
  return {
    method: request.method,
    path: request.path,
    query: request.query,
    httpVersion: request.httpVersion,
    scheme: request.connection.scheme,
    rawHeaders: request.headers.raw,
    errorOf: request.errorOf,
    viewerAddress: x.viewerAddress,
    viewerPort: request.connection.remotePort,
    localPort: request.connection.localPort,
    requestId: x.requestId,
    slice: x.slice,
    goneVersion: x.goneVersion,
    inner: x.inner,
    revision: x.snapshot.revision,
  }
}

interface AnswerParts {
  /** What comes before the head. */
  early(line: PeerHint | PeerAlone): void
  head(head: PeerHead): void
  data(chunk: Uint8Array): void
  end(trailers: readonly string[]): void
}

/** Takes an answer apart as its bytes arrive. */
class AnswerParser {
  readonly #parts: AnswerParts
  #rest: Buffer = Buffer.alloc(0)
  /** Bytes of the current piece that are still to come; -1 while its length is. */
  #left = -1
  #state: 'head' | 'body' | 'over' = 'head'
  #trailers: readonly string[] = []
  /** True after a head that a body follows. */
  answered = false

  constructor(parts: AnswerParts) {
    this.#parts = parts
  }

  /** False when this is not an answer of ours. */
  read(chunk: Buffer): boolean {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    while (this.#state === 'head') {
      const end = bytes.indexOf(10)
      if (end < 0) {
        this.#rest = bytes
        return bytes.length <= HEAD_BYTES_MAX
      }
      let line: PeerHead | PeerHint | PeerAlone
      try {
        line = JSON.parse(bytes.toString('utf8', 0, end)) as PeerHead | PeerHint | PeerAlone
      } catch {
        return false
      }
      bytes = bytes.subarray(end + 1)
      if (line.kind === 'hint' || line.kind === 'alone') {
        this.#parts.early(line)
        continue
      }
      this.answered = line.kind === 'answer'
      this.#state = 'body'
      this.#parts.head(line)
    }
    this.#rest = this.#body(bytes)
    return this.#rest.length <= HEAD_BYTES_MAX
  }

  /** Hands on what is there of the body; returns what is not enough to go on with. */
  #body(bytes: Buffer): Buffer {
    let at = 0
    while (this.#state === 'body') {
      if (this.#left < 0) {
        if (bytes.length - at < 4) break
        const left = bytes.readUInt32BE(at)
        if (left === TRAILERS) {
          const from = at + 8
          const to = bytes.length < from ? Number.POSITIVE_INFINITY : from + bytes.readUInt32BE(at + 4)
          if (bytes.length < to) break
          this.#trailers = JSON.parse(bytes.toString('utf8', from, to)) as string[]
          at = to
          continue
        }
        this.#left = left
        at += 4
        if (left === 0) {
          this.#state = 'over'
          this.#parts.end(this.#trailers)
          break
        }
      }
      if (at === bytes.length) break
      const piece = bytes.subarray(at, at + this.#left)
      at += piece.length
      this.#left -= piece.length
      if (this.#left === 0) this.#left = -1
      this.#parts.data(piece)
    }
    return bytes.subarray(at)
  }
}
