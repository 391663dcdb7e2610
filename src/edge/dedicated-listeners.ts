//! Addresses that one distribution has for itself (SSLSupportMethod vip): listeners of the first POP, at its ports, which
//! come and go with the configuration. One that cannot be bound is told to control, and tried until it can.
import type { FeedChange, SilentAddress } from './feed-protocol.ts'
import { type ListenAt, type Listener, listenViewers } from './listen/listener.ts'
import type { ListenAddress, SharedListen } from './listeners.ts'
import type { Snapshot } from './snapshot/snapshot.ts'

/** Milliseconds between attempts to bind: doubled from the first to the last. */
const RETRY_MS_FIRST = 250
const RETRY_MS_LAST = 8_000

interface Ports {
  readonly http: ListenAddress
  readonly https: ListenAddress | null
}

interface Dedicated {
  readonly distributionId: string
  readonly listener: Listener
}

export class DedicatedListeners {
  readonly #shared: SharedListen
  /** Whose ports they have. */
  readonly #pop: Ports
  /** Address by distribution, as the configuration has them. */
  #wanted = new Map<string, string>()
  readonly #open = new Map<string, Dedicated>()
  /** Wanted, and not bound yet, by address. */
  readonly #silent = new Map<string, SilentAddress>()
  #retry: NodeJS.Timeout | null = null
  #retryMs = RETRY_MS_FIRST
  #isDown = false
  /** Those that accept no more and finish what runs. */
  readonly #leaving = new Set<Listener>()
  /** Changes come one after the other. */
  #changing: Promise<void> = Promise.resolve()
  #ended = false

  constructor(shared: SharedListen, pop: Ports) {
    this.#shared = shared
    this.#pop = pop
  }

  /** A whole configuration is there. Null when there is nothing to do, otherwise when they listen. */
  replace({ distributions }: Pick<Snapshot, 'distributions'>, isDown: boolean): Promise<void> | null {
    this.#wanted = new Map()
    for (const { doc } of distributions.values()) this.#want(doc.id, doc.dedicatedAddress)
    return this.#settle(isDown)
  }

  /** The configuration has changed in these. As of `replace`. */
  apply(
    changes: readonly FeedChange[],
    { distributions }: Pick<Snapshot, 'distributions'>,
    isDown: boolean,
  ): Promise<void> | null {
    for (const change of changes)
      if (change.kind === 'distribution') this.#want(change.id, distributions.get(change.id)?.doc.dedicatedAddress)
    return this.#settle(isDown)
  }

  /** Where it should listen, and does not. */
  get silent(): readonly SilentAddress[] {
    return [...this.#silent.values()]
  }

  async drain(): Promise<void> {
    this.#end()
    await this.#changing
    await Promise.all([...this.#open.values()].map(({ listener }) => listener.drain()))
  }

  async close(): Promise<void> {
    this.#end()
    await this.#changing
    await Promise.all(
      [...this.#leaving, ...[...this.#open.values()].map(({ listener }) => listener)].map((one) => one.close()),
    )
  }

  #end(): void {
    this.#ended = true
    if (this.#retry !== null) clearTimeout(this.#retry)
  }

  #want(distributionId: string, address: string | undefined): void {
    if (address === undefined) this.#wanted.delete(distributionId)
    else this.#wanted.set(distributionId, address)
  }

  /** `isDown`: the POP is: nobody listens. */
  #settle(isDown: boolean): Promise<void> | null {
    this.#isDown = isDown
    if (this.#wanted.size === 0 && this.#open.size === 0 && this.#silent.size === 0) return null
    const wanted = new Map(isDown ? [] : [...this.#wanted].map(([id, address]) => [address, id]))
    this.#changing = this.#changing.then(async () => {
      for (const [address, { distributionId, listener }] of [...this.#open]) {
        if (wanted.get(address) === distributionId) continue
        this.#open.delete(address)
        // The port is free at once; answers under way end by themselves.
        this.#leaving.add(listener)
        void listener.drain().then(() => this.#leaving.delete(listener))
      }
      for (const [address, { distributionId }] of this.#silent)
        if (wanted.get(address) !== distributionId) this.#silent.delete(address)
      for (const [address, distributionId] of wanted) if (!this.#ended) await this.#listen(address, distributionId)
      this.#retryLater()
    })
    return this.#changing
  }

  #retryLater(): void {
    if (this.#silent.size === 0) this.#retryMs = RETRY_MS_FIRST
    if (this.#silent.size === 0 || this.#ended || this.#retry !== null) return
    this.#retry = setTimeout(() => {
      this.#retry = null
      void this.#settle(this.#isDown)
    }, this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_LAST)
  }

  async #listen(host: string, distributionId: string): Promise<void> {
    if (this.#open.has(host)) return
    const { tls, problem } = this.#shared
    const { http, https } = this.#pop
    const at = { host, pop: 0, ipv6Only: true, dedicatedTo: distributionId }
    const addresses: ListenAt[] = [
      { ...at, port: http.port, tls: null },
      ...(https === null ? [] : [{ ...at, port: https.port, tls }]),
    ]
    try {
      this.#open.set(host, { distributionId, listener: await listenViewers({ ...this.#shared, addresses }) })
      this.#silent.delete(host)
    } catch (error) {
      const { code = 'unknown', message } = error as NodeJS.ErrnoException
      // Said once, not with each attempt.
      if (this.#silent.get(host)?.code !== code)
        problem(`the dedicated address ${host} of ${distributionId} does not listen, and is tried on: ${message}`)
      this.#silent.set(host, { distributionId, address: host, code })
    }
  }
}
