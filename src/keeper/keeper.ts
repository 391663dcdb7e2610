//! The keeper of a host: a process of its own that owns engines and edge workers, and serves control on a Unix socket.
//! It keeps the newest wish in its ledger and goes on with it when control is away, and after its own death.
import { chmodSync, mkdirSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import { limitFile } from '../lib/limit-file.ts'
import { tryMachineLock } from '../lib/machine-lock.ts'
import { isAlive, type ProcessIdentity, processesBelow } from '../lib/process.ts'
import { Addresses } from './addresses.ts'
import { type Binary, binariesMark, findBinaries, SEARCH_PATH } from './binaries.ts'
import { ControlSocket } from './control-socket.ts'
import { endProcess } from './engine-process.ts'
import { Group } from './group.ts'
import { Ledger } from './ledger.ts'
import { limitLog } from './log-rotation.ts'
import { type Move, makeMove, openMoves } from './moves.ts'
import { claimNetwork } from './network.ts'
import type { FromKeeper, GroupWish, KeeperSeen, KeeperWish, ToKeeper } from './protocol.ts'
import { answerQuestion, type KeeperQuestion, type NodeNamed, type QuestionSource } from './questions.ts'
import { Captures } from './snapshots/captures.ts'
import { Vault } from './snapshots/vault.ts'
import { SourceFilter } from './source-filter.ts'
import type { Guarded } from './source-rules.ts'
import type { AskedNode } from './statistics.ts'
import { portsBehindFront } from './transit.ts'
import { Workers } from './workers.ts'

/** How often it looks whether an engine was installed or upgraded meanwhile. Milliseconds. */
const BINARIES_AGAIN_MS = 3000
/** A claim on the network in /tmp is renewed before a cleaner of old files finds it. Milliseconds. */
const CLAIM_AGAIN_MS = 3_600_000
/** How often the length of the engines' logs is looked at. Milliseconds. */
const LOGS_AGAIN_MS = 60_000
/** How often it is looked whether the packet filter still has our rules. Milliseconds. */
const FILTER_AGAIN_MS = 5_000

export interface KeeperOptions {
  /** Directory of the installation (0700); ledger, node directories and worker logs lie in it. */
  readonly home: string
  /** Where `snapshots/` and `keys/` lie, which control uses too; `home` by default. */
  readonly vaultHome?: string
  /** Directory of the installation's certificate authority; `authority` below `home` by default. */
  readonly authority?: string
  /** Path of the socket for control, at most 107 bytes. */
  readonly socketPath: string
  /** N of 127.N.0.0/16; null for the one the ledger remembers, at first the first free one. */
  readonly nodeNetwork: number | null
  /** Version of this program. */
  readonly version: string
  readonly clock: Clock
  /** One line for the keeper's log. */
  readonly log: (line: string) => void
  /** How workers are started: node, and what comes before the arguments of the wish. */
  readonly execPath: string
  readonly programArgs: readonly string[]
  /** Environment of the workers. */
  readonly env: NodeJS.ProcessEnv
  /** Where engine binaries are looked for; the usual places by default. */
  readonly searchPath?: readonly string[]
  /** Where networks are claimed; only tests of installations apart from the machine's give another. */
  readonly claimsDir?: string
}

export interface Keeper {
  /** What it sees now. */
  seen(): KeeperSeen
  /** Ends engines and workers as asked and stops; resolves when all of that is done. */
  stop(options: { readonly engines: boolean; readonly workers: boolean }): Promise<void>
  /** Resolves when the keeper has stopped, whoever asked. */
  readonly stopped: Promise<void>
}

/**
 * Starts the keeper of `home`: adopts what runs, starts again what died, and listens for control.
 * @throws when another keeper has this home, the ledger cannot be written, or no network is free.
 */
export async function startKeeper(given: KeeperOptions): Promise<Keeper> {
  mkdirSync(given.home, { recursive: true, mode: 0o700 })
  const options = { ...given, home: realpathSync(given.home) }
  const lock = await tryMachineLock(`keeper:${options.home}`)
  if (lock === null) throw new Error(`a keeper runs in ${options.home} already`)
  try {
    const ledger = new Ledger(join(options.home, 'keeper.db'))
    const network = await claimNetwork({
      home: options.home,
      remembered: ledger.fact<number>('network'),
      demanded: options.nodeNetwork,
      ...(options.claimsDir === undefined ? {} : { claimsDir: options.claimsDir }),
    })
    ledger.setFact('network', network)
    const binaries = await findBinaries(options.searchPath ?? SEARCH_PATH)
    const keeper = new HostKeeper(options, ledger, new Addresses(ledger, network), binaries, lock.release)
    await keeper.open()
    return keeper
  } catch (error) {
    await lock.release()
    throw error
  }
}

class HostKeeper implements Keeper, QuestionSource {
  readonly #options: KeeperOptions
  readonly #ledger: Ledger
  readonly #addresses: Addresses
  readonly #workers: Workers
  readonly #groups = new Map<string, Group>()
  readonly #vault: Vault
  readonly #captures: Captures
  readonly #sourceFilter: SourceFilter
  readonly #socket: ControlSocket
  readonly #unlock: () => Promise<void>
  readonly #timers: NodeJS.Timeout[] = []
  readonly #orphans: ReadonlyMap<string, ProcessIdentity>
  #binaries: readonly Binary[]
  #binariesMark: string
  #wish: KeeperWish
  #lastSeen = ''
  #reportQueued = false
  readonly #removing = new Set<string>()
  #guarded: readonly Guarded[] = []
  #removals: Promise<unknown> = Promise.resolve()
  #stopping: Promise<void> | null = null
  #done: () => void = () => {}
  readonly stopped: Promise<void>

  constructor(
    options: KeeperOptions,
    ledger: Ledger,
    addresses: Addresses,
    binaries: readonly Binary[],
    unlock: () => Promise<void>,
  ) {
    this.#options = options
    this.#ledger = ledger
    this.#addresses = addresses
    this.#binaries = binaries
    this.#binariesMark = binariesMark(options.searchPath ?? SEARCH_PATH)
    this.#unlock = unlock
    this.#wish = ledger.wish() ?? { sequence: 0, workers: [], groups: [] }
    // Engines of ours by their directory, those included that a crash kept out of the ledger.
    this.#orphans = new Map(processesBelow(join(options.home, 'nodes')).map((found) => [found.dir, found.process]))
    this.stopped = new Promise((resolve) => {
      this.#done = resolve
    })
    this.#workers = new Workers({ ...options, ledger, onChange: () => this.#report() })
    this.#vault = new Vault(options.vaultHome ?? options.home)
    this.#sourceFilter = new SourceFilter({
      table: `cachefront_${addresses.cidr.split('.')[1]}`,
      hadTable: ledger.fact<boolean>('source-filter') ?? false,
      setHadTable: (has) => ledger.setFact('source-filter', has),
    })
    this.#captures = new Captures({
      vault: this.#vault,
      clock: options.clock,
      source: (group, from) => this.#groups.get(group)?.captureSource(from) ?? null,
      onChange: () => this.#report(),
      log: options.log,
    })
    this.#socket = new ControlSocket(options.socketPath, {
      greeting: () => ({
        type: 'hello',
        pid: process.pid,
        version: options.version,
        wishSequence: this.#wish.sequence,
      }),
      seen: () => this.seen(),
      events: () => ledger.events(),
      receive: (message, reply) => this.#receive(message, reply),
    })
  }

  async open(): Promise<void> {
    await Promise.all([this.#captures.open(), this.#sourceFilter.probe()])
    await this.#socket.open()
    chmodSync(this.#options.socketPath, 0o600)
    this.#apply()
    this.#endStrays()
    this.#timers.push(setInterval(() => void this.#findBinaries(), BINARIES_AGAIN_MS))
    this.#timers.push(setInterval(() => void this.#renewClaim(), CLAIM_AGAIN_MS))
    this.#timers.push(setInterval(() => this.#limitLogs(), LOGS_AGAIN_MS))
    this.#timers.push(setInterval(() => void this.#checkFilter(), FILTER_AGAIN_MS))
  }

  #receive(message: ToKeeper, reply: (message: FromKeeper) => void): void {
    switch (message.type) {
      case 'hello':
        return
      case 'wish':
        if (message.wish.sequence < this.#wish.sequence) return
        this.#wish = message.wish
        this.#ledger.setWish(message.wish)
        this.#apply()
        return
      case 'acknowledge-events':
        this.#ledger.acknowledgeEvents(message.sequence)
        return
      case 'ask':
        void this.#answer(message.id, message.question, reply)
        return
      case 'stop':
        void this.stop(message)
    }
  }

  async #answer(id: number, question: KeeperQuestion, reply: (message: FromKeeper) => void): Promise<void> {
    try {
      reply({ type: 'answer', id, answer: await answerQuestion(question, this) })
    } catch (error) {
      reply({ type: 'no-answer', id, problem: (error as Error).message })
    }
  }

  asked({ group, node }: NodeNamed): AskedNode {
    return this.#groupNamed(group).asked(node)
  }

  dirOf({ group, node }: NodeNamed): string {
    return this.#groupNamed(group).dirOf(node)
  }

  #groupNamed(id: string): Group {
    const found = this.#groups.get(id)
    if (found === undefined) throw new Error(`there is no group ${id} on this host`)
    return found
  }

  /** Makes groups and workers those of the wish. */
  #apply(): void {
    if (this.#stopping !== null) return
    const wished = new Set(this.#wish.groups.map((g) => g.id))
    const moves = openMoves(this.#wish.groups, this.#ledger)
    for (const move of moves) if (!this.#groups.has(move.from) && !this.#removing.has(move.from)) this.#move([move])
    for (const [id, group] of this.#groups) {
      if (wished.has(id)) continue
      const leaving = moves.filter((move) => move.from === id)
      this.#remove(id, group, leaving)
    }
    for (const id of this.#ledger.groupIds()) {
      // Unwished while nobody kept it: its group object exists only to end it.
      if (!wished.has(id) && !this.#groups.has(id) && !this.#removing.has(id)) this.#forgetLeftOver(id)
    }
    for (const wish of this.#wish.groups) this.#applyGroup(wish)
    void this.#guard()
    this.#workers.apply(this.#wish.workers)
    this.#captures.apply(this.#wish.snapshots ?? [], this.#wish.snapshotDeletions ?? [])
    this.#report()
  }

  /** Holds clients to the networks that are wished; groups that wait for it go on then. */
  async #guard(): Promise<void> {
    const groups = this.#wish.groups.flatMap(({ id, port, sources }) => {
      const [first, ...rest] = this.#addresses.ofGroup(id)
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
    await this.#sourceFilter.apply(this.#guarded)
    for (const { group } of groups) this.#groups.get(group)?.poke()
  }

  async #checkFilter(): Promise<void> {
    if (this.#guarded.length > 0) await this.#sourceFilter.check()
    else if (this.#sourceFilter.missing !== null) await this.#sourceFilter.probe()
    this.#report()
  }

  #applyGroup(wish: GroupWish): void {
    const group = this.#groups.get(wish.id)
    if (group !== undefined) {
      group.apply(wish)
      return
    }
    // Its first node is on its way from another group: that one is to let go first.
    if (this.#removing.has(wish.id) || openMoves([wish], this.#ledger).length > 0) return
    this.#groups.set(
      wish.id,
      new Group(wish, {
        home: this.#options.home,
        authority: this.#options.authority ?? join(this.#options.home, 'authority'),
        ledger: this.#ledger,
        addresses: this.#addresses,
        vault: this.#vault,
        clock: this.#options.clock,
        binaries: () => this.#binaries,
        sourceFilter: this.#sourceFilter,
        orphanIn: (dir) => {
          const orphan = this.#orphans.get(dir)
          return orphan !== undefined && isAlive(orphan) ? orphan : null
        },
        emit: (groupId, event) => {
          const at = new Date(this.#options.clock.wall()).toISOString()
          this.#socket.send({ type: 'events', events: [this.#ledger.addEvent(at, groupId, event)] })
        },
        onChange: () => this.#report(),
      }),
    )
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
        this.#apply()
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
    for (const move of moves) makeMove(move, this.#ledger, this.#addresses, this.#options.home)
  }

  /** A group that was removed from the wish just before a crash: its engines end, its addresses return. */
  #forgetLeftOver(id: string): void {
    const records = this.#ledger.nodes().filter((record) => record.group === id)
    const ended = records.map(async ({ process, node }) => {
      await endProcess(process, 'SIGTERM')
      this.#ledger.dropNode(id, node)
    })
    const keys = rm(join(this.#options.home, 'tls', id), { recursive: true, force: true })
    this.#removals = Promise.all([this.#removals, keys, ...ended])
    this.#addresses.releaseGroup(id)
    this.#ledger.dropGroup(id)
  }

  /** Engines in our directories that no wish and no record knows: left by a crash between their start and the ledger. */
  #endStrays(): void {
    const wished = this.#wish.groups.flatMap((g) => g.nodes.map((n) => join(this.#options.home, 'nodes', g.id, n.id)))
    const recorded = new Set(this.#ledger.nodes().map((record) => record.process.pid))
    for (const [dir, process] of this.#orphans) {
      if (wished.includes(dir) || recorded.has(process.pid)) continue
      this.#options.log(`process ${process.pid} in ${dir} belongs to no wished node; it is ended`)
      this.#removals = Promise.all([this.#removals, endProcess(process, 'SIGTERM')])
    }
  }

  async #findBinaries(): Promise<void> {
    const wanted = new Set(this.#wish.groups.map((g) => g.engine))
    for (const { engine } of this.#binaries) wanted.delete(engine)
    const path = this.#options.searchPath ?? SEARCH_PATH
    const mark = binariesMark(path)
    if (wanted.size === 0 && mark === this.#binariesMark) return
    this.#binaries = await findBinaries(path)
    this.#binariesMark = mark
    for (const group of this.#groups.values()) group.poke()
    this.#report()
  }

  #limitLogs(): void {
    for (const { group, node, dir } of this.#ledger.nodes()) {
      limitLog(dir ?? join(this.#options.home, 'nodes', group, node))
    }
    for (const { name } of this.#wish.workers) limitFile(this.#workers.logOf(name))
  }

  async #renewClaim(): Promise<void> {
    const remembered = this.#ledger.fact<number>('network')
    const { home, claimsDir } = this.#options
    const request = { home, remembered, demanded: null, ...(claimsDir === undefined ? {} : { claimsDir }) }
    await claimNetwork(request).catch((error: Error) => this.#options.log(error.message))
  }

  /** Tells control what changed, once for all changes of one moment. */
  #report(): void {
    if (this.#reportQueued || this.#stopping !== null) return
    this.#reportQueued = true
    setImmediate(() => {
      this.#reportQueued = false
      const seen = this.seen()
      const text = JSON.stringify(seen)
      if (text === this.#lastSeen) return
      this.#lastSeen = text
      this.#socket.send({ type: 'seen', seen })
    })
  }

  seen(): KeeperSeen {
    return {
      sequence: this.#wish.sequence,
      groups: [...this.#groups.values()].map((group) => group.seen()),
      snapshots: this.#captures.seen(),
      workers: this.#workers.seen(),
      sourceFilterMissing: this.#sourceFilter.missing,
      nodeNetwork: this.#addresses.cidr,
      binaries: this.#binaries,
    }
  }

  stop(options: { readonly engines: boolean; readonly workers: boolean }): Promise<void> {
    this.#stopping ??= this.#stop(options)
    return this.#stopping
  }

  async #stop({ engines, workers }: { readonly engines: boolean; readonly workers: boolean }): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.#captures.close()
    await this.#removals
    if (workers) await this.#workers.end()
    else this.#workers.release()
    await Promise.all([...this.#groups.values()].map((group) => (engines ? group.end() : group.release())))
    // Engines that go on stay guarded.
    if (engines) await this.#sourceFilter.close()
    this.#ledger.close()
    this.#socket.send({ type: 'stopped' })
    await this.#socket.close()
    await this.#unlock()
    this.#done()
  }
}
