//! The HTTP/1.1 listener: one server socket, its connections, the sweep of their time limits, drain and close.
import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { Connection, type ConnectionHost } from './connection.ts'
import { DEFAULT_LIMITS, type ListenLimits } from './limits.ts'
import { type RefusalCause, reasonOf } from './refusal.ts'
import type { ViewerConnection, ViewerHandler } from './viewer.ts'

/** A request that the listener answers by itself. */
export interface Refusal {
  readonly connection: ViewerConnection
  readonly status: number
  readonly cause: RefusalCause
  /** One sentence for people. */
  readonly reason: string
}

export interface ListenOptions {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** Several workers accept on the same port; the kernel spreads connections over them (Linux). */
  readonly reusePort: boolean
  /** Index of the POP that this address is. */
  readonly pop: number
  readonly clock: Clock
  readonly handler: ViewerHandler
  /** Builds a refusal's head (with `Connection: close`, its length and final empty line) and body: see http/error-page.ts. */
  readonly refuse: (refusal: Refusal) => { head: string; body: Uint8Array }
  readonly limits?: Partial<ListenLimits>
  readonly onConnection?: (event: 'opened' | 'closed' | 'dropped') => void
}

export interface Listener {
  /** Where it listens. */
  readonly address: { readonly host: string; readonly port: number }
  /** Connections open now. */
  readonly connections: number
  /** Accepts no more, ends idle connections, lets each answer under way finish; resolves when all have ended. */
  drain(): Promise<void>
  /** Cuts all connections; resolves when the port is free. */
  close(): Promise<void>
}

/** @throws the system's error when the address cannot be bound (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
export async function listenHttp1(options: ListenOptions): Promise<Listener> {
  const limits: ListenLimits = { ...DEFAULT_LIMITS, ...options.limits }
  const connections = new Set<Connection>()
  let draining = false
  const host: ConnectionHost = {
    clock: options.clock,
    limits,
    handler: options.handler,
    get draining() {
      return draining
    },
    refuse: (connection, status, cause) => options.refuse({ connection, status, cause, reason: reasonOf(status) }),
    closed: (connection) => {
      connections.delete(connection)
      options.onConnection?.('closed')
    },
  }
  // Half-open: a viewer that has sent its request and closed its half still gets what can be had at once.
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket: Socket) => {
    connections.add(new Connection(socket, host, options.pop))
    options.onConnection?.('opened')
  })
  server.maxConnections = limits.connections
  server.on('drop', () => options.onConnection?.('dropped'))
  await bind(server, options)
  server.on('error', () => {})
  const sweep = setInterval(() => {
    const now = options.clock.monotonic()
    for (const connection of connections) if (connection.deadline <= now) connection.overdue()
  }, limits.sweepMs)
  sweep.unref()
  const ended = new Promise<void>((resolve) => server.once('close', () => resolve()))
  const stopAccepting = () => {
    draining = true
    if (server.listening) server.close()
  }
  const stopped = async () => {
    await ended
    clearInterval(sweep)
  }
  const bound = server.address()
  return {
    address:
      bound !== null && typeof bound === 'object' ? { host: bound.address, port: bound.port } : { host: '', port: 0 },
    get connections() {
      return connections.size
    },
    drain() {
      stopAccepting()
      for (const connection of connections) connection.drain()
      return stopped()
    },
    close() {
      stopAccepting()
      for (const connection of connections) connection.socket.destroy()
      return stopped()
    },
  }
}

function bind(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: options.host, port: options.port, reusePort: options.reusePort }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
