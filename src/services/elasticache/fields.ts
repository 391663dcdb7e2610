//! Which fields of a request an operation acts on. Every other field is refused by name with 501: nothing is accepted and
//! ignored. A field of a later feature may carry the value that says "not wanted"; that is what holds here anyway.
import { notImplemented } from '../../domain/faults.ts'

type Harmless = (value: unknown) => boolean

const isFalse: Harmless = (v) => v === false
const isEmpty: Harmless = (v) => Array.isArray(v) && v.length === 0
const is =
  (wanted: unknown): Harmless =>
  (v) =>
    v === wanted

/** Values that ask for nothing, by field, in every operation that has the field. */
const HARMLESS: Readonly<Record<string, Harmless>> = {
  AtRestEncryptionEnabled: isFalse,
  CacheSecurityGroupNames: isEmpty,
  ClusterMode: is('disabled'),
  DataTieringEnabled: isFalse,
  IpDiscovery: is('ipv4'),
  LogDeliveryConfigurations: isEmpty,
  NetworkType: is('ipv4'),
  NumNodeGroups: is(1),
  RemoveUserGroups: isFalse,
  SecurityGroupIds: isEmpty,
  SnapshotArns: isEmpty,
  TransitEncryptionEnabled: isFalse,
  UserGroupIds: isEmpty,
  UserGroupIdsToAdd: isEmpty,
  UserGroupIdsToRemove: isEmpty,
}

/**
 * Checks that every field that is present is in `handled` or asks for nothing.
 * @throws NotImplemented (501) naming the operation and the first field that is neither.
 */
export function onlyFields(operation: string, input: object, handled: readonly string[]): void {
  for (const [field, value] of Object.entries(input)) {
    if (value === undefined || value === null || handled.includes(field)) continue
    if (HARMLESS[field]?.(value)) continue
    const shown = typeof value === 'object' ? '' : ` = ${String(value).slice(0, 60)}`
    // A password or token never goes into an error.
    throw notImplemented(`The field ${field}${field === 'AuthToken' ? '' : shown} of ${operation}`)
  }
}
