//! Key groups: which public keys sign for a behavior (spec/cloudfront.md 1.5, 1.7, 2.7, 9.2). A change of one is deployed
//! to the distributions that trust it, so that a key is rotated by three updates: new key in, signers over, old key out.
import type {
  CreateKeyGroupRequest,
  CreateKeyGroupResult,
  DeleteKeyGroupRequest,
  GetKeyGroupConfigRequest,
  GetKeyGroupConfigResult,
  GetKeyGroupRequest,
  GetKeyGroupResult,
  KeyGroup,
  KeyGroupConfig,
  KeyGroupSummary,
  ListDistributionsByKeyGroupRequest,
  ListDistributionsByKeyGroupResult,
  ListKeyGroupsRequest,
  ListKeyGroupsResult,
  UpdateKeyGroupRequest,
  UpdateKeyGroupResult,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { QUOTAS, type Quotas } from '../../domain/quotas.ts'
import type { DistributionRecord, KeyGroupRecord } from '../../domain/records.ts'
import { uuid } from '../../lib/ids.ts'
import type { Reader, Transaction } from '../../state/state.ts'
import type { Operation } from '../service.ts'
import { locationOf, newEtag, requireMatch } from './entity-tag.ts'
import { byId, markedPage, plainPage } from './paging.ts'
import { distributionsTrusting } from './trusted-keys.ts'

const configOf = ({ name, comment, publicKeys }: KeyGroupRecord): KeyGroupConfig => ({
  Name: name,
  Items: [...publicKeys],
  Comment: comment,
})

const view = (record: KeyGroupRecord): KeyGroup => ({
  Id: record.id,
  LastModifiedTime: new Date(record.lastModifiedTime),
  KeyGroupConfig: configOf(record),
})

type Accepted = Pick<KeyGroupRecord, 'name' | 'comment' | 'publicKeys'>

/** @throws MissingBody, InvalidArgument, TooManyPublicKeysInKeyGroup */
async function accepted(reader: Reader, given: KeyGroupConfig | undefined, quotas: Quotas): Promise<Accepted> {
  if (given === undefined) throw cloudfrontFault('MissingBody', 'The request needs a KeyGroupConfig.')
  const { Name: name = '', Comment: comment = '', Items: publicKeys = [] } = given
  if (name === '' || name.length > QUOTAS.keyGroupNameChars) {
    throw invalidArgument('Name', `it has 1 to ${QUOTAS.keyGroupNameChars} characters`)
  }
  if (comment.length > QUOTAS.commentChars) {
    throw invalidArgument('Comment', `it has at most ${QUOTAS.commentChars} characters`)
  }
  if (publicKeys.length === 0) throw invalidArgument('Items', 'a key group has at least one public key')
  if (publicKeys.length > quotas.publicKeysPerKeyGroup) {
    throw cloudfrontFault(
      'TooManyPublicKeysInKeyGroup',
      `A key group has at most ${quotas.publicKeysPerKeyGroup} public keys.`,
    )
  }
  if (new Set(publicKeys).size < publicKeys.length) throw invalidArgument('Items', 'a public key is given twice')
  for (const id of publicKeys) {
    if (id && (await reader.get('public-key', id)) !== undefined) continue
    throw invalidArgument('Items', `the public key ${quoted(id)} does not exist`)
  }
  return { name, comment, publicKeys }
}

function requireNewName(others: readonly KeyGroupRecord[], name: string): void {
  const same = others.find((other) => other.name === name)
  if (same === undefined) return
  throw cloudfrontFault('KeyGroupAlreadyExists', `The name ${quoted(name)} is that of the key group ${same.id}.`)
}

/** @throws NoSuchResource */
async function find(reader: Reader, id: string | undefined): Promise<KeyGroupRecord> {
  const stored = id ? await reader.get('key-group', id) : undefined
  if (stored === undefined) {
    throw cloudfrontFault('NoSuchResource', `The specified key group does not exist: ${quoted(id ?? '')}.`)
  }
  return stored.doc
}

export const createKeyGroup: Operation<CreateKeyGroupRequest, CreateKeyGroupResult> = async (
  input,
  { state, clock, quotas },
) => {
  const record = await state.transact(async (tx) => {
    const config = await accepted(tx, input.KeyGroupConfig, quotas)
    const others = (await tx.list('key-group')).map(({ doc }) => doc)
    requireNewName(others, config.name)
    if (others.length >= quotas.keyGroups) {
      throw cloudfrontFault('TooManyKeyGroups', `An account has at most ${quotas.keyGroups} key groups.`)
    }
    const made: KeyGroupRecord = {
      id: uuid(),
      etag: newEtag(),
      lastModifiedTime: new Date(clock.now()).toISOString(),
      ...config,
    }
    await tx.put('key-group', made.id, made)
    return made
  })
  return { KeyGroup: view(record), Location: locationOf(`key-group/${record.id}`), ETag: record.etag }
}

export const getKeyGroup: Operation<GetKeyGroupRequest, GetKeyGroupResult> = async (input, { state }) => {
  const record = await find(state, input.Id)
  return { KeyGroup: view(record), ETag: record.etag }
}

export const getKeyGroupConfig: Operation<GetKeyGroupConfigRequest, GetKeyGroupConfigResult> = async (
  input,
  { state },
) => {
  const record = await find(state, input.Id)
  return { KeyGroupConfig: configOf(record), ETag: record.etag }
}

const users = async (reader: Reader, id: string): Promise<DistributionRecord[]> =>
  distributionsTrusting(
    (await reader.list('distribution')).map(({ doc }) => doc),
    { keyGroup: id },
  )

/** A full replacement. The distributions that trust it are `InProgress` until every edge verifies by the new one. */
export const updateKeyGroup: Operation<UpdateKeyGroupRequest, UpdateKeyGroupResult> = async (
  input,
  { state, clock, quotas },
) => {
  const record = await state.transact(async (tx) => {
    const old = await find(tx, input.Id)
    requireMatch(input.IfMatch, old.etag)
    const config = await accepted(tx, input.KeyGroupConfig, quotas)
    const others = (await tx.list('key-group')).map(({ doc }) => doc).filter(({ id }) => id !== old.id)
    requireNewName(others, config.name)
    const updated: KeyGroupRecord = {
      id: old.id,
      etag: newEtag(),
      lastModifiedTime: new Date(clock.now()).toISOString(),
      ...config,
    }
    await tx.put('key-group', old.id, updated)
    await redeploy(tx, await users(tx, old.id))
    return updated
  })
  return { KeyGroup: view(record), ETag: record.etag }
}

/** Their documents are others now: `InProgress` until every edge has them. */
export async function redeploy(tx: Transaction, distributions: readonly DistributionRecord[]): Promise<void> {
  for (const one of distributions) {
    await tx.put('distribution', one.id, { ...one, status: 'InProgress', changedRevision: tx.revision })
  }
}

export const deleteKeyGroup: Operation<DeleteKeyGroupRequest, object> = async (input, { state }) => {
  await state.transact(async (tx) => {
    const record = await find(tx, input.Id)
    requireMatch(input.IfMatch, record.etag)
    const [user] = await users(tx, record.id)
    if (user !== undefined) {
      throw cloudfrontFault('ResourceInUse', `The key group ${record.id} is in use by the distribution ${user.id}.`)
    }
    await tx.delete('key-group', record.id)
  })
  return {}
}

const BY_ID = byId((record: KeyGroupRecord) => record.id)

export const listKeyGroups: Operation<ListKeyGroupsRequest, ListKeyGroupsResult> = async (input, { state }) => {
  const records = (await state.list('key-group')).map(({ doc }) => doc)
  const summary = (record: KeyGroupRecord): KeyGroupSummary => ({ KeyGroup: view(record) })
  return { KeyGroupList: plainPage(records, BY_ID, summary, input) }
}

const DISTRIBUTION_BY_ID = byId((record: DistributionRecord) => record.id)

export const listDistributionsByKeyGroup: Operation<
  ListDistributionsByKeyGroupRequest,
  ListDistributionsByKeyGroupResult
> = async (input, { state }) => {
  const { id } = await find(state, input.KeyGroupId)
  return { DistributionIdList: markedPage(await users(state, id), DISTRIBUTION_BY_ID, (one) => one.id, input) }
}
