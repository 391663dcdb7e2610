//! Encryption in transit as requests ask for it: of new replication groups and memcached clusters, and changed step by
//! step on a living group (spec/elasticache.md 2.2-2.4, 6.6). Where AWS's code is unconfirmed, a value that is none is
//! InvalidParameterValue, and one that does not go with others InvalidParameterCombination.

import type { Tag } from '@aws-sdk/client-elasticache'
import { wishedUserGroups } from '../../domain/access.ts'
import { shown } from '../../domain/cache-names.ts'
import type { CacheClusterRecord, CacheEngine, ReplicationGroupRecord } from '../../domain/cluster.ts'
import { invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import {
  CERTIFICATE_TAG,
  TRANSIT_STEPS,
  type TransitMode,
  type TransitSettings,
  wishedTransit,
} from '../../domain/transit.ts'
import { readImported } from '../../lib/ca/imported.ts'
import type { Transaction } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'

export interface TransitInput {
  readonly TransitEncryptionEnabled?: boolean | undefined
  readonly TransitEncryptionMode?: string | undefined
}

/** Oldest memcached with TLS (spec 6.6). */
const MEMCACHED_MIN = [1, 6, 12]
/** Oldest engine whose living groups can be changed, and that takes both kinds of clients. */
const CHANGEABLE_MAJOR = 7

function modeOf(given: string | undefined): TransitMode | undefined {
  if (given === undefined || given === '') return undefined
  if (given === 'preferred' || given === 'required') return given
  throw invalidValue(`TransitEncryptionMode is preferred or required, not ${shown(given)}.`)
}

/** Encryption in transit of a new replication group. @throws InvalidParameterValue, InvalidParameterCombination */
export function newGroupTransit(input: TransitInput, version: string): TransitSettings {
  const mode = modeOf(input.TransitEncryptionMode)
  if (input.TransitEncryptionEnabled !== true) {
    if (mode === undefined) return {}
    throw invalidCombination('TransitEncryptionMode needs TransitEncryptionEnabled true.')
  }
  if (mode === 'preferred') mustBeChangeable(version, 'TransitEncryptionMode preferred')
  return { transitEncryption: mode ?? 'required' }
}

/** The same of a cluster that stands alone. @throws InvalidParameterValue, InvalidParameterCombination */
export function newClusterTransit(input: TransitInput, engine: CacheEngine, version: string): TransitSettings {
  if (input.TransitEncryptionEnabled !== true) return {}
  if (engine !== 'memcached') {
    throw invalidValue(
      `TransitEncryptionEnabled is not for a cluster of ${engine} that stands alone: create a replication group.`,
    )
  }
  const parts = version.split('.').map(Number)
  const differs = MEMCACHED_MIN.findIndex((part, at) => part !== (parts[at] ?? 0))
  if (differs >= 0 && (parts[differs] ?? 0) < MEMCACHED_MIN[differs]!) {
    throw invalidCombination(
      `TransitEncryptionEnabled needs memcached ${MEMCACHED_MIN.join('.')} or newer, not ${version}.`,
    )
  }
  return { transitEncryption: 'required' }
}

function mustBeChangeable(version: string, what: string): void {
  if (Number.parseInt(version, 10) >= CHANGEABLE_MAJOR) return
  throw invalidCombination(`${what} needs Redis 7.0 or Valkey 7.2 or newer, not ${version}.`)
}

/**
 * The change that the request asks for, one step of those of spec 2.4; null when it asks for what is. `before`: with the
 * access that the same request gives it.
 * @throws InvalidParameterValue, InvalidParameterCombination
 */
export function changedTransit(
  before: ReplicationGroupRecord,
  members: readonly CacheClusterRecord[],
  input: TransitInput & { readonly ApplyImmediately?: boolean | undefined },
): Pick<TransitSettings, 'pendingTransitEncryption'> | null {
  const now = wishedTransit(before) ?? 'off'
  const wanted = wantedOf(input, now)
  if (wanted === now) return null
  if (input.ApplyImmediately !== true) {
    throw invalidCombination('A change of encryption in transit needs ApplyImmediately true.')
  }
  mustBeChangeable(members[0]?.engineVersion ?? '0', 'A change of encryption in transit')
  if (!TRANSIT_STEPS[now].includes(wanted)) {
    const step = TRANSIT_STEPS[now].join(' or ')
    throw invalidCombination(
      `Encryption in transit of ${before.id} is ${now}: the next step is ${step}, not ${wanted}. Clients of both kinds ` +
        'are taken while TransitEncryptionMode is preferred.',
    )
  }
  if (wanted === 'off' && hasAccess(before)) {
    throw invalidCombination(
      `${before.id} has AUTH or a user group, which need encryption in transit: take them away first.`,
    )
  }
  return { pendingTransitEncryption: wanted }
}

function wantedOf(input: TransitInput, now: TransitMode | 'off'): TransitMode | 'off' {
  const mode = modeOf(input.TransitEncryptionMode)
  if (input.TransitEncryptionEnabled === false) {
    if (mode === undefined) return 'off'
    throw invalidCombination('TransitEncryptionMode needs TransitEncryptionEnabled true.')
  }
  if (mode !== undefined) {
    if (now !== 'off' || input.TransitEncryptionEnabled === true) return mode
    throw invalidCombination('TransitEncryptionMode needs TransitEncryptionEnabled true.')
  }
  if (input.TransitEncryptionEnabled !== true || now !== 'off') return now
  throw invalidCombination(
    'Give TransitEncryptionMode preferred to begin with encryption in transit of a living group.',
  )
}

/** Users and tokens would travel in plain text. */
function hasAccess(group: ReplicationGroupRecord): boolean {
  return Boolean(group.authToken) || (group.userGroupIds ?? []).length > 0 || wishedUserGroups(group).length > 0
}

/**
 * The imported certificate that the tags name, once it was read and found valid; undefined when they name none.
 * @throws InvalidParameterValue, InvalidParameterCombination
 */
export async function importedCertificate(
  name: string | undefined,
  encrypted: boolean,
  context: ServiceContext,
): Promise<Pick<TransitSettings, 'importedCertificate'>> {
  if (name === undefined) return {}
  if (!encrypted) throw invalidCombination(`The tag ${CERTIFICATE_TAG} needs encryption in transit.`)
  const directory = context.certificates?.get(name)
  if (directory === undefined) {
    const known = [...(context.certificates?.keys() ?? [])].join(', ') || 'none'
    throw invalidValue(
      `The tag ${CERTIFICATE_TAG} names ${shown(name)}: give its directory with --cache-certificate ${shown(name)}=DIR ` +
        `(there are: ${known}).`,
    )
  }
  try {
    // TLS itself goes by the host's clock.
    await readImported(directory, context.clock.wall())
  } catch (error) {
    throw invalidValue(`The certificate ${shown(name)} cannot be used: ${(error as Error).message}.`)
  }
  return { importedCertificate: { name, directory } }
}

/** The value of the tag in a request; the last one holds. */
export const certificateTag = (tags: readonly Tag[] | undefined): string | undefined =>
  tags?.findLast((tag) => tag.Key === CERTIFICATE_TAG)?.Value

/**
 * Makes the record at `arn` what its tag says now. @throws InvalidParameterValue; InvalidParameterCombination for a
 * resource without encryption in transit, and for members, which follow their group
 */
export async function followCertificateTag(
  tx: Transaction,
  arn: string,
  name: string | undefined,
  context: ServiceContext,
): Promise<void> {
  const id = arn.split(':').at(-1) ?? ''
  const kind = arn.includes(':replicationgroup:') ? 'replication-group' : 'cache-cluster'
  const doc = (await tx.get(kind, id))?.doc
  const encrypted =
    doc !== undefined && wishedTransit(doc) !== null && !('replicationGroupId' in doc && doc.replicationGroupId)
  const found = await importedCertificate(name, encrypted, context)
  if (doc === undefined) return
  const { importedCertificate: _, ...rest } = doc
  if (kind === 'replication-group') await tx.put(kind, id, { ...(rest as ReplicationGroupRecord), ...found })
  else await tx.put(kind, id, { ...(rest as CacheClusterRecord), ...found })
}

/** Members of a description (spec 2.7): the mode only with TLS. */
export function transitView({ transitEncryption }: TransitSettings) {
  if (!transitEncryption) return { TransitEncryptionEnabled: false }
  return { TransitEncryptionEnabled: true, TransitEncryptionMode: transitEncryption }
}

/** Members of PendingModifiedValues. */
export function pendingTransit({ pendingTransitEncryption: pending }: TransitSettings) {
  if (pending === undefined) return {}
  if (pending === 'off') return { TransitEncryptionEnabled: false }
  return { TransitEncryptionEnabled: true, TransitEncryptionMode: pending }
}
