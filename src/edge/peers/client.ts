//! Asks the worker that owns a key at a place (peers/protocol.ts). The head comes back as a promise, the body goes into the flight
//! as it arrives, at the pace of those who read it.
import { connect, type Socket } from 'node:net'
import type { Flight } from '../cache/flight.ts'
import type { AskPeers } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import type { WorkerIdentity } from '../feed-protocol.ts'
import type { ViewerTls } from '../listen/viewer.ts'
import { OriginFailure } from '../origin/failure.ts'
import { type Place, sliceAt } from '../places.ts'
import type { DistributionPlan } from '../snapshot/snapshot.ts'
import { headerOrder } from '../viewer/header-order.ts'
import { AnswerParser } from './answer-parser.ts'
import type { PeerQuestion, PeerResult } from './protocol.ts'

/** Idle connections kept to one peer. */
const IDLE_MAX = 32

export class PeerClient implements AskPeers {
  readonly #idle = new Map<string, Socket[]>()
  readonly #busy = new Map<Socket, string>()
  #closed = false

  ask(owner: WorkerIdentity, place: Place, x: Exchange, flight: Flight): Promise<PeerResult> {
    const reused = this.#idle.get(owner.peerSocket)?.pop()
    if (reused === undefined) return this.#ask(owner.peerSocket, connect(owner.peerSocket), place, x, flight)
    // An idle connection may be that of a worker which has gone since: then a new one tells.
    return this.#ask(owner.peerSocket, reused, place, x, flight).then((result) =>
      result.kind === 'gone' && !flight.abandoned
        ? this.#ask(owner.peerSocket, connect(owner.peerSocket), place, x, flight)
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

  #ask(path: string, socket: Socket, place: Place, x: Exchange, flight: Flight): Promise<PeerResult> {
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
      socket.write(`${JSON.stringify(questionOf(x, place))}\n`)
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

/** `place` is the one whose object is asked for. */
export function questionOf(x: Exchange, place: Place): PeerQuestion {
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
    viewerPort: x.viewerPort,
    forwardedFor: x.forwardedFor,
    location: x.behavior?.locates ? x.location : null,
    tls: agreed(request.connection.tls),
    reused: request.reused,
    headerOrder: headerOrder(request.headers),
    localPort: request.connection.localPort,
    requestId: x.requestId,
    distributionId: (x.distribution as DistributionPlan).id,
    place: place.name,
    layer: place.layer,
    ofSamePlace: place.name === x.place.name,
    slice: sliceAt(place, x),
    goneVersion: x.goneVersion,
    inner: x.inner,
    explain: x.watcher !== null,
    revision: x.snapshot.revision,
  }
}

function agreed(tls: ViewerTls | null): PeerQuestion['tls'] {
  if (tls === null) return null
  const { protocol, cipher, resumed, alpn, serverName, client } = tls
  return { protocol, cipher, resumed, alpn, serverName, client }
}
