//! The two connections that an application has to a replication group: writes, and reads that must see them, go to the
//! primary endpoint; reads that may be a moment old go to the reader endpoint. A failover is a lost connection and a new
//! one at the same address: ioredis comes back by itself and sends again what was not answered. A command that must not
//! happen twice therefore carries an id of its own (see write-behind.ts).
import { Redis } from 'ioredis'

/** Pause before a lost connection is tried again: doubles from the first to the last. Milliseconds. */
const RECONNECT_FIRST_MS = 10
const RECONNECT_LAST_MS = 500
const PORT = 6379

export interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface Cache {
  readonly primary: Redis
  readonly reader: Redis
  close(): void
}

/** `address` or `address:port`. */
export function endpointOf(text: string): Endpoint {
  const [host = '', port = String(PORT)] = text.split(':')
  return { host, port: Number(port) }
}

export function connect(primary: Endpoint, reader: Endpoint): Cache {
  const clients = [client(primary), client(reader)] as const
  return {
    primary: clients[0],
    reader: clients[1],
    close: () => {
      for (const one of clients) one.disconnect()
    },
  }
}

export function client({ host, port }: Endpoint): Redis {
  const redis = new Redis({
    host,
    port,
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(RECONNECT_FIRST_MS * 2 ** attempt, RECONNECT_LAST_MS),
    // A primary that was demoted while we were connected answers READONLY: connect again, to the one that is it now.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  })
  redis.on('error', () => {}) // Each command that fails says so where it was asked.
  return redis
}
