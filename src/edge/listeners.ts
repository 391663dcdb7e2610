//! Where viewers reach a worker: the listeners of its POPs, which end together.
import type { PopDoc } from '../domain/topology.ts'
import { type Listener, type ListenOptions, listenHttp1 } from './listen/http1.ts'

export interface ListenAddress {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
}

/** A POP with its own addresses. */
export interface PopListen extends PopDoc {
  readonly http: ListenAddress
}

/** Where viewers reach a POP. */
export interface PopAddresses {
  readonly name: string
  readonly region: string
  readonly http: ListenAddress
}

export class PopListeners {
  readonly #open: readonly { readonly pop: PopListen; readonly http: Listener }[]

  private constructor(open: readonly { readonly pop: PopListen; readonly http: Listener }[]) {
    this.#open = open
  }

  /** @throws the system's error when an address of a POP cannot be bound; then none is. */
  static async open(
    pops: readonly PopListen[],
    shared: Omit<ListenOptions, 'host' | 'port' | 'pop'>,
  ): Promise<PopListeners> {
    const open: { pop: PopListen; http: Listener }[] = []
    try {
      for (const [at, pop] of pops.entries()) {
        open.push({ pop, http: await listenHttp1({ ...shared, ...pop.http, pop: at }) })
      }
    } catch (error) {
      await Promise.all(open.map(({ http }) => http.close()))
      throw error
    }
    return new PopListeners(open)
  }

  /** In the order of the POPs. */
  get addresses(): readonly PopAddresses[] {
    return this.#open.map(({ pop: { name, region }, http }) => ({ name, region, http: http.address }))
  }

  /** Accept no more, and let each answer under way finish. */
  async drain(): Promise<void> {
    await Promise.all(this.#open.map(({ http }) => http.drain()))
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map(({ http }) => http.close()))
  }
}
