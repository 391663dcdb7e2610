//! Profiles of field-level encryption: which fields are encrypted with which keys (spec/cloudfront.md 1.5, 1.7, 1.9, 12.3).
//! A change of one is deployed to the distributions whose configurations name it.
import type {
  CreateFieldLevelEncryptionProfileRequest,
  CreateFieldLevelEncryptionProfileResult,
  DeleteFieldLevelEncryptionProfileRequest,
  FieldLevelEncryptionConfig,
  FieldLevelEncryptionProfile,
  FieldLevelEncryptionProfileConfig,
  FieldLevelEncryptionProfileSummary,
  GetFieldLevelEncryptionProfileConfigRequest,
  GetFieldLevelEncryptionProfileConfigResult,
  GetFieldLevelEncryptionProfileRequest,
  GetFieldLevelEncryptionProfileResult,
  ListFieldLevelEncryptionProfilesRequest,
  ListFieldLevelEncryptionProfilesResult,
  UpdateFieldLevelEncryptionProfileRequest,
  UpdateFieldLevelEncryptionProfileResult,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, quoted } from '../../domain/cloudfront-faults.ts'
import type { FieldEncryptionRecord } from '../../domain/records.ts'
import { upperId } from '../../lib/ids.ts'
import type { Reader } from '../../state/state.ts'
import type { Operation } from '../service.ts'
import { locationOf, newEtag, requireMatch } from './entity-tag.ts'
import {
  acceptedProfile,
  distributionsEncrypting,
  findProfileRecord,
  profilesNamed,
} from './field-encryption-checks.ts'
import { redeploy } from './key-groups.ts'
import { byId, plainPage } from './paging.ts'

const configOf = (record: FieldEncryptionRecord): FieldLevelEncryptionProfileConfig =>
  record.config as FieldLevelEncryptionProfileConfig

const view = (record: FieldEncryptionRecord): FieldLevelEncryptionProfile => ({
  Id: record.id,
  LastModifiedTime: new Date(record.lastModifiedTime),
  FieldLevelEncryptionProfileConfig: configOf(record),
})

function requireNew(others: readonly FieldEncryptionRecord[], config: FieldLevelEncryptionProfileConfig): void {
  const same = others
    .map((other) => ({ id: other.id, ...configOf(other) }))
    .find(({ Name, CallerReference }) => Name === config.Name || CallerReference === config.CallerReference)
  if (same === undefined) return
  const what = same.Name === config.Name ? `name ${quoted(config.Name ?? '')}` : 'caller reference'
  throw cloudfrontFault('FieldLevelEncryptionProfileAlreadyExists', `The ${what} is that of the profile ${same.id}.`)
}

export const createFieldLevelEncryptionProfile: Operation<
  CreateFieldLevelEncryptionProfileRequest,
  CreateFieldLevelEncryptionProfileResult
> = async (input, { state, clock, quotas }) => {
  const record = await state.transact(async (tx) => {
    const config = await acceptedProfile(tx, input.FieldLevelEncryptionProfileConfig, quotas)
    const others = (await tx.list('field-encryption-profile')).map(({ doc }) => doc)
    requireNew(others, config)
    if (others.length >= quotas.fieldEncryptionProfiles) {
      throw cloudfrontFault(
        'TooManyFieldLevelEncryptionProfiles',
        `An account has at most ${quotas.fieldEncryptionProfiles} profiles for field-level encryption.`,
      )
    }
    const made: FieldEncryptionRecord = {
      id: `P${upperId(13)}`,
      etag: newEtag(),
      lastModifiedTime: new Date(clock.now()).toISOString(),
      config,
    }
    await tx.put('field-encryption-profile', made.id, made)
    return made
  })
  return {
    FieldLevelEncryptionProfile: view(record),
    Location: locationOf(`field-level-encryption-profile/${record.id}`),
    ETag: record.etag,
  }
}

export const getFieldLevelEncryptionProfile: Operation<
  GetFieldLevelEncryptionProfileRequest,
  GetFieldLevelEncryptionProfileResult
> = async (input, { state }) => {
  const record = await findProfileRecord(state, input.Id)
  return { FieldLevelEncryptionProfile: view(record), ETag: record.etag }
}

export const getFieldLevelEncryptionProfileConfig: Operation<
  GetFieldLevelEncryptionProfileConfigRequest,
  GetFieldLevelEncryptionProfileConfigResult
> = async (input, { state }) => {
  const record = await findProfileRecord(state, input.Id)
  return { FieldLevelEncryptionProfileConfig: configOf(record), ETag: record.etag }
}

/** The configurations that name a profile. */
const configsNaming = async (reader: Reader, id: string): Promise<FieldEncryptionRecord[]> =>
  (await reader.list('field-encryption-config'))
    .map(({ doc }) => doc)
    .filter(({ config }) => profilesNamed(config as FieldLevelEncryptionConfig).has(id))

/** A full replacement; only the caller reference stays. */
export const updateFieldLevelEncryptionProfile: Operation<
  UpdateFieldLevelEncryptionProfileRequest,
  UpdateFieldLevelEncryptionProfileResult
> = async (input, { state, clock, quotas }) => {
  const record = await state.transact(async (tx) => {
    const old = await findProfileRecord(tx, input.Id)
    requireMatch(input.IfMatch, old.etag)
    const config = await acceptedProfile(tx, input.FieldLevelEncryptionProfileConfig, quotas)
    if (config.CallerReference !== configOf(old).CallerReference) {
      throw cloudfrontFault('IllegalUpdate', 'The CallerReference of a profile cannot be changed.')
    }
    const others = (await tx.list('field-encryption-profile')).map(({ doc }) => doc).filter(({ id }) => id !== old.id)
    requireNew(others, config)
    const updated: FieldEncryptionRecord = {
      id: old.id,
      etag: newEtag(),
      lastModifiedTime: new Date(clock.now()).toISOString(),
      config,
    }
    await tx.put('field-encryption-profile', old.id, updated)
    const naming = new Set((await configsNaming(tx, old.id)).map(({ id }) => id))
    const distributions = (await tx.list('distribution')).map(({ doc }) => doc)
    await redeploy(tx, distributionsEncrypting(distributions, naming))
    return updated
  })
  return { FieldLevelEncryptionProfile: view(record), ETag: record.etag }
}

export const deleteFieldLevelEncryptionProfile: Operation<DeleteFieldLevelEncryptionProfileRequest, object> = async (
  input,
  { state },
) => {
  await state.transact(async (tx) => {
    const record = await findProfileRecord(tx, input.Id)
    requireMatch(input.IfMatch, record.etag)
    const [user] = await configsNaming(tx, record.id)
    if (user !== undefined) {
      throw cloudfrontFault(
        'FieldLevelEncryptionProfileInUse',
        `The profile is named by the configuration for field-level encryption ${user.id}: remove it there first.`,
      )
    }
    await tx.delete('field-encryption-profile', record.id)
  })
  return {}
}

const BY_ID = byId((record: FieldEncryptionRecord) => record.id)

const summary = (record: FieldEncryptionRecord): FieldLevelEncryptionProfileSummary => {
  const { Name, Comment, EncryptionEntities } = configOf(record)
  return {
    Id: record.id,
    LastModifiedTime: new Date(record.lastModifiedTime),
    Name,
    EncryptionEntities,
    Comment: Comment ?? '',
  }
}

export const listFieldLevelEncryptionProfiles: Operation<
  ListFieldLevelEncryptionProfilesRequest,
  ListFieldLevelEncryptionProfilesResult
> = async (input, { state }) => {
  const records = (await state.list('field-encryption-profile')).map(({ doc }) => doc)
  return { FieldLevelEncryptionProfileList: plainPage(records, BY_ID, summary, input) }
}
