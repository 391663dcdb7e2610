//! Writes to a primary endpoint each millisecond, to see when it refuses and when it accepts again.
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'

const CONNECT_TIMEOUT_MS = 500
/** Between two writes: fine enough to time an outage, and leaves the processor to those whom the outage is to concern. */
const PAUSE_MS = 1
const KEY = 'storefront::write-probe'

export interface ProbeResult {
  readonly accepted: number
  readonly refused: number
  /** From the kill to the first write that was accepted after one was refused; null when none was refused. */
  readonly outageMs: number | null
}

export class WriteProbe {
  readonly #redis: Redis
  #running = true
  #loop: Promise<void> = Promise.resolve()
  #accepted = 0
  #refused = 0
  #killedAt = Number.NaN
  #refusedSinceKill = false
  #acceptedAgainAt: number | null = null

  /** @param endpoint `address:port` */
  constructor(endpoint: string) {
    const [host, port] = endpoint.split(':')
    this.#redis = new Redis({
      host,
      port: Number(port),
      connectTimeout: CONNECT_TIMEOUT_MS,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: () => PAUSE_MS,
    })
    this.#redis.on('error', () => {}) // Each refused write is counted where it failed.
  }

  /** Resolves when the endpoint has accepted a first write; from then on it writes each millisecond. */
  async start(): Promise<void> {
    while (!(await this.#write())) await sleep(PAUSE_MS)
    this.#accepted = 0
    this.#refused = 0
    this.#loop = this.#run()
  }

  /** Process id of the engine that answers at the endpoint now. */
  async primaryPid(): Promise<number> {
    const [, pid] = /process_id:(\d+)/.exec(await this.#redis.info('server')) ?? []
    if (pid === undefined) throw new Error('The primary does not tell its process id.')
    return Number(pid)
  }

  /** Replicas that the primary at the endpoint streams to now; null while nothing answers there. */
  async replicasInSync(): Promise<number | null> {
    try {
      return [...(await this.#redis.info('replication')).matchAll(/^slave\d+:.*state=online/gm)].length
    } catch {
      return null
    }
  }

  /** Ends the engine behind the endpoint with SIGKILL: no goodbye, no flush. */
  async killPrimary(): Promise<void> {
    const pid = await this.primaryPid()
    this.#refusedSinceKill = false
    this.#acceptedAgainAt = null
    this.#killedAt = performance.now()
    process.kill(pid, 'SIGKILL')
  }

  /** Resolves true when a write was refused and a later one accepted since the kill, false after `timeoutMs`. */
  async writable(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs
    while (this.#acceptedAgainAt === null && performance.now() < deadline) await sleep(PAUSE_MS)
    return this.#acceptedAgainAt !== null
  }

  async stop(): Promise<ProbeResult> {
    this.#running = false
    await this.#loop
    this.#redis.disconnect()
    const outageMs = this.#acceptedAgainAt === null ? null : this.#acceptedAgainAt - this.#killedAt
    return { accepted: this.#accepted, refused: this.#refused, outageMs }
  }

  async #run(): Promise<void> {
    while (this.#running) {
      await this.#write()
      await sleep(PAUSE_MS)
    }
  }

  async #write(): Promise<boolean> {
    try {
      await this.#redis.set(KEY, this.#accepted, 'EX', 60)
    } catch {
      this.#refused++
      this.#refusedSinceKill = true
      return false
    }
    this.#accepted++
    if (this.#refusedSinceKill && this.#acceptedAgainAt === null) this.#acceptedAgainAt = performance.now()
    return true
  }
}
