//! Addresses that one distribution has for itself (SSLSupportMethod vip): listeners of the first POP, at its ports, which
//! come and go with the configuration.
import type { FeedChange } from './feed-protocol.ts'
import { type ListenAt, type Listener, listenViewers } from './listen/listener.ts'
import type { ListenAddress, SharedListen } from './listeners.ts'
import type { Snapshot } from './snapshot/snapshot.ts'

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

  async drain(): Promise<void> {
    this.#ended = true
    await this.#changing
    await Promise.all([...this.#open.values()].map(({ listener }) => listener.drain()))
  }

  async close(): Promise<void> {
    this.#ended = true
    await this.#changing
    await Promise.all(
      [...this.#leaving, ...[...this.#open.values()].map(({ listener }) => listener)].map((one) => one.close()),
    )
  }

  #want(distributionId: string, address: string | undefined): void {
    if (address === undefined) this.#wanted.delete(distributionId)
    else this.#wanted.set(distributionId, address)
  }

  /** `isDown`: the POP is: nobody listens. */
  #settle(isDown: boolean): Promise<void> | null {
    if (this.#wanted.size === 0 && this.#open.size === 0) return null
    const wanted = new Map(isDown ? [] : [...this.#wanted].map(([id, address]) => [address, id]))
    this.#changing = this.#changing.then(async () => {
      for (const [address, { distributionId, listener }] of [...this.#open]) {
        if (wanted.get(address) === distributionId) continue
        this.#open.delete(address)
        // The port is free at once; answers under way end by themselves.
        this.#leaving.add(listener)
        void listener.drain().then(() => this.#leaving.delete(listener))
      }
      for (const [address, distributionId] of wanted) if (!this.#ended) await this.#listen(address, distributionId)
    })
    return this.#changing
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
    } catch (error) {
      // Tried anew with the next change.
      problem(`the dedicated address ${host} of ${distributionId} does not listen: ${(error as Error).message}`)
    }
  }
}
