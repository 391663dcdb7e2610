//! The keeper at work: receives the wish, has groups, workers and snapshots made to it, looks after the host now and then,
//! and tells control what it sees.
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { limitFile } from '../lib/limit-file.ts'
import type { Addresses } from './addresses.ts'
import { ControlSocket } from './control-socket.ts'
import { HostGroups } from './host-groups.ts'
import type { Keeper, KeeperOptions } from './keeper-options.ts'
import type { KnownBinaries } from './known-binaries.ts'
import type { Ledger } from './ledger.ts'
import { limitLog } from './log-rotation.ts'
import { claimNetwork } from './network.ts'
import type { FromKeeper, KeeperSeen, KeeperWish, ToKeeper } from './protocol.ts'
import { answerQuestion, type KeeperQuestion, type NodeNamed, type QuestionSource } from './questions.ts'
import { Captures } from './snapshots/captures.ts'
import { Vault } from './snapshots/vault.ts'
import { SourceFilter } from './source-filter.ts'
import type { AskedNode } from './statistics.ts'
import { Workers } from './workers.ts'

/** How often it looks whether an engine was installed or upgraded meanwhile. Milliseconds. */
const BINARIES_AGAIN_MS = 3000
/** A claim on the network in /tmp is renewed before a cleaner of old files finds it. Milliseconds. */
const CLAIM_AGAIN_MS = 3_600_000
/** How often the length of the engines' logs is looked at. Milliseconds. */
const LOGS_AGAIN_MS = 60_000
/** How often it is looked whether the packet filter still has our rules. Milliseconds. */
const FILTER_AGAIN_MS = 5_000

export class HostKeeper implements Keeper, QuestionSource {
  readonly #options: KeeperOptions
  readonly #ledger: Ledger
  readonly #addresses: Addresses
  readonly #workers: Workers
  readonly #groups: HostGroups
  readonly #vault: Vault
  readonly #captures: Captures
  readonly #sourceFilter: SourceFilter
  readonly #socket: ControlSocket
  readonly #unlock: () => Promise<void>
  readonly #timers: NodeJS.Timeout[] = []
  readonly #binaries: KnownBinaries
  #wish: KeeperWish
  #lastSeen = ''
  #reportQueued = false
  #stopping: Promise<void> | null = null
  #done: () => void = () => {}
  readonly stopped: Promise<void>

  constructor(
    options: KeeperOptions,
    ledger: Ledger,
    addresses: Addresses,
    binaries: KnownBinaries,
    unlock: () => Promise<void>,
  ) {
    this.#options = options
    this.#ledger = ledger
    this.#addresses = addresses
    this.#binaries = binaries
    this.#unlock = unlock
    this.#wish = ledger.wish() ?? { sequence: 0, workers: [], groups: [] }
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
    this.#groups = new HostGroups({
      home: options.home,
      authority: options.authority ?? join(options.home, 'authority'),
      ...{ ledger, addresses },
      vault: this.#vault,
      clock: options.clock,
      binaries: () => binaries.now,
      sourceFilter: this.#sourceFilter,
      emit: (groupId, event) => {
        const at = new Date(options.clock.wall()).toISOString()
        this.#socket.send({ type: 'events', events: [ledger.addEvent(at, groupId, event)] })
      },
      log: options.log,
      onChange: () => this.#report(),
      onRemoved: () => this.#apply(),
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
    this.#groups.endStrays()
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
    return this.#groups.named(group).asked(node)
  }

  dirOf({ group, node }: NodeNamed): string {
    return this.#groups.named(group).dirOf(node)
  }

  /** Makes groups and workers those of the wish. */
  #apply(): void {
    if (this.#stopping !== null) return
    this.#groups.apply(this.#wish.groups)
    this.#workers.apply(this.#wish.workers)
    this.#captures.apply(this.#wish.snapshots ?? [], this.#wish.snapshotDeletions ?? [])
    this.#report()
  }

  async #checkFilter(): Promise<void> {
    await this.#groups.checkFilter()
    this.#report()
  }

  async #findBinaries(): Promise<void> {
    if (!(await this.#binaries.lookAgain(this.#wish.groups.map((g) => g.engine)))) return
    this.#groups.poke()
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
      groups: this.#groups.seen(),
      snapshots: this.#captures.seen(),
      workers: this.#workers.seen(),
      sourceFilterMissing: this.#sourceFilter.missing,
      nodeNetwork: this.#addresses.cidr,
      binaries: this.#binaries.now,
    }
  }

  stop(options: { readonly engines: boolean; readonly workers: boolean }): Promise<void> {
    this.#stopping ??= this.#stop(options)
    return this.#stopping
  }

  async #stop({ engines, workers }: { readonly engines: boolean; readonly workers: boolean }): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.#captures.close()
    await this.#groups.removed()
    if (workers) await this.#workers.end()
    else this.#workers.release()
    await this.#groups.close({ engines })
    // Engines that go on stay guarded.
    if (engines) await this.#sourceFilter.close()
    this.#ledger.close()
    this.#socket.send({ type: 'stopped' })
    await this.#socket.close()
    await this.#unlock()
    this.#done()
  }
}
