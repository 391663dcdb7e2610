//! What clients get of a group: engines with the users, settings and certificate of the wish, and the endpoints that are
//! ours. A node becomes available here, once it gives all of that.
import { readerHolder, readerKeeps, readerTargets } from '../failover.ts'
import { type ReaderFront, readerFront } from '../front.ts'
import type { GroupTransit } from '../group-transit.ts'
import { type GroupView, isHealthyReplica, isWell, type NodeView } from '../group-view.ts'
import type { Members } from '../members.ts'
import type { EngineNode } from '../node.ts'
import { keepsFile, removeFile, settingsOf } from '../persistence.ts'
import { isStandIn } from '../planned-changes.ts'
import type { GroupWish } from '../protocol.ts'
import type { MemberList } from './member-list.ts'
import type { Sight } from './sight.ts'

export interface GroupServiceOptions {
  readonly port: number
  /** Null for nodes that are independent of each other: they have `list`. */
  readonly reader: string | null
  readonly list: MemberList | null
  readonly members: Members
  readonly sight: Sight
  readonly transit: GroupTransit
  /** Nobody from elsewhere than wished could come in now. */
  readonly isGuarded: () => boolean
}

export class GroupService {
  readonly #options: GroupServiceOptions
  readonly #front: ReaderFront | null

  constructor(options: GroupServiceOptions) {
    this.#options = options
    const { reader, port, sight } = options
    this.#front = reader === null ? null : readerFront(reader, port, () => readerTargets(sight.view()))
  }

  /** Gives up the addresses that nodes are to bind themselves. */
  async makeWay(view: GroupView): Promise<void> {
    if (this.#front !== null && (view.fronted || readerHolder(view) !== 'front')) await this.#front.close()
    if (!view.fronted) await this.#options.transit.closeFronts()
  }

  /** Settings, endpoints that are ours, and the state that users see. `isNew`: this wish was not fulfilled yet. */
  async serve(view: GroupView, wish: GroupWish, isNew: boolean): Promise<void> {
    const { members, transit, list, isGuarded } = this.#options
    for (const node of this.#wellNodes(view)) {
      await node.giveUsers()
      await node.configure(settingsOf(wish, node.id))
      if (isNew && !keepsFile(wish)) removeFile(node.dir)
    }
    await transit.serve(this.#wellNodes(view))
    const guarded = isGuarded()
    if (guarded) await transit.openFronts(view)
    if (this.#front !== null && guarded && !view.fronted && readerHolder(view) === 'front') {
      await this.#front.open()
      this.#front.keepOnly(readerKeeps(view))
    }
    for (const node of view.nodes) {
      const member = members.get(node.id)
      const waits = member.phase !== 'available' && member.phase !== 'deleting' && !isStandIn(node.id)
      if (waits && this.#isReady(node, view)) members.available(member)
    }
    await list?.serve(isGuarded)
  }

  #isReady(node: NodeView, view: GroupView): boolean {
    const { members, reader } = this.#options
    if (!isWell(node) || !members.get(node.id).node.hasUsers) return false
    if (reader === null) return true
    if (node.id !== view.primary) return isHealthyReplica(node)
    return node.role === 'primary' && (view.fronted || node.bound.includes(view.endpoint))
  }

  #wellNodes(view: GroupView): readonly EngineNode[] {
    return view.nodes.filter(isWell).map(({ id }) => this.#options.members.get(id).node)
  }

  /** Every node is available and has what it is to have. */
  isComplete(view: GroupView): boolean {
    const { members, transit } = this.#options
    if (members.all().some((m) => m.phase !== 'available' || !m.node.hasUsers)) return false
    return transit.isServed(this.#wellNodes(view))
  }

  async close(): Promise<void> {
    await this.#front?.close()
    await this.#options.transit.closeFronts()
    await this.#options.list?.close()
  }
}
