//! The nodes of one group with what the keeper remembers of each: the phase it is in, since when it is available, which
//! process it has. Phases change here only, and each change that a user should know of becomes an event.
import { rm } from 'node:fs/promises'
import type { Clock } from '../lib/clock.ts'
import { isAlive, type ProcessIdentity } from '../lib/process.ts'
import { type Binary, purposeOf } from './binaries.ts'
import type { Door } from './door.ts'
import type { Engine, EngineUser } from './engine.ts'
import type { Health } from './group-view.ts'
import type { Ledger } from './ledger.ts'
import { EngineNode, type Transit } from './node.ts'
import { hasFile, keepsFile, removeFile, settingsOf } from './persistence.ts'
import { isStandIn, standInOf } from './planned-changes.ts'
import type { GroupWish, KeeperEvent, NodeLoss, NodeState } from './protocol.ts'
import type { Source } from './transit.ts'

export interface Member {
  readonly node: EngineNode
  phase: NodeState
  wished: boolean
  availableSince: string | null
  binaryVersion: string | null
  /** It was started without a copy of the data: as a primary, not as a replica. */
  startedEmpty: boolean
  /** ISO time of the start that replaced a lost process by one without data; null when it has its data. */
  lostDataAt: string | null
  /** The event `recovering` was given: once a loss, with the first start after it. */
  recoveryAnnounced: boolean
  /** Its process, or the one it had last. */
  process: ProcessIdentity | null
  /** Engine and version that its process was started for, `redis 7.1`; null when that is not known. */
  startedFor: string | null
}

export interface MembersOptions {
  readonly group: string
  readonly engine: Engine
  readonly ledger: Ledger
  readonly clock: Clock
  readonly doorsOf: (node: string) => readonly [Door, ...Door[]]
  readonly transit: () => Transit
  readonly users: () => readonly EngineUser[]
  readonly defaultUser: () => EngineUser | null
  readonly dirOf: (node: string) => string
  /** A living process that works in `dir`, which the ledger does not know: a crash came between start and record. */
  readonly orphanIn: (dir: string) => ProcessIdentity | null
  readonly emit: (event: KeeperEvent['event']) => void
  readonly onChange: () => void
}

export class Members {
  readonly #options: MembersOptions
  readonly #members = new Map<string, Member>()

  constructor(options: MembersOptions) {
    this.#options = options
  }

  all(): readonly Member[] {
    return [...this.#members.values()]
  }

  /** The first thing that keeps one of them from being as wished, for a person. */
  get problem(): string | null {
    const problems = this.all().map(({ node }) => {
      const { id, problem, usersProblem } = node
      return problem ?? (usersProblem === null ? null : `node ${id}: ${usersProblem}`)
    })
    return problems.find((problem) => problem !== null) ?? null
  }

  get(id: string): Member {
    const member = this.#members.get(id)
    if (member === undefined) throw new Error(`no node ${id} in group ${this.#options.group}`)
    return member
  }

  /** Makes the members those of the wish; one that is no longer wished stays until it is removed. */
  sync(wish: GroupWish): void {
    const wished = new Set(wish.nodes.map((n) => n.id))
    for (const member of this.#members.values()) {
      member.wished = wished.has(member.node.id)
      if (!member.wished && !isStandIn(member.node.id)) member.phase = 'deleting'
      else if (member.phase === 'deleting') member.phase = 'available'
    }
    const known = this.#options.ledger.nodes().filter((record) => record.group === this.#options.group)
    for (const id of [...wished, ...known.map((record) => record.node)]) {
      if (!this.#members.has(id)) this.#members.set(id, this.#make(id, wished.has(id)))
    }
  }

  /**
   * A second process for the only node, in a directory and at an address of its own; it is filled as that node's replica,
   * once the packet filter knows the address.
   */
  async addStandIn(of: Member): Promise<Member> {
    const id = standInOf(of.node.id)
    const usual = this.#options.dirOf(id)
    const dir = of.node.dir === usual ? this.#options.dirOf(of.node.id) : usual
    await rm(dir, { recursive: true, force: true })
    // Asking for its door gives it its address.
    this.#options.doorsOf(id)
    const member = this.#make(id, false, dir)
    this.#members.set(id, member)
    return member
  }

  #make(id: string, wished: boolean, usual = this.#options.dirOf(id)): Member {
    const { group, ledger, doorsOf, orphanIn, engine, clock, onChange, transit, users, defaultUser } = this.#options
    const record = ledger.nodes().find((r) => r.group === group && r.node === id) ?? null
    const dir = record?.dir ?? usual
    const now = { doors: () => doorsOf(id), transit, users, defaultUser }
    const node = new EngineNode({ id, ...now, dir, engine, clock, onChange })
    const member: Member = {
      node,
      phase: wished ? (record?.phase ?? 'creating') : isStandIn(id) ? 'creating' : 'deleting',
      wished,
      availableSince: record?.availableSince ?? null,
      binaryVersion: record?.binaryVersion ?? null,
      startedEmpty: false,
      lostDataAt: null,
      recoveryAnnounced: record?.phase === 'recovering',
      process: record?.process ?? null,
      startedFor: record?.startedFor ?? null,
    }
    if (record !== null && isAlive(record.process))
      node.adopt(record.process, record.startedWith, record.phase === 'available')
    else {
      const orphan = orphanIn(dir)
      if (orphan !== null) node.adopt(orphan, record?.startedWith ?? [], false)
      else if (record !== null) this.lose(member, 'exit')
    }
    if (node.process !== null) this.save(member)
    return member
  }

  /** Notes a loss once: an available node recovers from here on. */
  lose(member: Member, reason: NodeLoss): void {
    if (member.phase !== 'available') return
    member.phase = 'recovering'
    member.availableSince = null
    this.#options.emit({ kind: 'node-lost', node: member.node.id, reason })
    member.recoveryAnnounced = false
    this.save(member)
  }

  noteHealth(member: Member, health: Health): void {
    if (health.kind === 'lost') this.lose(member, health.reason)
  }

  reboot(member: Member): void {
    member.phase = 'rebooting'
    member.availableSince = null
    this.save(member)
  }

  /** Its process is about to give way to one of the wished engine and version. */
  replace(member: Member): void {
    member.phase = 'replacing'
    member.availableSince = null
    this.save(member)
  }

  start(member: Member, binary: Binary, wish: GroupWish, replicaOf: Source | null): void {
    if (member.phase === 'recovering' && !member.recoveryAnnounced) {
      member.recoveryAnnounced = true
      this.#options.emit({ kind: 'recovering', node: member.node.id })
    }
    const { node } = member
    if (!keepsFile(wish)) removeFile(node.dir)
    member.startedEmpty = replicaOf === null && !hasFile(node.dir)
    const losesData = member.startedEmpty && member.phase === 'recovering'
    member.lostDataAt = losesData ? new Date(this.#options.clock.wall()).toISOString() : null
    node.start(binary, settingsOf(wish, node.id), replicaOf, wish.atRestEncryption === true)
    member.startedFor = purposeOf(wish)
    member.binaryVersion = null
    this.save(member)
  }

  /** The node serves: answers, has its role and its settings. */
  available(member: Member): void {
    const id = member.node.id
    if (member.phase === 'recovering') this.#options.emit({ kind: 'recovered', node: id, empty: member.startedEmpty })
    if (member.phase === 'rebooting') this.#options.emit({ kind: 'restarted', node: id })
    member.phase = 'available'
    member.availableSince = new Date(this.#options.clock.wall()).toISOString()
    member.binaryVersion = member.node.facts?.version ?? null
    this.save(member)
  }

  save(member: Member): void {
    const { group, ledger } = this.#options
    const process = member.node.process ?? member.process
    if (process === null) return
    member.process = process
    ledger.setNode({
      group,
      node: member.node.id,
      process,
      phase: member.phase,
      binaryVersion: member.binaryVersion ?? '',
      startedWith: member.node.startedWith,
      availableSince: member.availableSince,
      startedFor: member.startedFor,
      dir: member.node.dir,
    })
  }

  /** The process of the stand-in is the node's from here on, in whose name and at whose address it answers. */
  takePlace(member: Member, standIn: Member): void {
    const { process, startedWith, dir } = standIn.node
    if (process === null) throw new Error(`the process that was to take the place of ${member.node.id} has ended`)
    const { group, ledger } = this.#options
    standIn.node.release()
    this.#members.delete(standIn.node.id)
    member.node.adopt(process, startedWith, true, dir)
    member.startedFor = standIn.startedFor
    member.phase = 'replacing'
    ledger.atomically(() => {
      this.save(member)
      ledger.dropNode(group, standIn.node.id)
    })
  }

  /** Forgets a node that belongs to another group now; its process goes on. */
  letGo(id: string): void {
    this.#members.get(id)?.node.release()
    this.#members.delete(id)
  }

  /** Ends the process and forgets the node. */
  async remove(member: Member): Promise<void> {
    await member.node.end()
    member.node.release()
    this.#options.ledger.dropNode(this.#options.group, member.node.id)
    this.#members.delete(member.node.id)
  }

  /** Ends all processes on purpose: a later start is not a recovery. */
  async endAll(): Promise<void> {
    await Promise.all(
      this.all().map(async (member) => {
        await member.node.end()
        member.node.release()
        this.#options.ledger.dropNode(this.#options.group, member.node.id)
      }),
    )
  }

  /** Stops watching; the processes go on. */
  release(): void {
    for (const member of this.#members.values()) member.node.release()
  }
}
