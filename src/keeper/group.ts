//! One group of nodes: looks, asks the decider, acts, and looks again until nothing is left to do. One turn at a time
//! (group/turns.ts): that is what keeps two failovers of a group apart. A group works on without control.
import { join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import type { ProcessIdentity } from '../lib/process.ts'
import type { Addresses } from './addresses.ts'
import type { Binary } from './binaries.ts'
import type { Door } from './door.ts'
import { isSettled, planGroup, planIndependent, replicaTrouble, takesWrites } from './failover.ts'
import { GroupCredentials } from './group/credentials.ts'
import { KeptRecord } from './group/kept-record.ts'
import { MemberList } from './group/member-list.ts'
import { GroupRestore } from './group/restore.ts'
import { GroupService } from './group/service.ts'
import { Sight } from './group/sight.ts'
import { Turns } from './group/turns.ts'
import { Watch } from './group/watch.ts'
import { act } from './group-acts.ts'
import { GroupTransit } from './group-transit.ts'
import type { Action, GroupView } from './group-view.ts'
import type { Ledger } from './ledger.ts'
import { nodeSeen } from './member-views.ts'
import { Members } from './members.ts'
import { memcachedEngine } from './memcached-engine.ts'
import { removeNodeDirectory } from './node-directory.ts'
import { removeFile } from './persistence.ts'
import type { GroupSeen, GroupWish, KeeperEvent } from './protocol.ts'
import { respEngine } from './resp-engine.ts'
import type { CaptureSource } from './snapshots/captures.ts'
import { planRestore } from './snapshots/plan-restore.ts'
import { chooseSource } from './snapshots/source.ts'
import type { Vault } from './snapshots/vault.ts'
import type { SnapshotWish } from './snapshots/wish.ts'
import type { SourceFilter } from './source-filter.ts'
import type { AskedNode } from './statistics.ts'

export interface GroupContext {
  readonly home: string
  /** Directory of the installation's certificate authority. */
  readonly authority: string
  readonly ledger: Ledger
  readonly addresses: Addresses
  /** Where snapshots are. */
  readonly vault: Vault
  readonly clock: Clock
  readonly binaries: () => readonly Binary[]
  readonly sourceFilter: Pick<SourceFilter, 'isInForce' | 'problem'>
  /** Has the packet filter cover the addresses that groups have now. */
  readonly guard: () => Promise<void>
  readonly orphanIn: (dir: string) => ProcessIdentity | null
  readonly emit: (groupId: string, event: KeeperEvent['event']) => void
  /** What the group shows may have changed. */
  readonly onChange: () => void
}

export class Group {
  readonly id: string
  readonly #context: GroupContext
  readonly #endpoint: string
  /** Null of memcached, whose nodes are independent of each other. */
  readonly #reader: string | null
  readonly #record: KeptRecord
  readonly #restore: GroupRestore
  readonly #credentials: GroupCredentials
  readonly #transit: GroupTransit
  readonly #members: Members
  readonly #sight: Sight
  /** Of memcached. */
  readonly #list: MemberList | null
  readonly #service: GroupService
  readonly #turns: Turns
  readonly #watch: Watch
  #wish: GroupWish
  #problem: string | null = null
  /** The wish that was fulfilled when it was last looked; another one that came since is not. */
  #settledWish: GroupWish | null = null

  constructor(wish: GroupWish, context: GroupContext) {
    const { ledger, addresses, clock, home, vault, binaries } = context
    this.id = wish.id
    this.#wish = wish
    this.#context = context
    this.#turns = new Turns({
      take: () => this.#turn(),
      failed: (error) => {
        this.#problem = error.message
      },
      ended: context.onChange,
    })
    const { endpoint, reader } = addresses.endpoints(wish.id, wish.engine)
    this.#endpoint = endpoint
    this.#reader = reader
    // What an earlier group of this name left on the disk is not data of this one.
    if (ledger.group(wish.id) === null) for (const { id } of wish.nodes) removeFile(join(home, 'nodes', wish.id, id))
    const record = new KeptRecord(wish, ledger)
    this.#record = record
    this.#restore = new GroupRestore({
      ...{ record, vault },
      wish: () => this.#wish,
      primary: () => this.#members.get(record.now.primary ?? ''),
      doorOf: (node) => this.#doorsOf(node)[0],
      onChange: () => this.#turns.news(),
    })
    this.#credentials = new GroupCredentials(wish, ledger)
    const transit = new GroupTransit({
      ...{ group: wish.id, home, authority: context.authority, clock, endpoint, reader },
      wish: () => this.#wish,
      view: () => this.#sight.view(),
      origin: () => record.now.certificate ?? null,
      setOrigin: (certificate) => record.change({ certificate }),
      iamPassword: this.#credentials.iamPassword,
      emit: (event) => context.emit(wish.id, event),
    })
    this.#transit = transit
    const members = new Members({
      group: wish.id,
      engine: wish.engine === 'memcached' ? memcachedEngine : respEngine,
      ledger,
      clock,
      doorsOf: (node) => this.#doorsOf(node),
      transit: () => transit.now(),
      users: () => this.#credentials.users(this.#wish),
      defaultUser: () => this.#credentials.defaultUser(this.#wish),
      dirOf: (node) => join(home, 'nodes', wish.id, node),
      orphanIn: context.orphanIn,
      emit: (event) => context.emit(wish.id, event),
      onChange: () => this.#turns.news(),
    })
    this.#members = members
    const sight = new Sight({ wish: () => this.#wish, record, members, transit, binaries, endpoint, reader })
    this.#sight = sight
    const { port } = wish
    this.#list = reader === null ? new MemberList({ endpoint, port, record, members, sight, transit }) : null
    const isGuarded = (): boolean => this.#unguarded() === null
    this.#service = new GroupService({ port, reader, list: this.#list, members, sight, transit, isGuarded })
    this.#watch = new Watch({
      clock,
      nodes: () => members.all().map(({ node }) => node),
      isSettled: () => this.#settled,
      isWell: () => sight.isWell,
      poke: () => this.poke(),
    })
    members.sync(wish)
    this.#watch.start()
    this.poke()
  }

  #doorsOf(node: string): readonly [Door, ...Door[]] {
    return this.#transit.doors({ address: this.#context.addresses.node(this.id, node), ...this.#credentials.own })
  }

  /** Makes `wish` the one to fulfil. */
  apply(wish: GroupWish): void {
    if (JSON.stringify(wish) === JSON.stringify(this.#wish)) return
    this.#wish = wish
    this.#members.sync(wish)
    this.#watch.countAnew()
    this.#turns.news()
  }

  /** Asks for a turn soon. */
  poke(): void {
    this.#turns.poke()
  }

  get #settled(): boolean {
    return this.#settledWish === this.#wish
  }

  async #turn(): Promise<void> {
    this.#watch.forgiveIfLate()
    if (await this.#turns.holdBack(JSON.stringify(this.#plan(this.#sight.view())))) this.#watch.forgiveIfLate()
    const wish = this.#wish
    await this.#transit.prepare(wish.nodes.map((node) => this.#context.addresses.node(this.id, node.id)))
    let view = this.#sight.view()
    for (const member of this.#members.all()) this.#members.noteHealth(member, this.#sight.healthOf(member))
    const actions = this.#plan(view)
    await this.#service.makeWay(view)
    for (const action of actions) await this.#act(action, wish, view)
    view = this.#sight.view()
    const restore = this.#restore.view()
    if (restore?.isFresh) this.#restore.begin()
    // A failover that an earlier keeper, or a failed act, left half done has come to its end by the acts since.
    if (this.#record.now.failover && takesWrites(view)) this.#failedOver()
    if (restore === null) await this.#service.serve(view, wish, wish !== this.#settledWish)
    const ofNode = this.#members.problem ?? this.#transit.problem
    const unguarded = this.#unguarded()
    this.#problem = unguarded ?? ofNode ?? (this.#reader === null ? null : replicaTrouble(view))
    this.#settledWish = this.#isSettled(view) && unguarded === null ? wish : null
    if (this.#settled) this.#watch.countAnew()
    if (actions.length > 0) this.poke()
    this.#context.onChange()
  }

  async #act(action: Action, wish: GroupWish, view: GroupView): Promise<void> {
    await act(action, {
      wish,
      record: this.#record.now,
      members: this.#members,
      ledger: this.#context.ledger,
      binaries: this.#context.binaries(),
      view,
      unguarded: () => this.#unguarded(),
      guard: this.#context.guard,
      isStillLost: (node) => this.#isStillLost(node),
      failedOver: () => this.#failedOver(),
      setRecord: (change) => this.#record.change(change),
      certificate: this.#transit.certificate(),
      releaseAddress: (node) => this.#context.addresses.releaseNode(this.id, node),
    })
  }

  #plan(view: GroupView): readonly Action[] {
    const restore = this.#restore.view()
    if (restore !== null) return planRestore(view, restore)
    return this.#reader === null ? planIndependent(view.nodes) : planGroup(view)
  }

  /** Why clients from elsewhere than wished could reach the group now; null when none could. */
  #unguarded(): string | null {
    const { sourceFilter, addresses } = this.#context
    if (sourceFilter.isInForce(this.id, this.#wish.sources, addresses.ofGroup(this.id))) return null
    return sourceFilter.problem ?? 'the packet filter is being set up'
  }

  /** Still so now: an act against a node may come a good while after it was decided (this process may have slept). */
  #isStillLost(node: string): boolean {
    this.#watch.forgiveIfLate()
    const { kind } = this.#sight.healthOf(this.#members.get(node))
    return kind === 'lost' || kind === 'absent'
  }

  #failedOver(): void {
    this.#record.failedOver((failover) => this.#context.emit(this.id, { kind: 'failover', ...failover }))
  }

  #isSettled(view: GroupView): boolean {
    if (this.#restore.isOpen || !this.#service.isComplete(view)) return false
    return this.#reader === null ? this.#plan(view).length === 0 : isSettled(view)
  }

  /** A node whose engine answers. @throws in words when there is no such node, or nobody answers at it */
  asked(id: string): AskedNode {
    const { link, process, address } = this.#members.get(id).node
    if (link === null || process === null) throw new Error(`node ${id} of ${this.id} does not answer`)
    const iamExpirations = this.#credentials.hasUsers ? this.#transit.iamExpirations(address) : null
    return { link, process, configReads: this.#list?.configReads() ?? null, iamExpirations }
  }

  /** Directory of a node, whether it answers or not. @throws in words when there is no such node */
  dirOf(id: string): string {
    return this.#members.get(id).node.dir
  }

  /** The node to capture a snapshot from, as it is now; a text says why there is none. */
  captureSource(from: SnapshotWish['from']): CaptureSource | string {
    if (this.#reader === null) return 'memcached has no snapshots'
    const node = chooseSource(this.#sight.view(), from)
    if (typeof node === 'string') return node
    return {
      node: node.id,
      door: this.#doorsOf(node.id)[0],
      statistics: () => this.asked(node.id).link.statistics(),
      lostDataAt: () => this.#members.get(this.#record.now.primary ?? node.id).lostDataAt,
    }
  }

  seen(): GroupSeen {
    const transit = this.#transit.seen(this.#members.all().map((m) => m.node))
    const restore = this.#restore.seen()
    const primary = this.#reader === null ? null : this.#record.now.primary
    const nodes = this.#members.all().map((member) => nodeSeen(member, primary))
    return {
      id: this.id,
      settled: this.#settled && nodes.every((n) => n.state === 'available'),
      endpoint: this.#endpoint,
      readerEndpoint: this.#reader,
      nodes,
      problem: this.#problem,
      ...(restore === undefined ? {} : { restore }),
      ...(transit === undefined ? {} : { transit }),
    }
  }

  /** Forgets a node that belongs to another group now; its process goes on. Only after `release`. */
  letGo(node: string): void {
    this.#members.letGo(node)
  }

  /** Stops watching; engines go on. */
  async release(): Promise<void> {
    this.#watch.close()
    await this.#turns.close()
    await this.#restore.close()
    this.#members.release()
    await this.#service.close()
  }

  /** Ends the engines on purpose. The group stays in the ledger. */
  async end(): Promise<void> {
    await this.release()
    await this.#members.endAll()
  }

  /** Ends the engines and forgets the group. */
  async remove(): Promise<void> {
    await this.end()
    await this.#transit.remove()
    for (const { node } of this.#members.all()) await removeNodeDirectory(node.dir)
    this.#context.addresses.releaseGroup(this.id)
    this.#context.ledger.dropGroup(this.id)
  }
}
