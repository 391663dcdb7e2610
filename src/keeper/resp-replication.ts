//! Replication of redis-server and valkey-server: whom one follows, where it listens, and how its role is handed over.
import type { Redis } from 'ioredis'
import type { EngineFacts, Replication } from './engine.ts'
import { processTitle } from './resp-config.ts'
import { isReplyError, pairsOf } from './resp-replies.ts'
import { type Ask, listen } from './resp-transit.ts'
import type { Listening, ServedCertificate, Source } from './transit.ts'

/** How long a planned hand-over may pause writers, in milliseconds. */
const HAND_OVER_MS = 2000
/** Clients see a moved listener reset while it is reopened, so a refused bind is tried again slowly (engine-notes). */
const BIND_ATTEMPTS = 5
const BIND_RETRY_MS = 20
export class RespReplication implements Replication {
  readonly #redis: Redis
  /** As it was last seen. */
  #now: Pick<EngineFacts, 'listening'> = { listening: { plain: 0, tls: 0 } }

  constructor(redis: Redis) {
    this.#redis = redis
  }

  note(now: Pick<EngineFacts, 'listening'>): void {
    this.#now = now
  }

  async follow(source: Source | null): Promise<void> {
    if (source === null) {
      await this.#redis.call('REPLICAOF', 'NO', 'ONE')
      return
    }
    const turned = await this.#overTls(source.tls)
    await this.#redis.call('REPLICAOF', source.address, String(source.port))
    // The same address and port again would keep the connection as it is, encrypted or not.
    if (turned) await this.#redis.call('CLIENT', 'KILL', 'TYPE', 'master')
  }

  /** True when its way to a primary was another kind of connection before. */
  async #overTls(tls: boolean): Promise<boolean> {
    const before = (await pairsOf(this.#redis.call('CONFIG', 'GET', 'tls-replication'))).get('tls-replication')
    const wanted = tls ? 'yes' : 'no'
    if (before === wanted || (before === undefined && !tls)) return false
    await this.#redis.call('CONFIG', 'SET', 'tls-replication', wanted)
    return true
  }

  async listen(wanted: Listening, certificate: ServedCertificate | null, port: number): Promise<void> {
    const { listening: before } = this.#now
    const ask: Ask = (name, ...args) => this.#redis.call(name, ...args)
    await listen(ask, { before, wanted, port }, certificate)
  }

  async load(address: string, port: number): Promise<{ undo(): Promise<void> }> {
    const name = 'tls-replication'
    // Empty where the engine is built without TLS.
    const [, secure] = (await this.#redis.call('CONFIG', 'GET', name)) as readonly string[]
    const set = async (value: string): Promise<void> => {
      if (secure === 'yes') await this.#redis.call('CONFIG', 'SET', name, value)
    }
    await set('no')
    await this.#redis.call('REPLICAOF', address, String(port))
    return { undo: () => set('yes') }
  }

  async bind(addresses: readonly string[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#redis.call('CONFIG', 'SET', 'bind', addresses.join(' '))
        return
      } catch (error) {
        if (attempt === BIND_ATTEMPTS || !isReplyError(error)) throw error
        await new Promise((resolve) => setTimeout(resolve, BIND_RETRY_MS))
      }
    }
  }

  async dropClients(address: string): Promise<void> {
    const { plain, tls } = this.#now.listening
    for (const port of [plain, tls].filter((one) => one !== 0)) {
      await this.#redis.call('CLIENT', 'KILL', 'LADDR', `${address}:${port}`)
    }
  }

  async goBy(name: string, address: string): Promise<void> {
    const own = ['bind-source-addr', address, 'replica-announce-ip', address]
    await this.#redis.call('CONFIG', 'SET', ...own, 'proc-title-template', processTitle(name))
  }

  async handOver({ address, port, tls }: Source): Promise<void> {
    await this.#overTls(tls)
    await this.#redis.call('FAILOVER', 'TO', address, String(port), 'TIMEOUT', String(HAND_OVER_MS))
    // The command only begins it: it has ended when this engine is a replica, or is a primary without a failover.
    for (;;) {
      const info = (await this.#redis.call('INFO', 'replication')) as string
      if (info.includes('role:slave')) return
      if (info.includes('master_failover_state:no-failover')) throw new Error(`${address} did not take over in time`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}
