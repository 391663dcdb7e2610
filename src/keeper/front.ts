//! One address that stands for several processes, or for two ports of one: the reader endpoint of two or more replicas,
//! and every address of a group that takes clients with and without TLS. It chooses a target for each connection and
//! passes bytes on; a connection stays with its target.
import { connect, createServer, type Server, type Socket } from 'node:net'
import { joinSockets } from '../lib/forward.ts'
import { keeperAddress } from './addresses.ts'
import type { Listening } from './transit.ts'

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

/** First byte of a TLS client: a record of the handshake (RFC 8446 5.1). No command of RESP or inline begins with it. */
export const TLS_HANDSHAKE = 0x16

/**
 * Goes round over `targets()`, and on to the next when one does not take the connection. With `behind`, it takes clients
 * with and without TLS, and leads each kind to the port that is theirs.
 */
export function readerFront(
  address: string,
  port: number,
  targets: () => readonly string[],
  behind: Listening | null = null,
): ReaderFront {
  let turn = 0
  const backends = new Map<Socket, string>()
  const lead = (client: Socket, to: number, first: Buffer | null): void => {
    const now = targets()
    const start = turn++
    const order = now.map((_, at) => now[(start + at) % now.length]!)
    client.pause()
    connectFirst(order, to, (backend, host) => {
      if (backend === null || client.destroyed) {
        backend?.destroy()
        client.destroy()
        return
      }
      backends.set(backend, host)
      backend.once('close', () => backends.delete(backend))
      if (first !== null) backend.write(first)
      joinSockets(client, backend)
      client.resume()
    })
  }
  const listener = new FrontListener(address, port, (client) => {
    client.on('error', () => client.destroy())
    if (behind === null) {
      lead(client, port, null)
      return
    }
    // One that leaves without a word was told from neither kind.
    const left = (): void => void client.destroy()
    client.once('end', left)
    client.once('data', (first: Buffer) => {
      client.removeListener('end', left)
      lead(client, first[0] === TLS_HANDSHAKE ? behind.tls : behind.plain, first)
    })
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
  const backend = connect({ host, port, localAddress: keeperAddress(host), noDelay: true, allowHalfOpen: true })
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
