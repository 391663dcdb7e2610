//! Tags of ElastiCache resources (spec/elasticache.md 11.2, limits 1.6).
import type {
  AddTagsToResourceMessage,
  ListTagsForResourceMessage,
  RemoveTagsFromResourceMessage,
  Tag,
  TagListMessage,
} from '@aws-sdk/client-elasticache'
import { required, shown } from '../../domain/cache-names.ts'
import { elasticacheFault, invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import { notImplemented } from '../../domain/faults.ts'
import { CERTIFICATE_TAG } from '../../domain/transit.ts'
import type { Reader, Transaction } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { findUser, findUserGroup } from './access-lookup.ts'
import { findCluster, findParameterGroup, findReplicationGroup, findSubnetGroup } from './lookup.ts'
import { findSnapshot } from './snapshots.ts'
import { APPENDONLY_TAG, appendOnlyOf, checkControlTag, checkTogether } from './storage.ts'
import { certificateTag, followCertificateTag } from './transit.ts'

type Tags = Readonly<Record<string, string>>

const KEY_CHARACTERS_MAX = 128
const VALUE_CHARACTERS_MAX = 256
/** Tags of one resource. */
const TAGS_MAX = 50

/**
 * The tags of a request, checked; a key given twice holds its last value.
 * @throws InvalidParameterValue, TagQuotaPerResourceExceeded; NotImplemented for `cachefront:` tags that do nothing: all
 * of them but on a cache (`isCache`), where the caller has to see to what they ask for.
 */
export function tagsOf(given: readonly Tag[] | undefined, present: Tags = {}, isCache = false): Tags {
  const tags: Record<string, string> = { ...present }
  for (const { Key, Value } of given ?? []) {
    const key = required('Tags.Key', Key)
    if (key.length > KEY_CHARACTERS_MAX || key.startsWith('aws:')) {
      throw invalidValue(
        `The tag key ${shown(key)} is not valid: 1 to ${KEY_CHARACTERS_MAX} characters, not beginning with aws:.`,
      )
    }
    const value = Value ?? ''
    if (key.startsWith('cachefront:')) {
      if (!isCache) throw notImplemented(`The tag ${key.slice(0, 60)} here`)
      if (key !== CERTIFICATE_TAG) checkControlTag(key, value)
    }
    if (value.length > VALUE_CHARACTERS_MAX) {
      throw invalidValue(`The value of the tag ${shown(key)} is longer than ${VALUE_CHARACTERS_MAX} characters.`)
    }
    tags[key] = value
  }
  if (Object.keys(tags).length > TAGS_MAX) {
    throw elasticacheFault('TagQuotaPerResourceExceeded', `A resource has at most ${TAGS_MAX} tags.`)
  }
  return tags
}

/** Writes the tags of a resource; none leave no document. */
export async function putTags(tx: Transaction, arn: string, tags: Tags): Promise<void> {
  if (Object.keys(tags).length === 0) await tx.delete('tags', arn)
  else await tx.put('tags', arn, { tags })
}

export const tagsAt = async (reader: Reader, arn: string): Promise<Tags> =>
  (await reader.get('tags', arn))?.doc.tags ?? {}

const tagList = (tags: Tags): Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))

/**
 * ARNs that share the tags of `arn`: a replication group's are copied to its members.
 * @throws InvalidARN for another shape, account or region; the resource's own not-found error.
 */
async function tagged(reader: Reader, arn: string | undefined, context: ServiceContext): Promise<string[]> {
  const name = required('ResourceName', arn)
  const prefix = `arn:aws:elasticache:${context.region}:${context.accountId}:`
  const [type = '', ...rest] = name.slice(prefix.length).split(':')
  const id = rest.join(':').toLowerCase()
  if (!name.startsWith(prefix) || id === '') throw invalidArn(name)
  switch (type) {
    case 'cluster': {
      const { doc } = await findCluster(reader, id)
      return [doc.arn]
    }
    case 'replicationgroup': {
      const { doc } = await findReplicationGroup(reader, id)
      const members = await Promise.all(doc.members.map((member) => findCluster(reader, member)))
      return [doc.arn, ...members.map((member) => member.doc.arn)]
    }
    case 'parametergroup':
      return [(await findParameterGroup(reader, id, context)).arn]
    case 'subnetgroup':
      return [(await findSubnetGroup(reader, id, context)).arn]
    case 'snapshot':
      return [(await findSnapshot(reader, id)).doc.arn]
    case 'user':
      return [(await findUser(reader, id, context)).arn]
    case 'usergroup':
      return [(await findUserGroup(reader, id)).doc.arn]
    default:
      throw invalidArn(name)
  }
}

const invalidArn = (name: string) =>
  elasticacheFault(
    'InvalidARN',
    `ResourceName ${shown(name)} is not the ARN of a cluster, replicationgroup, parametergroup, subnetgroup, snapshot, user or usergroup here.`,
  )

/** Makes the record of a cache what its tags ask for. @throws InvalidParameterCombination */
async function follow(tx: Transaction, arn: string): Promise<void> {
  const id = arn.split(':').at(-1) ?? ''
  const tags = await tagsAt(tx, arn)
  if (arn.includes(':replicationgroup:')) {
    const { doc } = await findReplicationGroup(tx, id)
    const appendonly = appendOnlyOf(tags, doc.engine)
    checkTogether(doc.atRestEncryption, appendonly)
    await tx.put('replication-group', id, { ...doc, appendonly })
    return
  }
  const { doc } = await findCluster(tx, id)
  const appendonly = appendOnlyOf(tags, doc.engine)
  if (doc.replicationGroupId !== null) {
    throw invalidCombination(
      `The tag ${APPENDONLY_TAG} is for all nodes of a group: tag the replication group ${doc.replicationGroupId}.`,
    )
  }
  await tx.put('cache-cluster', id, { ...doc, appendonly })
}

export const addTagsToResource: Operation<AddTagsToResourceMessage, TagListMessage> = (input, context) =>
  context.state.transact(async (tx) => {
    const arns = await tagged(tx, input.ResourceName, context)
    required('Tags', input.Tags)
    const isCache = /:(?:cluster|replicationgroup):/.test(arns[0] ?? '')
    for (const arn of arns) await putTags(tx, arn, tagsOf(input.Tags, await tagsAt(tx, arn), isCache))
    const certificate = certificateTag(input.Tags)
    if (certificate !== undefined) await followCertificateTag(tx, arns[0] ?? '', certificate, context)
    if (input.Tags?.some(({ Key }) => Key === APPENDONLY_TAG)) await follow(tx, arns[0] ?? '')
    return { TagList: tagList(await tagsAt(tx, arns[0] ?? '')) }
  })

export const removeTagsFromResource: Operation<RemoveTagsFromResourceMessage, TagListMessage> = (input, context) =>
  context.state.transact(async (tx) => {
    const arns = await tagged(tx, input.ResourceName, context)
    const keys = required('TagKeys', input.TagKeys)
    const present = await tagsAt(tx, arns[0] ?? '')
    const missing = keys.find((key) => !Object.hasOwn(present, key))
    if (missing !== undefined) {
      throw elasticacheFault('TagNotFound', `The resource has no tag ${shown(missing)}; nothing was removed.`)
    }
    for (const arn of arns) {
      const left = Object.entries(await tagsAt(tx, arn)).filter(([key]) => !keys.includes(key))
      await putTags(tx, arn, Object.fromEntries(left))
    }
    if (keys.includes(CERTIFICATE_TAG)) await followCertificateTag(tx, arns[0] ?? '', undefined, context)
    if (keys.includes(APPENDONLY_TAG)) await follow(tx, arns[0] ?? '')
    return { TagList: tagList(await tagsAt(tx, arns[0] ?? '')) }
  })

export const listTagsForResource: Operation<ListTagsForResourceMessage, TagListMessage> = async (input, context) => {
  const [arn = ''] = await tagged(context.state, input.ResourceName, context)
  return { TagList: tagList(await tagsAt(context.state, arn)) }
}
