//! One address that stands for several processes, or for two ports of one: the reader endpoint of two or more replicas,
//! and every address of a group that takes clients with and without TLS. It chooses a target for each connection and
//! passes bytes on; a connection stays with its target.
import { readFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type SecureContextOptions, type Server as TlsServer } from 'node:tls'
import { joinSockets } from '../lib/forward.ts'
import { dial } from './dial.ts'
import type { DoorTls } from './door.ts'
import type { Listening, ServedCertificate } from './transit.ts'

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
  readonly #certificate: () => ServedCertificate | null
  readonly #clients = new Set<Socket>()
  #server: Server | null = null
  #served: ServedCertificate | null = null

  /** `certificate`: what it serves TLS with, null to take connections as they are; one or the other for good. */
  constructor(
    address: string,
    port: number,
    serve: (client: Socket) => void,
    certificate: () => ServedCertificate | null = () => null,
  ) {
    this.#address = address
    this.#port = port
    this.#serve = serve
    this.#certificate = certificate
  }

  open(): Promise<void> {
    if (this.#server !== null) {
      this.#renew(this.#server)
      return Promise.resolve()
    }
    const server = this.#make()
    server.on('connection', (client: Socket) => {
      this.#clients.add(client)
      client.once('close', () => this.#clients.delete(client))
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

  #make(): Server {
    const options = { noDelay: true, allowHalfOpen: true }
    this.#served = this.#certificate()
    if (this.#served === null) return createServer(options, this.#serve)
    const server = createTlsServer({ ...options, ...contextOf(this.#served) }, this.#serve)
    server.on('tlsClientError', () => {})
    return server
  }

  /** Connections to come get the newest certificate. */
  #renew(server: Server): void {
    const certificate = this.#certificate()
    if (certificate === null || certificate.number === this.#served?.number) return
    ;(server as TlsServer).setSecureContext(contextOf(certificate))
    this.#served = certificate
  }

  close(): Promise<void> {
    const server = this.#server
    this.#server = null
    for (const client of this.#clients) client.destroy()
    if (server === null) return Promise.resolve()
    return new Promise((resolve) => server.close(() => resolve()))
  }
}

/** Key and chain are one file. */
function contextOf({ file }: ServedCertificate): SecureContextOptions {
  const pem = readFileSync(file)
  return { key: pem, cert: pem, minVersion: 'TLSv1.2' }
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
  tls: DoorTls | null = null,
): void {
  const [host, ...rest] = addresses
  if (host === undefined) {
    done(null, '')
    return
  }
  dial({ address: host, port, tls }, CONNECT_TIMEOUT_MS, { allowHalfOpen: true }).then(
    (backend) => done(backend, host),
    () => connectFirst(rest, port, done, tls),
  )
}
