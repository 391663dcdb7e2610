//! PURE: how often an engine denied something, from its ACL LOG: for those that do not count it (before Valkey 7.2).

export type DenialReason = 'auth' | 'command' | 'key' | 'channel'

/** An entry of ACL LOG. */
export interface Denial {
  readonly reason: string
  /** How often, within the minute that the engine puts into one entry. */
  readonly count: number
  /** Seconds since the last time. */
  readonly ageSeconds: number
}

/** Entries that the engine keeps (acllog-max-len). */
const ENTRIES_MAX = 128

/**
 * Denials of `reason` between two looks that lie `seconds` apart. Exact while the log keeps all entries; when it is full
 * or was emptied, those of the entries that are not older than the look before.
 */
export function denialsSince(
  reason: DenialReason,
  now: readonly Denial[],
  before: readonly Denial[],
  seconds: number,
): number {
  const counted = total(reason, now) - total(reason, before)
  if (now.length < ENTRIES_MAX && counted >= 0) return counted
  return total(
    reason,
    now.filter((denial) => denial.ageSeconds <= seconds),
  )
}

const total = (reason: DenialReason, denials: readonly Denial[]): number =>
  denials.filter((denial) => denial.reason === reason).reduce((sum, { count }) => sum + count, 0)
