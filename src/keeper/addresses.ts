//! Gives out addresses of the installation's network to nodes and endpoints, and remembers them in the ledger:
//! an address stays with its node or endpoint for as long as the group lives.
import type { Ledger } from './ledger.ts'

export interface GroupAddresses {
  readonly endpoint: string
  /** Null for memcached. */
  readonly reader: string | null
}

/** Hosts .1 to .254 of each of the 256 blocks; .0 and .255 are left out because tools take them for network addresses. */
const BLOCKS = 256
const HOSTS_PER_BLOCK = 254

/**
 * The keeper's own address in the network of a node, from which it speaks to engines: what filters clients by where they
 * come from lets it through. It is given to no node.
 */
export const keeperAddress = (node: string): string => `${node.split('.').slice(0, 2).join('.')}.255.254`

export class Addresses {
  readonly #ledger: Ledger
  readonly #network: number
  /** Address by `owner` and purpose. */
  readonly #given = new Map<string, string>()
  readonly #used = new Set<string>()

  constructor(ledger: Ledger, network: number) {
    this.#ledger = ledger
    this.#network = network
    this.#used.add(keeperAddress(`127.${network}`))
    for (const row of ledger.addresses()) this.#remember(row.owner, row.purpose, row.address)
  }

  get cidr(): string {
    return `127.${this.#network}.0.0/16`
  }

  endpoints(group: string, engine: 'redis' | 'valkey' | 'memcached'): GroupAddresses {
    return {
      endpoint: this.#ensure(group, 'endpoint'),
      reader: engine === 'memcached' ? null : this.#ensure(group, 'reader'),
    }
  }

  node(group: string, node: string): string {
    return this.#ensure(group, `node:${node}`)
  }

  /** Of its nodes and endpoints, those on their way out included. */
  ofGroup(group: string): string[] {
    return [...this.#given].filter(([key]) => split(key)[0] === group).map(([, address]) => address)
  }

  releaseNode(group: string, node: string): void {
    this.#forget(group, `node:${node}`)
    this.#ledger.dropAddress(group, `node:${node}`)
  }

  /** The address of a node goes with it to another group. */
  moveNode(from: string, to: string, node: string): void {
    const address = this.node(from, node)
    this.releaseNode(from, node)
    this.#ledger.addAddress(address, to, `node:${node}`)
    this.#remember(to, `node:${node}`, address)
  }

  releaseGroup(group: string): void {
    for (const key of [...this.#given.keys()]) {
      const [owner, purpose] = split(key)
      if (owner === group) this.#forget(owner, purpose)
    }
    this.#ledger.dropAddress(group)
  }

  #ensure(owner: string, purpose: string): string {
    const given = this.#given.get(keyOf(owner, purpose))
    if (given !== undefined) return given
    const address = this.#firstFree()
    this.#ledger.addAddress(address, owner, purpose)
    this.#remember(owner, purpose, address)
    return address
  }

  #firstFree(): string {
    for (let block = 0; block < BLOCKS; block++) {
      for (let host = 1; host <= HOSTS_PER_BLOCK; host++) {
        const address = `127.${this.#network}.${block}.${host}`
        if (!this.#used.has(address)) return address
      }
    }
    throw new Error(`all ${BLOCKS * HOSTS_PER_BLOCK} addresses of ${this.cidr} are in use`)
  }

  #remember(owner: string, purpose: string, address: string): void {
    this.#given.set(keyOf(owner, purpose), address)
    this.#used.add(address)
  }

  #forget(owner: string, purpose: string): void {
    const address = this.#given.get(keyOf(owner, purpose))
    if (address !== undefined) this.#used.delete(address)
    this.#given.delete(keyOf(owner, purpose))
  }
}

const keyOf = (owner: string, purpose: string): string => `${owner}\n${purpose}`
const split = (key: string): [string, string] => key.split('\n') as [string, string]
