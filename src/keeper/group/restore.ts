//! A group that gets its data from a snapshot: begins to load it once its primary runs, and says how it goes.

import type { Door } from '../door.ts'
import { logTail } from '../engine-process.ts'
import type { Member } from '../members.ts'
import type { GroupWish } from '../protocol.ts'
import type { RestoreView } from '../snapshots/plan-restore.ts'
import { Restoration } from '../snapshots/restoration.ts'
import type { Vault } from '../snapshots/vault.ts'
import type { RestoreSeen } from '../snapshots/wish.ts'
import type { KeptRecord } from './kept-record.ts'

export interface GroupRestoreOptions {
  readonly wish: () => GroupWish
  readonly record: KeptRecord
  readonly vault: Vault
  readonly primary: () => Member
  readonly doorOf: (node: string) => Door
  readonly onChange: () => void
}

export class GroupRestore {
  readonly #options: GroupRestoreOptions
  /** Null in a group that began empty. */
  readonly #restoration: Restoration | null

  constructor(options: GroupRestoreOptions) {
    this.#options = options
    const { record, vault, primary, onChange } = options
    const { restore } = record.now
    this.#restoration =
      restore === undefined
        ? null
        : new Restoration({
            vault,
            record: restore,
            save: (changed) => record.change({ restore: changed }),
            lastWords: () => logTail(primary().node.dir).trim().split('\n').at(-1) ?? '',
            onChange,
          })
  }

  /** The group's data is not there yet. */
  get isOpen(): boolean {
    return this.#restoration?.isOpen === true
  }

  /** What the decider must know of it; null when there is none, or it is done. */
  view(): RestoreView | null {
    const restoration = this.#restoration
    if (!restoration?.isOpen) return null
    const { node, startedEmpty } = this.#options.primary()
    return { failed: restoration.failed, isFresh: restoration.isFresh(node.process?.pid ?? null, startedEmpty) }
  }

  /** Begins to load the data once its node runs. */
  begin(): void {
    const restoration = this.#restoration
    const { node } = this.#options.primary()
    const { link, facts, process } = node
    if (!restoration?.isWaiting || link === null || facts?.role !== 'primary' || process === null) return
    const { engine } = this.#options.wish()
    if (engine === 'memcached') return
    restoration.begin({
      engine,
      version: facts.version,
      door: this.#options.doorOf(node.id),
      link,
      pid: process.pid,
      promote: async () => {
        await link.replication?.follow(null)
        await node.look()
      },
    })
  }

  seen(): RestoreSeen | undefined {
    return this.#restoration?.seen()
  }

  async close(): Promise<void> {
    await this.#restoration?.close()
  }
}
