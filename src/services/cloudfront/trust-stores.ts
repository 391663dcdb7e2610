//! Trust stores: the authorities whose certificates viewers may show (spec/cloudfront.md 1.9, 2.7, 15). An operation writes
//! where the bundle lies and returns with `pending`; control/tasks/trust-stores.ts reads it and says what it found.
import type {
  CaCertificatesBundleSource,
  CreateTrustStoreRequest,
  CreateTrustStoreResult,
  DeleteTrustStoreRequest,
  GetTrustStoreRequest,
  GetTrustStoreResult,
  ListDistributionsByTrustStoreRequest,
  ListDistributionsByTrustStoreResult,
  ListTrustStoresRequest,
  ListTrustStoresResult,
  TrustStore,
  UpdateTrustStoreRequest,
  UpdateTrustStoreResult,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontArn } from '../../domain/arn.ts'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { notImplemented } from '../../domain/faults.ts'
import { QUOTAS } from '../../domain/quotas.ts'
import type { DistributionRecord, TrustStoreRecord, TrustStoreSource } from '../../domain/records.ts'
import { mixedId } from '../../lib/ids.ts'
import type { Reader } from '../../state/state.ts'
import type { Operation } from '../service.ts'
import { distributionSummary } from './distribution-view.ts'
import { newEtag, requireMatch } from './entity-tag.ts'
import { byId, markedPage, plainPage } from './paging.ts'
import { checkTags, writeTags } from './tag-rules.ts'
import { distributionsWithTrustStore } from './viewer-mtls.ts'

const NAME = /^[A-Za-z0-9_-]+$/

const view = (record: TrustStoreRecord): TrustStore => ({
  Id: record.id,
  Arn: record.arn,
  Name: record.name,
  Status: record.status,
  NumberOfCaCertificates: record.certificates.length,
  LastModifiedTime: new Date(record.lastModifiedTime),
  ...(record.reason === undefined ? {} : { Reason: record.reason }),
  UseClientCertificateOCSPEndpoint: false,
})

/** By id, name or ARN: the model's word for what is asked by is Identifier. @throws EntityNotFound */
async function find(reader: Reader, identifier: string | undefined): Promise<TrustStoreRecord> {
  const byId = identifier ? (await reader.get('trust-store', identifier))?.doc : undefined
  const found =
    byId ??
    (await reader.list('trust-store'))
      .map(({ doc }) => doc)
      .find(({ name, arn }) => name === identifier || arn === identifier)
  if (found !== undefined) return found
  throw cloudfrontFault('EntityNotFound', `The trust store ${quoted(identifier ?? '')} does not exist.`)
}

/** @throws EntityNotFound for anything but an id that there is */
async function findById(reader: Reader, id: string | undefined): Promise<TrustStoreRecord> {
  const stored = id ? await reader.get('trust-store', id) : undefined
  if (stored !== undefined) return stored.doc
  throw cloudfrontFault('EntityNotFound', `The trust store ${quoted(id ?? '')} does not exist.`)
}

/** @throws InvalidArgument */
function sourceOf(given: CaCertificatesBundleSource | undefined): TrustStoreSource {
  const location = given?.CaCertificatesBundleS3Location
  if (location === undefined) {
    throw invalidArgument('CaCertificatesBundleSource', 'it needs a CaCertificatesBundleS3Location')
  }
  const { Bucket: bucket = '', Key: key = '', Region: region = '', Version: version } = location
  for (const [field, value] of Object.entries({ Bucket: bucket, Key: key, Region: region })) {
    if (value === '' || value.length > 1_024) {
      throw invalidArgument(`CaCertificatesBundleS3Location.${field}`, 'it has 1 to 1024 characters')
    }
  }
  return { bucket, key, region, ...(version ? { version } : {}) }
}

/** Nobody here asks a responder whether a viewer's certificate was revoked. @throws NotImplemented */
function refuseRevocationChecks(wanted: boolean | undefined): void {
  if (wanted === true) {
    throw notImplemented(
      'UseClientCertificateOCSPEndpoint, revocation checks of client certificates (accepted: false),',
    )
  }
}

export const createTrustStore: Operation<CreateTrustStoreRequest, CreateTrustStoreResult> = async (
  input,
  { state, clock, quotas, accountId },
) => {
  const { Name: name = '' } = input
  if (!NAME.test(name) || name.length > QUOTAS.trustStoreNameChars) {
    throw invalidArgument(
      'Name',
      `${quoted(name)} does not have 1 to ${QUOTAS.trustStoreNameChars} letters, digits, hyphens and underscores`,
    )
  }
  const source = sourceOf(input.CaCertificatesBundleSource)
  const tags = checkTags(input.Tags?.Items ?? [], 'trust-store')
  refuseRevocationChecks(input.UseClientCertificateOCSPEndpoint)
  const id = `ts_${mixedId(24)}`
  const record = await state.transact(async (tx) => {
    const others = (await tx.list('trust-store')).map(({ doc }) => doc)
    if (others.some((other) => other.name === name)) {
      throw cloudfrontFault('EntityAlreadyExists', `A trust store with the name ${quoted(name)} exists already.`)
    }
    if (others.length >= quotas.trustStores) {
      throw cloudfrontFault('EntityLimitExceeded', `An account has at most ${quotas.trustStores} trust stores.`)
    }
    const made: TrustStoreRecord = {
      id,
      arn: cloudfrontArn(accountId, 'trust-store', id),
      etag: newEtag(),
      name,
      status: 'pending',
      source,
      changedRevision: tx.revision,
      lastModifiedTime: new Date(clock.now()).toISOString(),
      certificates: [],
    }
    await tx.put('trust-store', id, made)
    await writeTags(tx, made.arn, tags, quotas)
    return made
  })
  return { TrustStore: view(record), ETag: record.etag }
}

export const getTrustStore: Operation<GetTrustStoreRequest, GetTrustStoreResult> = async (input, { state }) => {
  const record = await find(state, input.Identifier)
  return { TrustStore: view(record), ETag: record.etag }
}

/**
 * Reads the bundle again, from where it was or from elsewhere. Edges verify with the old one until the new one was found
 * good, also when it is not: what AWS does then is unconfirmed, and taking every viewer off the air would help nobody.
 */
export const updateTrustStore: Operation<UpdateTrustStoreRequest, UpdateTrustStoreResult> = async (
  input,
  { state, clock },
) => {
  const record = await state.transact(async (tx) => {
    const old = await findById(tx, input.Id)
    requireMatch(input.IfMatch, old.etag)
    const given = input.CaCertificatesBundleSource
    const { reason: _, ...kept } = old
    refuseRevocationChecks(input.UseClientCertificateOCSPEndpoint)
    const updated: TrustStoreRecord = {
      ...kept,
      etag: newEtag(),
      status: 'pending',
      source: given === undefined ? old.source : sourceOf(given),
      changedRevision: tx.revision,
      lastModifiedTime: new Date(clock.now()).toISOString(),
    }
    await tx.put('trust-store', old.id, updated)
    return updated
  })
  return { TrustStore: view(record), ETag: record.etag }
}

const distributions = async (reader: Reader): Promise<DistributionRecord[]> =>
  (await reader.list('distribution')).map(({ doc }) => doc)

export const deleteTrustStore: Operation<DeleteTrustStoreRequest, object> = async (input, { state }) => {
  await state.transact(async (tx) => {
    const record = await findById(tx, input.Id)
    requireMatch(input.IfMatch, record.etag)
    const [user] = distributionsWithTrustStore(await distributions(tx), record.id)
    if (user !== undefined) {
      throw cloudfrontFault(
        'CannotDeleteEntityWhileInUse',
        `The trust store ${record.id} is in use by the distribution ${user.id}.`,
      )
    }
    await tx.delete('trust-store', record.id)
    await tx.delete('tags', record.arn)
  })
  return {}
}

const BY_ID = byId((record: TrustStoreRecord) => record.id)

export const listTrustStores: Operation<ListTrustStoresRequest, ListTrustStoresResult> = async (input, { state }) => {
  const records = (await state.list('trust-store')).map(({ doc }) => doc)
  const page = plainPage(records, BY_ID, (record) => summary(record), input)
  return { TrustStoreList: page.Items ?? [], ...(page.NextMarker === undefined ? {} : { NextMarker: page.NextMarker }) }
}

function summary(record: TrustStoreRecord) {
  const { Id, Arn, Name, Status, NumberOfCaCertificates, LastModifiedTime, Reason } = view(record)
  return { Id, Arn, Name, Status, NumberOfCaCertificates, LastModifiedTime, Reason, ETag: record.etag }
}

const DISTRIBUTION_BY_ID = byId((record: DistributionRecord) => record.id)

export const listDistributionsByTrustStore: Operation<
  ListDistributionsByTrustStoreRequest,
  ListDistributionsByTrustStoreResult
> = async (input, { state }) => {
  const { id } = await find(state, input.TrustStoreIdentifier)
  const users = distributionsWithTrustStore(await distributions(state), id)
  return { DistributionList: markedPage(users, DISTRIBUTION_BY_ID, distributionSummary, input) }
}
