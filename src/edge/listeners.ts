//! Where viewers reach a worker: the listeners of its POPs. An operator may take a POP down: then nobody listens there.
import type { PopDoc } from '../domain/topology.ts'
import { type Listener, type ListenOptions, listenViewers } from './listen/listener.ts'
import type { TlsAcceptor } from './listen/tls/acceptor.ts'

export interface ListenAddress {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
}

/** A POP with its own addresses. */
export interface PopListen extends PopDoc {
  readonly http: ListenAddress
  /** Null for none. */
  readonly https: ListenAddress | null
  /** A further address, of IPv6, over HTTP and over HTTPS; absent for none. */
  readonly ipv6?: ListenAddress | null
  readonly ipv6Https?: ListenAddress | null
}

/** Where viewers reach a POP. */
export interface PopAddresses {
  readonly name: string
  readonly region: string
  readonly http: ListenAddress
  readonly https: ListenAddress | null
  readonly ipv6: ListenAddress | null
  readonly ipv6Https: ListenAddress | null
}

/** What all listeners have in common. */
export type SharedListen = Omit<ListenOptions, 'addresses'> & {
  /** Shakes hands for the HTTPS addresses. */
  readonly tls: TlsAcceptor
  /** One line for the operator. */
  readonly problem: (message: string) => void
}

interface Pop {
  readonly listen: PopListen
  /** Where it listens, or did last: its addresses in the order of KINDS. */
  readonly at: Map<Kind, ListenAddress>
  /** Null while it is down. */
  open: Listener | null
}

const KINDS = ['http', 'https', 'ipv6', 'ipv6Https'] as const
type Kind = (typeof KINDS)[number]
const SECURE: ReadonlySet<Kind> = new Set(['https', 'ipv6Https'])
/** These stand beside one of IPv4, which may be all of them: `::` must not take those. */
const IPV6_ONLY: ReadonlySet<Kind> = new Set(['ipv6', 'ipv6Https'])

export class PopListeners {
  readonly #shared: SharedListen
  readonly #pops: Pop[]
  /** Changes come one after the other. */
  #changing: Promise<void> = Promise.resolve()
  #ended = false
  #down: ReadonlySet<string>

  private constructor(pops: readonly PopListen[], down: ReadonlySet<string>, shared: SharedListen) {
    this.#down = down
    this.#shared = shared
    this.#pops = pops.map((listen) => ({
      listen,
      at: new Map(KINDS.flatMap((kind) => (listen[kind] ? [[kind, listen[kind]] as const] : []))),
      open: null,
    }))
  }

  /** `down`: names of those that are not to listen. @throws the system's error when an address cannot be bound */
  static async open(
    pops: readonly PopListen[],
    down: ReadonlySet<string>,
    shared: SharedListen,
  ): Promise<PopListeners> {
    const listeners = new PopListeners(pops, down, shared)
    try {
      for (const at of pops.keys()) if (!down.has((pops[at] as PopListen).name)) await listeners.#open(at)
    } catch (error) {
      await listeners.close()
      throw error
    }
    return listeners
  }

  /** In the order of the POPs. */
  get addresses(): readonly PopAddresses[] {
    return this.#pops.map(({ listen: { name, region }, at }) => ({
      name,
      region,
      http: at.get('http') as ListenAddress,
      https: at.get('https') ?? null,
      ipv6: at.get('ipv6') ?? null,
      ipv6Https: at.get('ipv6Https') ?? null,
    }))
  }

  /** Closes those of POPs that are down, cuts their viewers off, and opens the others; null when there is nothing to do. */
  closeOnly(down: ReadonlySet<string>): Promise<void> | null {
    const isSame = this.#pops.every(({ listen: { name } }) => down.has(name) === this.#down.has(name))
    this.#down = down
    if (isSame) return null
    this.#changing = this.#changing.then(async () => {
      for (const [at, pop] of this.#pops.entries()) {
        if (!this.#down.has(pop.listen.name)) await this.#openAgain(at)
        else {
          const { open } = pop
          pop.open = null
          await open?.close()
        }
      }
    })
    return this.#changing
  }

  /** Accept no more, and let each answer under way finish. */
  async drain(): Promise<void> {
    this.#ended = true
    await this.#changing
    await Promise.all(this.#pops.map(({ open }) => open?.drain()))
  }

  async close(): Promise<void> {
    this.#ended = true
    await this.#changing
    await Promise.all(this.#pops.map(({ open }) => open?.close()))
  }

  async #openAgain(at: number): Promise<void> {
    const pop = this.#pops[at] as Pop
    if (pop.open !== null || this.#ended) return
    await this.#open(at).catch((error: Error) => {
      this.#shared.problem(`${pop.listen.name} does not listen again: ${error.message}`)
    })
  }

  async #open(at: number): Promise<void> {
    const pop = this.#pops[at] as Pop
    const { tls } = this.#shared
    const kinds = [...pop.at.keys()]
    const addresses = kinds.map((kind) => ({
      ...(pop.at.get(kind) as ListenAddress),
      pop: at,
      tls: SECURE.has(kind) ? tls : null,
      ipv6Only: IPV6_ONLY.has(kind),
    }))
    pop.open = await listenViewers({ ...this.#shared, addresses })
    // One that was given a free port has it from now on.
    for (const [n, kind] of kinds.entries()) pop.at.set(kind, pop.open.addresses[n] as ListenAddress)
  }
}
