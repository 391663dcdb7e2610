//! The keys that session tickets are sealed with (RFC 5077 4, RFC 8446 4.6.1). The same for all workers of a host, so that
//! any of them resumes what another began, after a restart, too; new ones in each period, so that a key which is stolen
//! opens little of what was recorded.
import { type KeysOfPeriod, PeriodKeys } from '../../../lib/period-keys.ts'

/** Node's format: 16 bytes of name, 16 of HMAC key, 16 of AES key. */
const KEY_BYTES = 48
const TICKET_PERIOD_MS = 3_600_000
/** A ticket is good for one period, and so within the two in which its key is known. */
export const TICKET_LIFETIME_SECONDS = TICKET_PERIOD_MS / 1_000

/** `current` seals new tickets; those of `previous` are still opened. */
export type TicketKeys = KeysOfPeriod

export interface TicketKeyOptions {
  /** Holds a file for each period, 0600. */
  readonly directory: string
  /** Milliseconds of the wall clock. */
  readonly wall: () => number
  /** One line for the operator. */
  readonly problem: (message: string) => void
  readonly periodMs?: number
}

export class SharedTicketKeys extends PeriodKeys {
  constructor(options: TicketKeyOptions) {
    super({
      periodMs: TICKET_PERIOD_MS,
      ...options,
      keyBytes: KEY_BYTES,
      lost: 'sessions of HTTPS are not resumed by other workers: the keys of their tickets',
    })
  }
}
