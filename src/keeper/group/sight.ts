//! What the keeper sees of a group now, put together for its deciders: the wish, the record and each node.
import type { Binary } from '../binaries.ts'
import type { GroupTransit } from '../group-transit.ts'
import type { GroupView, Health } from '../group-view.ts'
import { nodeView } from '../member-views.ts'
import type { Member, Members } from '../members.ts'
import type { GroupWish } from '../protocol.ts'
import { ReplicaLag } from '../replica-lag.ts'
import type { KeptRecord } from './kept-record.ts'

export interface SightOptions {
  readonly wish: () => GroupWish
  readonly record: KeptRecord
  readonly members: Members
  readonly transit: GroupTransit
  readonly binaries: () => readonly Binary[]
  readonly endpoint: string
  /** Null for nodes that are independent of each other. */
  readonly reader: string | null
}

export class Sight {
  readonly #options: SightOptions
  readonly #lag = new ReplicaLag()

  constructor(options: SightOptions) {
    this.#options = options
  }

  healthOf(member: Member): Health {
    const { members, reader } = this.#options
    const copies = members.all().filter((m) => m !== member && m.node.hasData && m.node.link !== null)
    return member.node.health(reader === null || copies.length === 0)
  }

  /** Every node is well. */
  get isWell(): boolean {
    return this.#options.members.all().every((member) => this.healthOf(member).kind === 'well')
  }

  view(): GroupView {
    this.#noteOffset()
    const { members, record, transit, binaries, endpoint, reader } = this.#options
    const wish = this.#options.wish()
    const nodes = members
      .all()
      .map((member) => nodeView(member, this.healthOf(member), wish, record.now, this.#lag, binaries()))
    const { roleChange, automaticFailover } = wish
    return {
      primary: record.now.primary ?? '',
      automaticFailover,
      roleChange: roleChange !== undefined && roleChange.number > (record.now.roleChange ?? 0) ? roleChange : null,
      endpoint,
      reader: reader ?? '',
      listening: transit.now().listening,
      fronted: transit.fronted,
      nodes,
    }
  }

  /** How far replicas are behind is measured by what the primary has, whenever it was looked at. */
  #noteOffset(): void {
    const { members, record } = this.#options
    const { primary } = record.now
    const node = members.all().find((m) => m.node.id === primary)?.node
    if (node?.facts?.role === 'primary') this.#lag.note(node.id, node.facts.offset, node.factsAt)
  }
}
