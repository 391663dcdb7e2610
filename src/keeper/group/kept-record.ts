//! What the ledger keeps of one group: its primary by decision, a failover under way, what was carried out already.
import type { GroupRecord, Ledger } from '../ledger.ts'
import type { GroupWish } from '../protocol.ts'
import { newRestore } from '../snapshots/restoration.ts'

export class KeptRecord {
  readonly #ledger: Ledger
  #now: GroupRecord

  constructor(wish: GroupWish, ledger: Ledger) {
    this.#ledger = ledger
    this.#now = ledger.group(wish.id) ?? newRecord(wish)
    ledger.setGroup(this.#now)
  }

  get now(): GroupRecord {
    return this.#now
  }

  change(change: Partial<GroupRecord>): void {
    this.#now = { ...this.#now, ...change }
    this.#ledger.setGroup(this.#now)
  }

  /** The failover under way, if there is one, has come to its end: `tell` is called once, whatever happens to the keeper. */
  failedOver(tell: (failover: NonNullable<GroupRecord['failover']>) => void): void {
    const { failover } = this.#now
    if (!failover) return
    this.#ledger.atomically(() => {
      this.change({ failover: null })
      // One that went back to where it came from changed nothing that a user sees.
      if (failover.from !== failover.to) tell(failover)
    })
  }
}

function newRecord(wish: GroupWish): GroupRecord {
  const primary = wish.engine === 'memcached' ? null : (wish.nodes.find((n) => n.firstPrimary) ?? wish.nodes[0])?.id
  const none = { membershipVersion: 0, members: [], restarts: wish.restarts, roleChange: wish.roleChange?.number ?? 0 }
  const from = wish.engine === 'memcached' ? undefined : wish.restoreFrom
  const restore = from ? { restore: newRestore(from.snapshot) } : {}
  return { id: wish.id, primary: primary ?? null, ...none, ...restore }
}
