//! The groups of a host: makes them those of the wish, lets nodes move from one to another, ends what nobody wishes any
//! more, and holds clients of each to the networks that are wished.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive, type ProcessIdentity, processesBelow } from '../lib/process.ts'
import { endProcess } from './engine-process.ts'
import { Group, type GroupContext } from './group.ts'
import { type Move, makeMove, openMoves } from './moves.ts'
import { removeNodeDirectory } from './node-directory.ts'
import type { GroupSeen, GroupWish } from './protocol.ts'
import type { SourceFilter } from './source-filter.ts'
import type { Guarded } from './source-rules.ts'
import { portsBehindFront } from './transit.ts'

export interface HostGroupsOptions extends Omit<GroupContext, 'orphanIn' | 'sourceFilter' | 'guard'> {
  readonly sourceFilter: SourceFilter
  /** One line for the keeper's log. */
  readonly log: (line: string) => void
  /** A group has ended with all it held: another of its id may begin. */
  readonly onRemoved: () => void
}

export class HostGroups {
  readonly #options: HostGroupsOptions
  readonly #groups = new Map<string, Group>()
  /** Engines of ours by their directory, those included that a crash kept out of the ledger. */
  readonly #orphans: ReadonlyMap<string, ProcessIdentity>
  readonly #removing = new Set<string>()
  #wishes: readonly GroupWish[] = []
  #guarded: readonly Guarded[] = []
  #removals: Promise<unknown> = Promise.resolve()

  constructor(options: HostGroupsOptions) {
    this.#options = options
    const found = processesBelow(join(options.home, 'nodes'))
    this.#orphans = new Map(found.map(({ dir, process }) => [dir, process]))
  }

  get(id: string): Group | undefined {
    return this.#groups.get(id)
  }

  /** @throws in words when there is none of this id */
  named(id: string): Group {
    const found = this.#groups.get(id)
    if (found === undefined) throw new Error(`there is no group ${id} on this host`)
    return found
  }

  seen(): readonly GroupSeen[] {
    return [...this.#groups.values()].map((group) => group.seen())
  }

  poke(): void {
    for (const group of this.#groups.values()) group.poke()
  }

  apply(wishes: readonly GroupWish[]): void {
    this.#wishes = wishes
    const { ledger } = this.#options
    const wished = new Set(wishes.map((g) => g.id))
    const moves = openMoves(wishes, ledger)
    for (const move of moves) if (!this.#groups.has(move.from) && !this.#removing.has(move.from)) this.#move([move])
    for (const [id, group] of this.#groups) {
      if (wished.has(id)) continue
      const leaving = moves.filter((move) => move.from === id)
      this.#remove(id, group, leaving)
    }
    for (const id of ledger.groupIds()) {
      // Unwished while nobody kept it: its group object exists only to end it.
      if (!wished.has(id) && !this.#groups.has(id) && !this.#removing.has(id)) this.#forgetLeftOver(id)
    }
    for (const wish of wishes) this.#applyGroup(wish)
    void this.#guard()
  }

  #applyGroup(wish: GroupWish): void {
    const group = this.#groups.get(wish.id)
    if (group !== undefined) {
      group.apply(wish)
      return
    }
    // Its first node is on its way from another group: that one is to let go first.
    if (this.#removing.has(wish.id) || openMoves([wish], this.#options.ledger).length > 0) return
    const orphanIn = (dir: string): ProcessIdentity | null => {
      const orphan = this.#orphans.get(dir)
      return orphan !== undefined && isAlive(orphan) ? orphan : null
    }
    this.#groups.set(wish.id, new Group(wish, { ...this.#options, orphanIn, guard: () => this.#guard() }))
  }

  /** Holds clients to the networks that are wished; groups that wait for it go on then. */
  async #guard(): Promise<void> {
    const { addresses, sourceFilter } = this.#options
    const groups = this.#wishes.flatMap(({ id, port, sources, nodes }) => {
      // A node that is new has its address now: it starts when the rules name that.
      if (this.#groups.has(id)) for (const node of nodes) addresses.node(id, node.id)
      const [first, ...rest] = addresses.ofGroup(id)
      if (first === undefined || sources === undefined || sources.length === 0) return []
      return [
        {
          group: id,
          ports: [port, ...Object.values(portsBehindFront(port))],
          sources,
          addresses: [first, ...rest] as const,
        },
      ]
    })
    // What is being removed stays guarded until its addresses are free.
    const leaving = this.#guarded.filter(
      (one) => !groups.some(({ group }) => group === one.group) && this.#removing.has(one.group),
    )
    this.#guarded = [...groups, ...leaving]
    await sourceFilter.apply(this.#guarded)
    for (const { group } of groups) this.#groups.get(group)?.poke()
  }

  /** Looks whether the packet filter still has our rules, or can be had now. */
  async checkFilter(): Promise<void> {
    const { sourceFilter } = this.#options
    if (this.#guarded.length > 0) await sourceFilter.check()
    else if (sourceFilter.missing !== null) await sourceFilter.probe()
  }

  /** A group of the same id may be wished again meanwhile: it waits until this one is gone with all it holds. */
  #remove(id: string, group: Group, leaving: readonly Move[]): void {
    this.#groups.delete(id)
    this.#removing.add(id)
    const removed = this.#letGo(group, leaving)
      .then(() => group.remove())
      .catch((error: Error) => this.#options.log(`group ${id} was not removed cleanly: ${error.message}`))
      .then(() => {
        this.#removing.delete(id)
        this.#options.onRemoved()
      })
    this.#removals = Promise.all([this.#removals, removed])
  }

  /** What another group takes over goes before the rest ends. */
  async #letGo(group: Group, leaving: readonly Move[]): Promise<void> {
    if (leaving.length === 0) return
    await group.release()
    for (const { node } of leaving) group.letGo(node)
    this.#move(leaving)
  }

  #move(moves: readonly Move[]): void {
    const { ledger, addresses, home } = this.#options
    for (const move of moves) makeMove(move, ledger, addresses, home)
  }

  /** A group that was removed from the wish just before a crash: its engines end, its addresses return. */
  #forgetLeftOver(id: string): void {
    const { ledger, addresses, home } = this.#options
    const records = ledger.nodes().filter((record) => record.group === id)
    const ended = records.map(async ({ process, node, dir }) => {
      await endProcess(process, 'SIGTERM')
      ledger.dropNode(id, node)
      if (!this.#groups.has(id)) await removeNodeDirectory(dir ?? join(home, 'nodes', id, node))
    })
    const keys = rm(join(home, 'tls', id), { recursive: true, force: true })
    this.#removals = Promise.all([this.#removals, keys, ...ended])
    addresses.releaseGroup(id)
    ledger.dropGroup(id)
  }

  /** Ends engines in our directories that no wish and no record knows: left by a crash between start and ledger. */
  endStrays(): void {
    const { home, ledger, log } = this.#options
    const wished = this.#wishes.flatMap((g) => g.nodes.map((n) => join(home, 'nodes', g.id, n.id)))
    const recorded = new Set(ledger.nodes().map((record) => record.process.pid))
    for (const [dir, process] of this.#orphans) {
      if (wished.includes(dir) || recorded.has(process.pid)) continue
      log(`process ${process.pid} in ${dir} belongs to no wished node; it is ended`)
      this.#removals = Promise.all([this.#removals, endProcess(process, 'SIGTERM')])
    }
  }

  /** Resolves when what was not wished any more has ended. */
  async removed(): Promise<void> {
    await this.#removals
  }

  /** Stops watching; `engines`: ends them, too. */
  async close({ engines }: { readonly engines: boolean }): Promise<void> {
    await Promise.all([...this.#groups.values()].map((group) => (engines ? group.end() : group.release())))
  }
}
