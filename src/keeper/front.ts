//! One address that stands for several processes: the reader endpoint of two or more replicas. It chooses a replica for
//! each connection and passes bytes on; a connection stays with its replica.
import { connect, createServer, type Server, type Socket } from 'node:net'
import { joinSockets } from '../lib/forward.ts'

/** A replica that does not take a connection within this time is passed over. Milliseconds. */
const CONNECT_TIMEOUT_MS = 500

export interface Front {
  /** Listens if it does not yet; rejects when the address is taken. */
  open(): Promise<void>
  /** Stops listening and ends the connections that go through it. */
  close(): Promise<void>
}

/** A front that leads to several: it can end the connections to one of them. */
export interface ReaderFront extends Front {
  /** Ends connections to all addresses but these; their clients connect again and get another. */
  keepOnly(addresses: readonly string[]): void
}

/** A listener on one address that hands its connections to `serve`, and knows them all. */
export class FrontListener implements Front {
  readonly #address: string
  readonly #port: number
  readonly #serve: (client: Socket) => void
  readonly #clients = new Set<Socket>()
  #server: Server | null = null

  constructor(address: string, port: number, serve: (client: Socket) => void) {
    this.#address = address
    this.#port = port
    this.#serve = serve
  }

  open(): Promise<void> {
    if (this.#server !== null) return Promise.resolve()
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
      this.#clients.add(client)
      client.once('close', () => this.#clients.delete(client))
      this.#serve(client)
    })
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: this.#address, port: this.#port, exclusive: true }, () => {
        this.#server = server
        server.on('error', () => {})
        resolve()
      })
    })
  }

  close(): Promise<void> {
    const server = this.#server
    this.#server = null
    for (const client of this.#clients) client.destroy()
    if (server === null) return Promise.resolve()
    return new Promise((resolve) => server.close(() => resolve()))
  }
}

/** The reader endpoint: goes round over `targets()`, and on to the next when one does not take the connection. */
export function readerFront(address: string, port: number, targets: () => readonly string[]): ReaderFront {
  let turn = 0
  const backends = new Map<Socket, string>()
  const listener = new FrontListener(address, port, (client) => {
    const now = targets()
    const first = turn++
    const order = now.map((_, at) => now[(first + at) % now.length]!)
    client.pause()
    connectFirst(order, port, (backend, host) => {
      if (backend === null || client.destroyed) {
        backend?.destroy()
        client.destroy()
        return
      }
      backends.set(backend, host)
      backend.once('close', () => backends.delete(backend))
      joinSockets(client, backend)
      client.resume()
    })
    client.on('error', () => client.destroy())
  })
  return {
    open: () => listener.open(),
    close: () => listener.close(),
    keepOnly(kept) {
      for (const [backend, host] of backends) if (!kept.includes(host)) backend.destroy()
    },
  }
}

/** Connects to the first address that takes it, and tells which; null when none does. */
export function connectFirst(
  addresses: readonly string[],
  port: number,
  done: (backend: Socket | null, host: string) => void,
): void {
  const [host, ...rest] = addresses
  if (host === undefined) {
    done(null, '')
    return
  }
  const backend = connect({ host, port, noDelay: true, allowHalfOpen: true })
  const next = (): void => {
    clearTimeout(timer)
    backend.removeAllListeners()
    backend.on('error', () => {})
    backend.destroy()
    connectFirst(rest, port, done)
  }
  const timer = setTimeout(next, CONNECT_TIMEOUT_MS)
  backend.once('error', next)
  backend.once('connect', () => {
    clearTimeout(timer)
    backend.removeAllListeners('error')
    done(backend, host)
  })
}
