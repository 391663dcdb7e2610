//! One group of nodes: looks, asks the decider, acts, and looks again until nothing is left to do. One turn at a time:
//! that is what keeps two failovers of a group apart. A group works on without control.
import { join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import type { ProcessIdentity } from '../lib/process.ts'
import type { Addresses } from './addresses.ts'
import type { Binary } from './binaries.ts'
import { ADMIN_USER, type Door, newPassword, sha256Of } from './door.ts'
import type { EngineUser } from './engine.ts'
import { logTail } from './engine-process.ts'
import {
  isSettled,
  planGroup,
  planIndependent,
  readerHolder,
  readerKeeps,
  readerTargets,
  replicaTrouble,
  takesWrites,
} from './failover.ts'
import { type ReaderFront, readerFront } from './front.ts'
import { act } from './group-acts.ts'
import { GroupTransit } from './group-transit.ts'
import type { Action, GroupView, NodeView } from './group-view.ts'
import type { GroupRecord, Ledger } from './ledger.ts'
import { nodeSeen, nodeView } from './member-views.ts'
import { type Member, Members } from './members.ts'
import { nextMembership } from './membership.ts'
import { memcachedEngine } from './memcached-engine.ts'
import { type Membership, type MembershipFront, membershipFront } from './memcached-front.ts'
import type { EngineNode } from './node.ts'
import { keepsFile, removeFile, settingsOf } from './persistence.ts'
import { isStandIn } from './planned-changes.ts'
import type { GroupSeen, GroupWish, KeeperEvent } from './protocol.ts'
import { ReplicaLag } from './replica-lag.ts'
import { respEngine } from './resp-engine.ts'
import type { CaptureSource } from './snapshots/captures.ts'
import { planRestore, type RestoreView } from './snapshots/plan-restore.ts'
import { newRestore, Restoration } from './snapshots/restoration.ts'
import { chooseSource } from './snapshots/source.ts'
import type { Vault } from './snapshots/vault.ts'
import type { SnapshotWish } from './snapshots/wish.ts'
import type { SourceFilter } from './source-filter.ts'
import type { AskedNode } from './statistics.ts'
import { defaultUserAtStart, engineUsers } from './users.ts'

/** How often nodes are asked whether they live, in milliseconds, and every how many rounds for all they know. */
const WATCH_MS = 200
const LOOK_EVERY_ROUNDS = 5
/** While a group is on its way to what is wished, it is looked at this often. Milliseconds. */
const HURRY_MS = 15
/** A group that has not settled after this many quick looks is looked at as any other. */
const HURRY_ROUNDS = 400
/** A watch that comes this late means that the keeper itself was stopped: silence is forgiven. Milliseconds. */
const LATE_MS = 600
/** Pause after a turn that changed nothing although it should have. Milliseconds, doubling. */
const REPEAT_PAUSE_FIRST_MS = 10
const REPEAT_PAUSE_LAST_MS = 2000

/** Of memcached, which knows none. */
const NO_USERS: readonly EngineUser[] = []

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
  readonly orphanIn: (dir: string) => ProcessIdentity | null
  readonly emit: (groupId: string, event: KeeperEvent['event']) => void
  /** What the group shows may have changed. */
  readonly onChange: () => void
}

export class Group {
  readonly id: string
  readonly #context: GroupContext
  readonly #members: Members
  readonly #endpoint: string
  readonly #reader: string | null
  readonly #front: ReaderFront | null
  readonly #membership: MembershipFront | null
  readonly #transit: GroupTransit
  /** Password of the keeper's user in all its engines; null for memcached. */
  readonly #password: string | null
  /** What the front of IAM users logs them in with; empty for memcached. */
  readonly #iamPassword: string
  readonly #lag = new ReplicaLag()
  /** Of a group that gets its data from a snapshot. */
  readonly #restoration: Restoration | null
  #wish: GroupWish
  #usersOf: { readonly wish: GroupWish; readonly users: readonly EngineUser[] } | null = null
  #record: GroupRecord
  #problem: string | null = null
  #timer: NodeJS.Timeout | null = null
  #lastWatch: number
  #rounds = 0
  #unsettledRounds = 0
  #poked = false
  #running: Promise<void> | null = null
  #lastActions = ''
  #repeats = 0
  #closed = false
  /** Ends the pause of the moment. */
  #wake: () => void = () => {}
  /** The wish that was fulfilled when it was last looked; another one that came since is not. */
  #settledWish: GroupWish | null = null

  constructor(wish: GroupWish, context: GroupContext) {
    const { ledger, addresses, clock, home } = context
    this.id = wish.id
    this.#wish = wish
    this.#context = context
    const { endpoint, reader } = addresses.endpoints(wish.id, wish.engine)
    this.#endpoint = endpoint
    this.#reader = reader
    const known = ledger.group(wish.id)
    // What an earlier group of this name left on the disk is not data of this one.
    if (known === null) for (const { id } of wish.nodes) removeFile(join(home, 'nodes', wish.id, id))
    this.#record = known ?? newRecord(wish)
    ledger.setGroup(this.#record)
    this.#restoration = this.#restorationOf(this.#record)
    this.#password = wish.engine === 'memcached' ? null : ownPassword(ledger, wish.id, 'admin')
    this.#iamPassword = wish.engine === 'memcached' ? '' : ownPassword(ledger, wish.id, 'iam')
    this.#transit = new GroupTransit({
      ...{ group: wish.id, home, authority: context.authority, clock, endpoint, reader },
      wish: () => this.#wish,
      view: () => this.#view(),
      origin: () => this.#record.certificate ?? null,
      setOrigin: (certificate) => this.#setRecord({ certificate }),
      iamPassword: this.#iamPassword,
      emit: (event) => context.emit(wish.id, event),
    })
    this.#members = new Members({
      group: wish.id,
      engine: wish.engine === 'memcached' ? memcachedEngine : respEngine,
      ledger,
      clock,
      doorsOf: (node) => this.#doorsOf(node),
      transit: () => this.#transit.now(),
      users: () => this.#users(),
      defaultUser: () => (this.#password === null ? null : defaultUserAtStart(this.#wish)),
      dirOf: (node) => join(home, 'nodes', wish.id, node),
      orphanIn: context.orphanIn,
      emit: (event) => context.emit(wish.id, event),
      onChange: () => this.#news(),
    })
    this.#members.sync(wish)
    this.#front = reader === null ? null : readerFront(reader, wish.port, () => readerTargets(this.#view()))
    this.#membership =
      reader === null
        ? membershipFront(endpoint, wish.port, () => this.#membershipNow(), {
            certificate: () => this.#transit.certificate(),
            pins: () => this.#transit.pins(),
          })
        : null
    this.#lastWatch = clock.monotonic()
    this.#watchLater()
    this.poke()
  }

  #doorsOf(node: string): readonly [Door, ...Door[]] {
    return this.#transit.doors({
      address: this.#context.addresses.node(this.id, node),
      username: this.#password === null ? null : ADMIN_USER,
      password: this.#password,
    })
  }

  /** One list for each wish. */
  #users(): readonly EngineUser[] {
    if (this.#password === null) return NO_USERS
    if (this.#usersOf?.wish !== this.#wish)
      this.#usersOf = { wish: this.#wish, users: engineUsers(this.#wish, sha256Of(this.#iamPassword)) }
    return this.#usersOf.users
  }

  /** Makes `wish` the one to fulfil. */
  apply(wish: GroupWish): void {
    if (JSON.stringify(wish) === JSON.stringify(this.#wish)) return
    this.#wish = wish
    this.#members.sync(wish)
    this.#unsettledRounds = 0
    this.#news()
  }

  /** Asks for a turn soon; any number of pokes during a turn is one more turn. */
  poke(): void {
    this.#poked = true
    if (this.#running !== null || this.#closed) return
    this.#running = this.#run().finally(() => {
      this.#running = null
      this.#context.onChange()
    })
  }

  async #run(): Promise<void> {
    while (this.#poked && !this.#closed) {
      this.#poked = false
      try {
        await this.#turn()
      } catch (error) {
        this.#problem = (error as Error).message
        await this.#pause()
        // The next watch tries again; what is lost is decided anew from what is then seen.
      }
    }
  }

  get #settled(): boolean {
    return this.#settledWish === this.#wish
  }

  async #turn(): Promise<void> {
    this.#forgiveIfLate()
    if (await this.#holdBack(JSON.stringify(this.#plan(this.#view())))) this.#forgiveIfLate()
    const wish = this.#wish
    await this.#transit.prepare(wish.nodes.map((node) => this.#context.addresses.node(this.id, node.id)))
    let view = this.#view()
    for (const member of this.#members.all()) this.#members.noteHealth(member, this.#healthOf(member))
    const actions = this.#plan(view)
    if (this.#front !== null && (view.fronted || readerHolder(view) !== 'front')) await this.#front.close()
    if (!view.fronted) await this.#transit.closeFronts()
    for (const action of actions) {
      await act(action, {
        wish,
        record: this.#record,
        members: this.#members,
        ledger: this.#context.ledger,
        binaries: this.#context.binaries(),
        view,
        unguarded: this.#unguarded(),
        isStillLost: (node) => this.#isStillLost(node),
        failedOver: () => this.#failedOver(),
        setRecord: (change) => this.#setRecord(change),
        certificate: this.#transit.certificate(),
        releaseAddress: (node) => this.#context.addresses.releaseNode(this.id, node),
      })
    }
    view = this.#view()
    const restore = this.#restoreView()
    if (restore?.isFresh) this.#restore()
    this.#finishFailover(view)
    if (restore === null) await this.#serve(view, wish)
    const ofNode = this.#members.problem ?? this.#transit.problem
    const unguarded = this.#unguarded()
    this.#problem = unguarded ?? ofNode ?? (this.#reader === null ? null : replicaTrouble(view))
    this.#settledWish = this.#isSettled(view) && unguarded === null ? wish : null
    if (this.#settled) this.#unsettledRounds = 0
    if (actions.length > 0) this.#poked = true
    this.#context.onChange()
  }

  #restorationOf({ restore }: GroupRecord): Restoration | null {
    if (restore === undefined) return null
    return new Restoration({
      vault: this.#context.vault,
      record: restore,
      save: (changed) => this.#setRecord({ restore: changed }),
      lastWords: () => logTail(this.#primary().node.dir).trim().split('\n').at(-1) ?? '',
      onChange: () => this.#news(),
    })
  }

  #primary(): Member {
    return this.#members.get(this.#record.primary ?? '')
  }

  /** What the decider must know of a restore; null when there is none, or it is done. */
  #restoreView(): RestoreView | null {
    const restoration = this.#restoration
    if (!restoration?.isOpen) return null
    const { node, startedEmpty } = this.#primary()
    return { failed: restoration.failed, isFresh: restoration.isFresh(node.process?.pid ?? null, startedEmpty) }
  }

  /** Begins to load the data once its node runs. */
  #restore(): void {
    const restoration = this.#restoration
    const { node } = this.#primary()
    const { link, facts, process } = node
    if (!restoration?.isWaiting || link === null || facts?.role !== 'primary' || process === null) return
    const { engine } = this.#wish
    if (engine === 'memcached') return
    restoration.begin({
      engine,
      version: facts.version,
      door: this.#doorsOf(node.id)[0],
      link,
      pid: process.pid,
      promote: async () => {
        await link.replication?.follow(null)
        await node.look()
      },
    })
  }

  #plan(view: GroupView): readonly Action[] {
    const restore = this.#restoreView()
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
    this.#forgiveIfLate()
    const { kind } = this.#healthOf(this.#members.get(node))
    return kind === 'lost' || kind === 'absent'
  }

  /** A failover that an earlier keeper, or a failed act, left half done has come to its end by the acts since. */
  #finishFailover(view: GroupView): void {
    if (this.#record.failover && takesWrites(view)) this.#failedOver()
  }

  #failedOver(): void {
    const { failover } = this.#record
    if (!failover) return
    this.#context.ledger.atomically(() => {
      this.#setRecord({ failover: null })
      // One that went back to where it came from changed nothing that a user sees.
      if (failover.from !== failover.to) this.#context.emit(this.id, { kind: 'failover', ...failover })
    })
  }

  /** Settings, endpoints that are ours, and the state that users see. */
  async #serve(view: GroupView, wish: GroupWish): Promise<void> {
    for (const node of view.nodes) {
      const member = this.#members.get(node.id)
      if (node.health.kind !== 'well') continue
      await member.node.giveUsers()
      await member.node.configure(settingsOf(wish))
      if (wish !== this.#settledWish && !keepsFile(wish)) removeFile(member.node.dir)
    }
    await this.#transit.serve(this.#wellNodes(view))
    const isGuarded = this.#unguarded() === null
    if (isGuarded) await this.#transit.openFronts(view)
    if (this.#front !== null && isGuarded && !view.fronted && readerHolder(view) === 'front') {
      await this.#front.open()
      this.#front.keepOnly(readerKeeps(view))
    }
    for (const node of view.nodes) {
      const member = this.#members.get(node.id)
      const waits = member.phase !== 'available' && member.phase !== 'deleting' && !isStandIn(node.id)
      if (waits && this.#isReady(node, view)) this.#members.available(member)
    }
    if (this.#membership === null) return
    this.#noteMembership()
    if (this.#unguarded() === null) await this.#membership.open()
    await this.#membership.publish(this.#members.all().flatMap((m) => (m.node.link === null ? [] : [m.node.link])))
  }

  #wellNodes(view: GroupView): readonly EngineNode[] {
    return view.nodes.filter((n) => n.health.kind === 'well').map((n) => this.#members.get(n.id).node)
  }

  #isReady(node: NodeView, view: GroupView): boolean {
    if (node.health.kind !== 'well' || !this.#members.get(node.id).node.hasUsers) return false
    if (this.#reader === null) return true
    if (node.id !== view.primary) return node.role === 'replica' && node.inSync
    return node.role === 'primary' && (view.fronted || node.bound.includes(view.endpoint))
  }

  #isSettled(view: GroupView): boolean {
    if (this.#restoration?.isOpen) return false
    if (this.#members.all().some((m) => m.phase !== 'available' || !m.node.hasUsers)) return false
    if (!this.#transit.isServed(this.#wellNodes(view))) return false
    return this.#reader === null ? this.#plan(view).length === 0 : isSettled(view)
  }

  /**
   * The same actions again and again mean that something refuses them: slower each time. True when it has waited, after
   * which what was seen before is old.
   */
  async #holdBack(actions: string): Promise<boolean> {
    this.#repeats = actions !== '[]' && actions === this.#lastActions ? this.#repeats + 1 : 0
    this.#lastActions = actions
    if (this.#repeats === 0) return false
    await this.#pause()
    return true
  }

  /** News of a node ends the pause: a primary that dies does not wait for what another node refuses. */
  #pause(): Promise<void> {
    const ms = Math.min(REPEAT_PAUSE_FIRST_MS * 2 ** this.#repeats, REPEAT_PAUSE_LAST_MS)
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), ms)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = () => {}
        resolve()
      }
    })
  }

  #news(): void {
    this.poke()
    this.#wake()
  }

  /** The watch is late when this process was stopped or starved: what came of silence meanwhile proves nothing. */
  #forgiveIfLate(): void {
    const now = this.#context.clock.monotonic()
    if (now - this.#lastWatch <= WATCH_MS + LATE_MS) return
    this.#lastWatch = now
    for (const { node } of this.#members.all()) node.forgiveSilence()
  }

  #watchLater(): void {
    const hurries = !this.#settled && this.#unsettledRounds < HURRY_ROUNDS
    this.#timer = setTimeout(() => this.#watch(), hurries ? HURRY_MS : WATCH_MS)
  }

  #watch(): void {
    this.#forgiveIfLate()
    this.#lastWatch = this.#context.clock.monotonic()
    this.#rounds++
    if (!this.#settled) this.#unsettledRounds++
    const looks = !this.#settled || this.#rounds % LOOK_EVERY_ROUNDS === 0
    for (const { node } of this.#members.all()) {
      if (node.isAsked) continue
      void (looks ? node.look() : node.ping()).then(() => {
        if (looks) this.poke()
      })
    }
    // Silence itself is news when it lasts: nothing else would call for a turn.
    if (this.#members.all().some((m) => this.#healthOf(m).kind !== 'well')) this.poke()
    this.#watchLater()
  }

  #healthOf(member: Member) {
    const copies = this.#members.all().filter((m) => m !== member && m.node.hasData && m.node.link !== null)
    return member.node.health(this.#reader === null || copies.length === 0)
  }

  /** How far replicas are behind is measured by what the primary has, whenever it was looked at. */
  #noteOffset(): void {
    const { primary } = this.#record
    const node = this.#members.all().find((m) => m.node.id === primary)?.node
    if (node?.facts?.role === 'primary') this.#lag.note(node.id, node.facts.offset, node.factsAt)
  }

  #view(): GroupView {
    this.#noteOffset()
    const nodes = this.#members
      .all()
      .map((member) =>
        nodeView(member, this.#healthOf(member), this.#wish, this.#record, this.#lag, this.#context.binaries()),
      )
    const { roleChange } = this.#wish
    const automaticFailover = this.#wish.automaticFailover
    return {
      primary: this.#record.primary ?? '',
      automaticFailover,
      roleChange: roleChange !== undefined && roleChange.number > (this.#record.roleChange ?? 0) ? roleChange : null,
      endpoint: this.#endpoint,
      reader: this.#reader ?? '',
      listening: this.#transit.now().listening,
      fronted: this.#transit.fronted,
      nodes,
    }
  }

  #setRecord(change: Partial<GroupRecord>): void {
    this.#record = { ...this.#record, ...change }
    this.#context.ledger.setGroup(this.#record)
  }

  /** A node is listed once it has been available, and leaves the list before it is stopped (spec/elasticache.md 3.3). */
  #noteMembership(): void {
    const ready = this.#members.all().filter((m) => m.wished && m.phase !== 'creating')
    const change = nextMembership(
      this.#record,
      ready.map((m) => ({ address: m.node.address, pid: m.phase === 'available' ? (m.process?.pid ?? null) : null })),
    )
    if (change !== null) this.#setRecord(change)
  }

  #membershipNow(): Membership {
    const { membershipVersion: version, members } = this.#record
    const well = this.#members.all().filter((m) => this.#healthOf(m).kind === 'well')
    return { version, members, answering: well.map((m) => m.node.address) }
  }

  /** A node whose engine answers. @throws in words when there is no such node, or nobody answers at it */
  asked(id: string): AskedNode {
    const { link, process, address } = this.#members.get(id).node
    if (link === null || process === null) throw new Error(`node ${id} of ${this.id} does not answer`)
    const iamExpirations = this.#password === null ? null : this.#transit.iamExpirations(address)
    return { link, process, configReads: this.#membership?.configReads() ?? null, iamExpirations }
  }

  /** Directory of a node, whether it answers or not. @throws in words when there is no such node */
  dirOf(id: string): string {
    return this.#members.get(id).node.dir
  }

  /** The node to capture a snapshot from, as it is now; a text says why there is none. */
  captureSource(from: SnapshotWish['from']): CaptureSource | string {
    if (this.#reader === null) return 'memcached has no snapshots'
    const node = chooseSource(this.#view(), from)
    if (typeof node === 'string') return node
    return { node: node.id, door: this.#doorsOf(node.id)[0], statistics: () => this.asked(node.id).link.statistics() }
  }

  seen(): GroupSeen {
    const transit = this.#transit.seen(this.#members.all().map((m) => m.node))
    const primary = this.#reader === null ? null : this.#record.primary
    const nodes = this.#members.all().map((member) => nodeSeen(member, primary))
    return {
      id: this.id,
      settled: this.#settled && nodes.every((n) => n.state === 'available'),
      endpoint: this.#endpoint,
      readerEndpoint: this.#reader,
      nodes,
      problem: this.#problem,
      ...(this.#restoration === null ? {} : { restore: this.#restoration.seen() }),
      ...(transit === undefined ? {} : { transit }),
    }
  }

  /** Forgets a node that belongs to another group now; its process goes on. Only after `release`. */
  letGo(node: string): void {
    this.#members.letGo(node)
  }

  /** Stops watching; engines go on. */
  async release(): Promise<void> {
    this.#closed = true
    this.#wake()
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#running
    await this.#restoration?.close()
    this.#members.release()
    await this.#front?.close()
    await this.#transit.closeFronts()
    await this.#membership?.close()
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
    for (const { node } of this.#members.all()) removeFile(node.dir)
    this.#context.addresses.releaseGroup(this.id)
    this.#context.ledger.dropGroup(this.id)
  }
}

/** A password of the keeper in a group, made when it is first needed and kept as long as the group. */
function ownPassword(ledger: Ledger, group: string, name: 'admin' | 'iam'): string {
  const known = ledger.secret(group, name)
  if (known !== null) return known
  const password = newPassword()
  ledger.setSecret(group, name, password)
  return password
}

function newRecord(wish: GroupWish): GroupRecord {
  const primary = wish.engine === 'memcached' ? null : (wish.nodes.find((n) => n.firstPrimary) ?? wish.nodes[0])?.id
  const none = { membershipVersion: 0, members: [], restarts: wish.restarts, roleChange: wish.roleChange?.number ?? 0 }
  const from = wish.engine === 'memcached' ? undefined : wish.restoreFrom
  const restore = from ? { restore: newRestore(from.snapshot) } : {}
  return { id: wish.id, primary: primary ?? null, ...none, ...restore }
}
