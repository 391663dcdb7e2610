//! The configuration endpoint of a memcached cluster: the list of its nodes, kept in the ledger, and the front that answers
//! with it.
import type { GroupTransit } from '../group-transit.ts'
import type { Members } from '../members.ts'
import { nextMembership } from '../membership.ts'
import { type Membership, type MembershipFront, membershipFront } from '../memcached-front.ts'
import type { KeptRecord } from './kept-record.ts'
import type { Sight } from './sight.ts'

export interface MemberListOptions {
  readonly endpoint: string
  readonly port: number
  readonly record: KeptRecord
  readonly members: Members
  readonly sight: Sight
  readonly transit: GroupTransit
}

export class MemberList {
  readonly #options: MemberListOptions
  readonly #front: MembershipFront

  constructor(options: MemberListOptions) {
    this.#options = options
    const { endpoint, port, transit } = options
    this.#front = membershipFront(endpoint, port, () => this.#now(), {
      certificate: () => transit.certificate(),
      pins: () => transit.pins(),
    })
  }

  async serve(isGuarded: () => boolean): Promise<void> {
    this.#note()
    if (isGuarded()) await this.#front.open()
    const nodes = this.#options.members.all().map(({ node }) => node)
    await this.#front.publish(nodes.flatMap(({ link }) => (link === null ? [] : [link])))
  }

  /** A node is listed once it has been available, and leaves the list before it is stopped (spec/elasticache.md 3.3). */
  #note(): void {
    const { members, record } = this.#options
    const ready = members.all().filter((m) => m.wished && m.phase !== 'creating')
    const change = nextMembership(
      record.now,
      ready.map((m) => ({ address: m.node.address, pid: m.phase === 'available' ? (m.process?.pid ?? null) : null })),
    )
    if (change !== null) record.change(change)
  }

  #now(): Membership {
    const { members: all, record, sight } = this.#options
    const { membershipVersion: version, members } = record.now
    const well = all.all().filter((m) => sight.healthOf(m).kind === 'well')
    return { version, members, answering: well.map((m) => m.node.address) }
  }

  /** Answers to `config get cluster` so far. */
  configReads(): number {
    return this.#front.configReads()
  }

  async close(): Promise<void> {
    await this.#front.close()
  }
}
