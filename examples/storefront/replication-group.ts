//! The replication group as one store: reads go to the reader endpoint (the replicas), writes to the primary endpoint.
//! Replication is asynchronous, so what this process wrote a moment ago it reads from the primary: a replica that lags,
//! as each does for a moment after a failover, would show the old price, and the edge would keep it for minutes. Client, serialization and cache rules are libraries (@keyv/redis, keyv, cacheable); only this split is the shop's.
//! A failover is a lost connection and a new one at the same address, so all that is asked of the client is to fail at
//! once while it is away, instead of queueing, and to come back quickly.
import KeyvRedis, { createClient } from '@keyv/redis'

/** How soon a lost connection is tried again: a promoted replica takes a few milliseconds. Milliseconds. */
const RECONNECT_MS = { least: 10, most: 500 }
const CONNECT_TIMEOUT_MS = 500
/** An endpoint that stays silent for so long counts as lost; the ping keeps an idle connection alive. Milliseconds. */
const SILENCE_TIMEOUT_MS = 500
const PING_MS = 200
/** How long an own write is read from the primary, in milliseconds; far longer than a replica in sync ever lags. */
const OWN_WRITE_MS = 10_000

export interface Endpoint {
  /** IP address or name. */
  readonly host: string
  readonly port: number
}

type Client = ReturnType<typeof createClient>

function connect(endpoint: Endpoint): Client {
  const client = createClient({
    disableOfflineQueue: true,
    pingInterval: PING_MS,
    socket: {
      host: endpoint.host,
      port: endpoint.port,
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SILENCE_TIMEOUT_MS,
      reconnectStrategy: (retries) => Math.min(RECONNECT_MS.least * 2 ** retries, RECONNECT_MS.most),
    },
  })
  client.on('error', () => {}) // Each failed command is counted where it failed; the client reconnects by itself.
  client.connect().catch(() => {})
  return client as Client
}

export class ReplicationGroupStore extends KeyvRedis<string> {
  readonly #reader: KeyvRedis<string>
  /** Keys of own writes in the order of their time, each with the time up to which the primary is asked for it. */
  readonly #ownWrites = new Map<string, number>()

  constructor(primary: Endpoint, reader: Endpoint, namespace: string) {
    const options = { namespace, throwOnErrors: true, throwOnConnectError: false }
    super(connect(primary), options)
    this.#reader = new KeyvRedis(connect(reader), options)
    for (const store of [this, this.#reader]) store.on('error', () => {})
  }

  override get<Value = string>(key: string): Promise<Value | undefined> {
    return this.#isOwnWrite(key) ? super.get<Value>(key) : this.#reader.get<Value>(key)
  }

  override getMany<Value = string>(keys: string[]): Promise<Array<Value | undefined>> {
    return keys.some((key) => this.#isOwnWrite(key)) ? super.getMany<Value>(keys) : this.#reader.getMany<Value>(keys)
  }

  override set(key: string, value: string, ttl?: number): Promise<void> {
    this.#noteOwnWrite(key)
    return super.set(key, value, ttl)
  }

  override delete(key: string): Promise<boolean> {
    this.#noteOwnWrite(key)
    return super.delete(key)
  }

  #noteOwnWrite(key: string): void {
    const now = performance.now()
    this.#ownWrites.delete(key) // So that it moves to the end.
    this.#ownWrites.set(key, now + OWN_WRITE_MS)
    for (const [oldest, until] of this.#ownWrites) {
      if (until > now) break
      this.#ownWrites.delete(oldest)
    }
  }

  #isOwnWrite(key: string): boolean {
    return (this.#ownWrites.get(key) ?? 0) > performance.now()
  }

  /** Calls back each time the primary endpoint accepts commands: at first, and after a failover. */
  onPrimaryReady(callback: () => void): void {
    this.client.on('ready', callback)
  }

  override async disconnect(): Promise<void> {
    await Promise.all([super.disconnect(true), this.#reader.disconnect(true)])
  }
}
