//! The packet filter of this host as the keeper uses it: one table of its own, written whole at each change, checked from
//! time to time, and removed when nothing is guarded any more. Rules outlive the keeper, as the engines do.
import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { promisify } from 'node:util'
import { type Guarded, removalText, tableText } from './source-rules.ts'

const NFT = ['/usr/sbin/nft', '/sbin/nft', '/usr/local/sbin/nft', '/usr/bin/nft']
/** One call of nft. Milliseconds. */
const NFT_TIMEOUT_MS = 5000

export type Sources = readonly (readonly string[])[]

export interface SourceFilterOptions {
  /** Unique on this machine: installations have networks of their own. */
  readonly table: string
  /** Whether an earlier keeper of this installation left a table behind; kept for the next one. */
  readonly hadTable: boolean
  readonly setHadTable: (has: boolean) => void
}

export class SourceFilter {
  readonly #options: SourceFilterOptions
  #nft: string | null = null
  /** What keeps this host from filtering, for a person; null when nothing does. */
  missing: string | null = 'it has not been tried yet'
  #hasTable: boolean
  /** Text of the rules in force, and what they guard. */
  #written = ''
  #inForce: ReadonlyMap<string, Guarded> = new Map()
  #guarded: readonly Guarded[] = []
  #work: Promise<void> = Promise.resolve()
  /** What keeps the wished rules from being in force; null when they are. */
  problem: string | null = null

  constructor(options: SourceFilterOptions) {
    this.#options = options
    this.#hasTable = options.hadTable
  }

  /** Looks whether this host can filter: a program, and the right to use it. */
  async probe(): Promise<void> {
    this.#nft = NFT.find(isExecutable) ?? null
    if (this.#nft === null) {
      this.missing = 'the program nft is not installed (Debian and Ubuntu: apt-get install nftables)'
      return
    }
    try {
      await this.#run(['-c', '-f', '-'], tableText(this.#options.table, []))
      this.missing = null
    } catch {
      this.missing = 'the keeper may not change packet filters: run Cachefront as root, or with CAP_NET_ADMIN'
    }
  }

  /** Makes `guarded` the rules in force, in order with other calls; `problem` tells when it could not. */
  apply(guarded: readonly Guarded[]): Promise<void> {
    this.#guarded = guarded
    return this.#enqueue(() => this.#write())
  }

  /** Writes the rules again when somebody has removed them. */
  check(): Promise<void> {
    return this.#enqueue(async () => {
      if (!this.#hasTable || this.#guarded.length === 0) return
      const there = await this.#run(['list', 'table', 'inet', this.#options.table]).then(
        () => true,
        () => false,
      )
      if (!there) this.#forget()
      await this.#write()
    })
  }

  /** Whether clients of the group, at any of `addresses`, are held to `sources` now. */
  isInForce(group: string, sources: Sources | undefined, addresses: readonly string[]): boolean {
    if (sources === undefined || sources.length === 0) return true
    const entry = this.#inForce.get(group)
    if (entry === undefined || JSON.stringify(entry.sources) !== JSON.stringify(sources)) return false
    return addresses.every((address) => entry.addresses.includes(address))
  }

  /** Removes the table: nothing that it guards runs any more. */
  close(): Promise<void> {
    return this.apply([])
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work)
    return this.#work
  }

  async #write(): Promise<void> {
    const empty = this.#guarded.length === 0
    const text = tableText(this.#options.table, this.#guarded)
    if (empty && !this.#hasTable) return
    const guarded = new Map(this.#guarded.map((one) => [one.group, one]))
    if (text === this.#written) {
      this.#inForce = guarded
      return
    }
    try {
      if (this.#nft === null || this.missing !== null) await this.probe()
      if (this.missing !== null) throw new Error(this.missing)
      await this.#run(['-f', '-'], empty ? removalText(this.#options.table) : text)
      this.#written = empty ? '' : text
      this.#inForce = guarded
      this.problem = null
      if (this.#hasTable === empty) this.#options.setHadTable(!empty)
      this.#hasTable = !empty
    } catch (error) {
      this.problem = `security groups and subnets are not enforced: ${(error as Error).message.trim()}`
    }
  }

  #forget(): void {
    this.#written = ''
    this.#inForce = new Map()
  }

  async #run(args: readonly string[], input = ''): Promise<void> {
    if (this.#nft === null) throw new Error('there is no nft')
    const running = promisify(execFile)(this.#nft, args, { timeout: NFT_TIMEOUT_MS })
    running.child.stdin?.on('error', () => {})
    running.child.stdin?.end(input)
    await running
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
