//! PURE: encryption in transit between the records and the keeper.
import { createHash } from 'node:crypto'
import { type TransitSettings, wishedTransit } from '../../domain/transit.ts'
import type { GroupSeen, GroupWish } from '../../keeper/protocol.ts'

/** What the keeper is to make of it; nothing for a record without. */
export function transitWish(
  record: TransitSettings & { readonly id: string; readonly arn: string; readonly createdAt: string },
): Pick<GroupWish, 'transit'> {
  const mode = wishedTransit(record)
  if (mode === null) return {}
  const { certificateRenewals: renewal = 0, importedCertificate } = record
  return { transit: { mode, names: transitNames(record), renewal, imported: importedCertificate?.directory ?? null } }
}

/** A change that was under way has come to its end: `seen` is what the settled group has. */
export function transitSettled<T extends TransitSettings>(record: T, seen: GroupSeen | undefined): T {
  const mode = seen?.transit?.mode ?? 'off'
  const now = mode === 'off' ? null : mode
  const { pendingTransitEncryption: pending, ...rest } = record
  if (pending === undefined && (record.transitEncryption ?? null) === now) return record
  // It was settled before the keeper had the change.
  if (pending !== undefined && pending !== mode) return record
  return { ...rest, transitEncryption: now } as T
}

/**
 * DNS names of a group in the shape of AWS's: `*.shop.k3v9x1.use1.cache.amazonaws.com`. Nobody resolves them here; who
 * gives the addresses such names has them in the certificate.
 */
function transitNames(record: { readonly id: string; readonly arn: string; readonly createdAt: string }): string[] {
  const { id, arn, createdAt } = record
  const region = arn.split(':')[3] ?? ''
  const digest = createHash('sha256').update(`${arn} ${createdAt}`).digest()
  const random = [...digest.subarray(0, 6)].map((byte) => (byte % 36).toString(36)).join('')
  const domain = `${regionCode(region)}.cache.amazonaws.com`
  // The host of a memcached configuration endpoint is not below the wildcard (spec 3.1).
  return [`*.${id}.${random}.${domain}`, `${id}.${random}.cfg.${domain}`]
}

/** `use1` of `us-east-1`, `apne1` of `ap-northeast-1`. */
function regionCode(region: string): string {
  const [area = '', ...rest] = region.split('-')
  return (
    area + rest.map((word) => (word.startsWith('north') || word.startsWith('south') ? compass(word) : word[0])).join('')
  )
}

/** `northeast` is `ne`. */
const compass = (word: string): string => word[0] + (word.length > 5 ? word[5]! : '')
