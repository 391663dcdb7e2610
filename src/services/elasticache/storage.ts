//! What of a redis or valkey resource is on a disk, and how: nothing at all (the default), snapshots by a key that the
//! user chose (AtRestEncryptionEnabled, KmsKeyId), or an append-only file, which AWS no longer has and a tag asks for.
import type { AppendOnly, CacheEngine, StorageSettings } from '../../domain/cluster.ts'
import { elasticacheFault, invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import { notImplemented } from '../../domain/faults.ts'
import type { ServiceContext } from '../service.ts'

export const APPENDONLY_TAG = 'cachefront:appendonly'
const APPENDONLY_VALUES: readonly string[] = ['everysec', 'always']

/**
 * ARN of the key that a user names; null when none is named.
 * @throws InvalidKMSKeyFault unless the key is one of this installation, or of the KMS that it uses
 */
export async function kmsKeyArn(given: string | undefined, context: ServiceContext): Promise<string | null> {
  if (!given) return null
  try {
    if (context.keys === undefined) throw new Error(`There is no key ${given}.`)
    return await context.keys.find(given, new Date(context.clock.now()).toISOString())
  } catch (error) {
    throw elasticacheFault('InvalidKMSKeyFault', (error as Error).message)
  }
}

/**
 * A tag of ours does something: its value is checked where it is set.
 * @throws InvalidParameterValue for another value; NotImplemented for a tag that does nothing
 */
export function checkControlTag(key: string, value: string): void {
  if (key !== APPENDONLY_TAG) throw notImplemented(`The tag ${key.slice(0, 60)}`)
  if (APPENDONLY_VALUES.includes(value)) return
  throw invalidValue(`The tag ${APPENDONLY_TAG} is ${APPENDONLY_VALUES.join(' or ')}, not ${value.slice(0, 60)}.`)
}

/** What the tags of a resource ask of its engine. @throws InvalidParameterCombination for memcached */
export function appendOnlyOf(tags: Readonly<Record<string, string>>, engine: CacheEngine): AppendOnly | null {
  const value = tags[APPENDONLY_TAG]
  if (value === undefined) return null
  if (engine === 'memcached') throw invalidCombination(`The tag ${APPENDONLY_TAG} is for redis and valkey.`)
  return value as AppendOnly
}

interface StorageInput {
  readonly AtRestEncryptionEnabled?: boolean | undefined
  readonly KmsKeyId?: string | undefined
}

/**
 * Settings of a new replication group; `keyArn`: of its KmsKeyId, found before. As on AWS valkey is encrypted at rest
 * unless the user says otherwise; one that is to have an append-only file says so by its tag.
 * @throws InvalidParameterCombination
 */
export function storageOf(
  input: StorageInput,
  keyArn: string | null,
  appendonly: AppendOnly | null,
  engine: CacheEngine,
): StorageSettings {
  const atRestEncryption = input.AtRestEncryptionEnabled ?? (engine === 'valkey' && appendonly === null)
  if (keyArn !== null && !atRestEncryption) {
    throw invalidCombination(
      'KmsKeyId needs AtRestEncryptionEnabled: it is the key that data on a disk is encrypted by.',
    )
  }
  checkTogether(atRestEncryption, appendonly)
  return { atRestEncryption, kmsKeyId: keyArn, appendonly }
}

/** @throws InvalidParameterCombination: an append-only file is plain text on the disk */
export function checkTogether(atRestEncryption: boolean | undefined, appendonly: AppendOnly | null): void {
  if (!atRestEncryption || appendonly === null) return
  throw invalidCombination(
    `The tag ${APPENDONLY_TAG} writes the data to the disk in plain text, which encryption at rest forbids: choose one.`,
  )
}
