//! The viewers' listener: its addresses, plain and TLS, their connections, the sweep of time limits, drain and close.
import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { Admission, type DropCause } from './admission.ts'
import { Arrivals } from './arrivals.ts'
import { Connection } from './connection.ts'
import { Http2Connection } from './http2/connection.ts'
import type { Http2LimitName } from './http2/limits.ts'
import { DEFAULT_LIMITS, type ListenLimits } from './limits.ts'
import { type RefusalCause, type RefusedLine, reasonOf, STATUS_OF } from './refusal.ts'
import type { TlsAcceptor } from './tls/acceptor.ts'
import type { ViewerConnection, ViewerHandler } from './viewer.ts'
import type { ConnectionHost, ViewerSocket } from './viewer-socket.ts'

/** A request that the listener answers by itself. */
export interface Refusal {
  readonly connection: ViewerConnection
  readonly status: number
  readonly cause: RefusalCause
  /** What is known of the request line; null for nothing, `told` when the pipeline has the request and records it. */
  readonly line: RefusedLine | 'told' | null
  /** One sentence for people. */
  readonly reason: string
}

export interface ListenAt {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** Index of the POP that this address is. */
  readonly pop: number
  /** Null for plain HTTP. */
  readonly tls: TlsAcceptor | null
  /** `::` without it takes IPv4 as well. */
  readonly ipv6Only?: boolean
  /** Distribution that alone has this address; absent where all are reached. */
  readonly dedicatedTo?: string
}

export interface ListenOptions {
  readonly addresses: readonly ListenAt[]
  /** Several workers accept on the same ports; the kernel spreads connections over them (Linux). */
  readonly reusePort: boolean
  readonly clock: Clock
  readonly handler: ViewerHandler
  /** Builds a refusal's head (with `Connection: close`, its length and final empty line) and body: see http/error-page.ts. */
  readonly refuse: (refusal: Refusal) => { head: string; body: Uint8Array }
  readonly limits?: Partial<ListenLimits>
  readonly onConnection?: (event: 'opened' | 'closed') => void
  /** An HTTP/2 connection went over a limit. */
  readonly onHttp2Limit?: (limit: Http2LimitName) => void
  /** A connection was closed before its first request; `address` is the viewer's, as far as it is known. */
  readonly onDropped?: (cause: DropCause, address: string) => void
  /** Shared by all listeners of a worker; one of its own otherwise. */
  readonly admission?: Admission
  /** Peers that begin each connection with a PROXY header; nobody otherwise. */
  readonly isProxy?: (address: string) => boolean
}

export interface Listener {
  /** Where it listens, in the order of `ListenOptions.addresses`. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[]
  /** Connections open now. */
  readonly connections: number
  /** Accepts no more, ends idle connections, lets each answer under way finish; resolves when all have ended. */
  drain(): Promise<void>
  /** Cuts all connections; resolves when the port is free. */
  close(): Promise<void>
}

/** @throws the system's error when an address cannot be bound (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
export async function listenViewers(options: ListenOptions): Promise<Listener> {
  const { clock, onConnection } = options
  const limits: ListenLimits = { ...DEFAULT_LIMITS, ...options.limits }
  const connections = new Set<ViewerSocket>()
  let draining = false
  const host: ConnectionHost = {
    clock,
    limits,
    handler: options.handler,
    get draining() {
      return draining
    },
    refuse: (connection, cause, line) => {
      const status = STATUS_OF[cause]
      return options.refuse({ connection, status, cause, line, reason: reasonOf(status) })
    },
    closed: (connection) => {
      connections.delete(connection)
      onConnection?.('closed')
    },
    limited: (limit) => options.onHttp2Limit?.(limit),
  }
  const admission = options.admission ?? new Admission(limits, { now: () => clock.monotonic() })
  const arrivals = new Arrivals({
    clock,
    limits,
    admission,
    isProxy: options.isProxy ?? (() => false),
    dropped: (cause, address) => options.onDropped?.(cause, address),
    begin: (socket, pop, tls, ends, place) => {
      if (draining) {
        socket.destroy()
        return
      }
      const connection =
        tls?.alpn === 'h2'
          ? new Http2Connection(socket, host, pop, tls, ends)
          : new Connection(socket, host, pop, tls, ends)
      connection.place = place
      connections.add(connection)
      onConnection?.('opened')
    },
  })
  const relievable = { connections, arrivals }
  admission.relief.add(relievable)
  const servers: Server[] = []
  const stopAccepting = (): Promise<unknown> => {
    draining = true
    return Promise.all(servers.map(closed))
  }
  for (const at of options.addresses) {
    // Half-open: a viewer that has sent its request and closed its half still gets what can be had at once.
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket: Socket) => arrivals.accept(socket, at))
    servers.push(server)
    await bind(server, at, options.reusePort).catch(async (error) => {
      await stopAccepting()
      throw error
    })
  }
  const sweep = setInterval(() => {
    const now = clock.monotonic()
    for (const connection of connections) if (connection.deadline <= now) connection.overdue()
    arrivals.sweep(now)
  }, limits.sweepMs)
  sweep.unref()
  const end = async (cut: boolean): Promise<void> => {
    const stopped = stopAccepting()
    arrivals.cut()
    for (const connection of [...connections]) {
      if (cut) connection.socket.destroy()
      else connection.drain()
    }
    await stopped
    clearInterval(sweep)
    admission.relief.remove(relievable)
  }
  return {
    addresses: servers.map(boundAddress),
    get connections() {
      return connections.size
    },
    drain: () => end(false),
    close: () => end(true),
  }
}

function bind(server: Server, { host, port, ipv6Only = false }: ListenAt, reusePort: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, reusePort, ipv6Only }, () => {
      server.off('error', reject)
      server.on('error', () => {})
      resolve()
    })
  })
}

function boundAddress(server: Server): { host: string; port: number } {
  const bound = server.address()
  return bound !== null && typeof bound === 'object' ? { host: bound.address, port: bound.port } : { host: '', port: 0 }
}

/** Accepts no more; resolves when its last connection has ended. */
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
