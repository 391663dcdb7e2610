//! What a keeper is started with, and what its starter has of it.
import type { Clock } from '../lib/clock.ts'
import type { KeeperSeen } from './protocol.ts'

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
