//! PURE: what the silence of an engine means. A PING timeout alone would kill a primary that runs a long script, so the
//! process state decides: gone is dead, T is frozen, CPU time that advances (or is waited for) is busy, none is hung.
import type { NodeLoss } from './protocol.ts'

/** An answer that takes less than this is no silence at all. */
export const SUSPECT_AFTER_MS = 500
/** A stopped process is known to be stopped; one second forgives a debugger's short visit (engine-notes: 1.2 s in all). */
export const FROZEN_AFTER_MS = 1000
/** A process that neither runs nor answers, e.g. blocked in a system call. */
export const HUNG_AFTER_MS = 3000
/** A long command or script. Redis answers BUSY to all others after 5 s of a script: nobody is served, so it is silence. */
export const BUSY_AT_MOST_MS = 60_000
/** A node that nobody can replace loses its data when it is killed, so it gets this many times the patience. */
export const ALONE_FACTOR = 5

export interface Probe {
  /** Letter of /proc/PID/stat; null when the process has ended. */
  readonly state: string | null
  /** Milliseconds for which a question has been unanswered; null when the last one was answered. */
  readonly silentMs: number | null
  /** Milliseconds of CPU time that the process used while it was silent, or waited for on a host without a free core. */
  readonly workMs: number
  /** True when no other node of the group could take its place. */
  readonly alone: boolean
}

export type Judgement =
  | { readonly kind: 'well' | 'suspect' | 'busy' }
  | { readonly kind: 'lost'; readonly reason: NodeLoss }

/**
 * Share of the silence from which on a process counts as working. A long command never sleeps: one that sleeps when it is
 * looked at works for others whom the keeper does not see, or must have used nearly all of the time.
 */
const BUSY_SHARE = { running: 0.2, asleep: 0.8 } as const

/** What a probe says of a node. Only `lost` allows to act against it. */
export function judge(probe: Probe): Judgement {
  if (probe.state === null) return { kind: 'lost', reason: 'exit' }
  if (probe.silentMs === null || probe.silentMs < SUSPECT_AFTER_MS) return { kind: 'well' }
  const silentMs = probe.silentMs / (probe.alone ? ALONE_FACTOR : 1)
  if (probe.state === 'T' || probe.state === 't') {
    return silentMs >= FROZEN_AFTER_MS ? { kind: 'lost', reason: 'frozen' } : { kind: 'suspect' }
  }
  const share = probe.state === 'R' || probe.state === 'D' ? BUSY_SHARE.running : BUSY_SHARE.asleep
  const isBusy = probe.workMs >= share * probe.silentMs && probe.silentMs >= FROZEN_AFTER_MS
  const patienceMs = isBusy ? BUSY_AT_MOST_MS : HUNG_AFTER_MS
  if (silentMs >= patienceMs) return { kind: 'lost', reason: 'hung' }
  return { kind: isBusy ? 'busy' : 'suspect' }
}
