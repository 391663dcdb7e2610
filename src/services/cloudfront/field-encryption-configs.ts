//! Configurations of field-level encryption: which profile is for which request (spec/cloudfront.md 1.5, 1.7, 1.9, 12.3).
//! A change of one is deployed to the distributions that name it.
import type {
  CreateFieldLevelEncryptionConfigRequest,
  CreateFieldLevelEncryptionConfigResult,
  DeleteFieldLevelEncryptionConfigRequest,
  FieldLevelEncryption,
  FieldLevelEncryptionConfig,
  FieldLevelEncryptionSummary,
  GetFieldLevelEncryptionConfigRequest,
  GetFieldLevelEncryptionConfigResult,
  GetFieldLevelEncryptionRequest,
  GetFieldLevelEncryptionResult,
  ListFieldLevelEncryptionConfigsRequest,
  ListFieldLevelEncryptionConfigsResult,
  UpdateFieldLevelEncryptionConfigRequest,
  UpdateFieldLevelEncryptionConfigResult,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontFault } from '../../domain/cloudfront-faults.ts'
import type { DistributionRecord, FieldEncryptionRecord } from '../../domain/records.ts'
import { upperId } from '../../lib/ids.ts'
import type { Reader } from '../../state/state.ts'
import type { Operation } from '../service.ts'
import { locationOf, newEtag, requireMatch } from './entity-tag.ts'
import { acceptedFieldConfig, distributionsEncrypting, findFieldConfigRecord } from './field-encryption-checks.ts'
import { redeploy } from './key-groups.ts'
import { byId, plainPage } from './paging.ts'

const configOf = (record: FieldEncryptionRecord): FieldLevelEncryptionConfig =>
  record.config as FieldLevelEncryptionConfig

const view = (record: FieldEncryptionRecord): FieldLevelEncryption => ({
  Id: record.id,
  LastModifiedTime: new Date(record.lastModifiedTime),
  FieldLevelEncryptionConfig: configOf(record),
})

export const createFieldLevelEncryptionConfig: Operation<
  CreateFieldLevelEncryptionConfigRequest,
  CreateFieldLevelEncryptionConfigResult
> = async (input, { state, clock, quotas }) => {
  const record = await state.transact(async (tx) => {
    const config = await acceptedFieldConfig(tx, input.FieldLevelEncryptionConfig, quotas)
    const others = (await tx.list('field-encryption-config')).map(({ doc }) => doc)
    const same = others.find((other) => configOf(other).CallerReference === config.CallerReference)
    if (same !== undefined) {
      throw cloudfrontFault(
        'FieldLevelEncryptionConfigAlreadyExists',
        `The caller reference is that of the configuration ${same.id}.`,
      )
    }
    if (others.length >= quotas.fieldEncryptionConfigs) {
      throw cloudfrontFault(
        'TooManyFieldLevelEncryptionConfigs',
        `An account has at most ${quotas.fieldEncryptionConfigs} configurations for field-level encryption.`,
      )
    }
    const made: FieldEncryptionRecord = {
      id: `C${upperId(13)}`,
      etag: newEtag(),
      lastModifiedTime: new Date(clock.now()).toISOString(),
      config,
    }
    await tx.put('field-encryption-config', made.id, made)
    return made
  })
  return {
    FieldLevelEncryption: view(record),
    Location: locationOf(`field-level-encryption/${record.id}`),
    ETag: record.etag,
  }
}

export const getFieldLevelEncryption: Operation<GetFieldLevelEncryptionRequest, GetFieldLevelEncryptionResult> = async (
  input,
  { state },
) => {
  const record = await findFieldConfigRecord(state, input.Id)
  return { FieldLevelEncryption: view(record), ETag: record.etag }
}

export const getFieldLevelEncryptionConfig: Operation<
  GetFieldLevelEncryptionConfigRequest,
  GetFieldLevelEncryptionConfigResult
> = async (input, { state }) => {
  const record = await findFieldConfigRecord(state, input.Id)
  return { FieldLevelEncryptionConfig: configOf(record), ETag: record.etag }
}

const users = async (reader: Reader, id: string): Promise<DistributionRecord[]> =>
  distributionsEncrypting(
    (await reader.list('distribution')).map(({ doc }) => doc),
    new Set([id]),
  )

/** A full replacement; only the caller reference stays. */
export const updateFieldLevelEncryptionConfig: Operation<
  UpdateFieldLevelEncryptionConfigRequest,
  UpdateFieldLevelEncryptionConfigResult
> = async (input, { state, clock, quotas }) => {
  const record = await state.transact(async (tx) => {
    const old = await findFieldConfigRecord(tx, input.Id)
    requireMatch(input.IfMatch, old.etag)
    const config = await acceptedFieldConfig(tx, input.FieldLevelEncryptionConfig, quotas)
    if (config.CallerReference !== configOf(old).CallerReference) {
      throw cloudfrontFault('IllegalUpdate', 'The CallerReference of a configuration cannot be changed.')
    }
    const updated: FieldEncryptionRecord = {
      id: old.id,
      etag: newEtag(),
      lastModifiedTime: new Date(clock.now()).toISOString(),
      config,
    }
    await tx.put('field-encryption-config', old.id, updated)
    await redeploy(tx, await users(tx, old.id))
    return updated
  })
  return { FieldLevelEncryption: view(record), ETag: record.etag }
}

export const deleteFieldLevelEncryptionConfig: Operation<DeleteFieldLevelEncryptionConfigRequest, object> = async (
  input,
  { state },
) => {
  await state.transact(async (tx) => {
    const record = await findFieldConfigRecord(tx, input.Id)
    requireMatch(input.IfMatch, record.etag)
    const [user] = await users(tx, record.id)
    if (user !== undefined) {
      throw cloudfrontFault(
        'FieldLevelEncryptionConfigInUse',
        `The configuration is named by a behavior of the distribution ${user.id}.`,
      )
    }
    await tx.delete('field-encryption-config', record.id)
  })
  return {}
}

const BY_ID = byId((record: FieldEncryptionRecord) => record.id)

const summary = (record: FieldEncryptionRecord): FieldLevelEncryptionSummary => {
  const { CallerReference: _, ...config } = configOf(record)
  return { Id: record.id, LastModifiedTime: new Date(record.lastModifiedTime), ...config }
}

export const listFieldLevelEncryptionConfigs: Operation<
  ListFieldLevelEncryptionConfigsRequest,
  ListFieldLevelEncryptionConfigsResult
> = async (input, { state }) => {
  const records = (await state.list('field-encryption-config')).map(({ doc }) => doc)
  return { FieldLevelEncryptionList: plainPage(records, BY_ID, summary, input) }
}
