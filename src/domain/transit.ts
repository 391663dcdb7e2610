//! Encryption in transit of caches: what is stored of it, and the rules that need nothing else (spec/elasticache.md 2.4,
//! 3.1, 6.6). PURE.

export type TransitMode = 'preferred' | 'required'

/** Of a replication group, alike of each of its members, and of a memcached cluster. */
export interface TransitSettings {
  /** As it is; null or absent: none. */
  readonly transitEncryption?: TransitMode | null
  /** What it is on its way to; absent when nothing is under way. */
  readonly pendingTransitEncryption?: TransitMode | 'off'
  /** The certificate to serve instead of one that is made here; absent for none. */
  readonly importedCertificate?: ImportedCertificateName
  /** Seen: the certificate that is served. */
  readonly certificate?: SeenCertificate
  /** How many times a new certificate was wished. */
  readonly certificateRenewals?: number
}

export interface ImportedCertificateName {
  /** As the tag has it. */
  readonly name: string
  /** Absolute path that the name stands for. */
  readonly directory: string
}

export interface SeenCertificate {
  /** The keeper's. */
  readonly number: number
  readonly notBefore: string
  readonly notAfter: string
  /** When it was seen first, by the movable clock: its life counts from here. */
  readonly seenAt: string
}

/** On a replication group or memcached cluster: the name of an imported certificate (`--cache-certificate`). */
export const CERTIFICATE_TAG = 'cachefront:certificate'

/** What is to be: the change that is under way, or what is. Null for none. */
export function wishedTransit(record: TransitSettings): TransitMode | null {
  const { pendingTransitEncryption: pending, transitEncryption } = record
  if (pending === undefined) return transitEncryption ?? null
  return pending === 'off' ? null : pending
}

/** A certificate of ours is renewed after this share of its life. */
const RENEW_AFTER = 2 / 3

/** When a new certificate is to be wished, by the movable clock. Milliseconds. */
export function renewalDueAt({ notBefore, notAfter, seenAt }: SeenCertificate): number {
  return Date.parse(seenAt) + (Date.parse(notAfter) - Date.parse(notBefore)) * RENEW_AFTER
}

/** What a change of the mode may go to, by what is: both kinds of clients are taken in between (spec 2.4). */
export const TRANSIT_STEPS: Readonly<Record<TransitMode | 'off', readonly (TransitMode | 'off')[]>> = {
  off: ['preferred'],
  preferred: ['required', 'off'],
  required: ['preferred'],
}
