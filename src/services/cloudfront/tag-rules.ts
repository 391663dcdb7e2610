//! What a tag may be (spec/cloudfront.md 1.8), and where tags are kept: one document a resource, by its ARN.
import type { Tag } from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, quoted } from '../../domain/cloudfront-faults.ts'
import type { Quotas } from '../../domain/quotas.ts'
import { DISTRIBUTION_TAGS, OWN_TAG_PREFIX, type Tags } from '../../domain/tags.ts'
import type { Reader, Transaction } from '../../state/state.ts'

const KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u
const VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u

/** What can be tagged. Only on distributions are there tags of ours that act. */
export type TaggedKind = 'distribution' | 'trust-store'

/** @throws InvalidTagging, also for a tag of ours that is none or has another value than those it can have. */
export function checkTags(items: readonly Tag[], kind: TaggedKind = 'distribution'): Tags {
  // A Map, for `__proto__` is a key like any other.
  const tags = new Map<string, string>()
  for (const { Key: key = '', Value: value = '' } of items) {
    if (!KEY.test(key) || /^aws:/i.test(key)) {
      throw cloudfrontFault('InvalidTagging', `The tag key ${quoted(key)} is not valid.`)
    }
    if (key.startsWith(OWN_TAG_PREFIX)) checkOwnTag(key, value, kind)
    if (!VALUE.test(value)) throw cloudfrontFault('InvalidTagging', `The value of the tag ${quoted(key)} is not valid.`)
    if (tags.has(key)) throw cloudfrontFault('InvalidTagging', `The tag ${quoted(key)} is given twice.`)
    tags.set(key, value)
  }
  return Object.fromEntries(tags)
}

function checkOwnTag(key: string, value: string, kind: TaggedKind): void {
  const isOurs = kind === 'distribution' && Object.hasOwn(DISTRIBUTION_TAGS, key)
  const tag = isOurs ? DISTRIBUTION_TAGS[key] : undefined
  if (tag === undefined) {
    throw cloudfrontFault('InvalidTagging', `The tag key ${quoted(key)} is not one that Cachefront knows.`)
  }
  if (!tag.has(value)) {
    throw cloudfrontFault('InvalidTagging', `The tag ${key} is ${tag.values}, not ${quoted(value)}.`)
  }
}

export async function readTags(reader: Reader, arn: string): Promise<Tags> {
  return (await reader.get('tags', arn))?.doc.tags ?? {}
}

/** Replaces the tags of a resource. @throws InvalidTagging when there are more than a resource may have. */
export async function writeTags(tx: Transaction, arn: string, tags: Tags, quotas: Quotas): Promise<void> {
  const count = Object.keys(tags).length
  if (count > quotas.tagsPerResource) {
    throw cloudfrontFault('InvalidTagging', `A resource has at most ${quotas.tagsPerResource} tags.`)
  }
  if (count === 0) await tx.delete('tags', arn)
  else await tx.put('tags', arn, { tags })
}
