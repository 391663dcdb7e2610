//! What a tag may be (spec/cloudfront.md 1.8), and where tags are kept: one document a resource, by its ARN.
import type { Tag } from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, quoted } from '../../domain/cloudfront-faults.ts'
import { notImplemented } from '../../domain/faults.ts'
import { QUOTAS } from '../../domain/quotas.ts'
import type { Reader, Transaction } from '../../state/state.ts'

export type Tags = Readonly<Record<string, string>>

const KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u
const VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u

/** Tags of ours that are to act and that nothing acts on yet (DESIGN 5). */
const OWN_TAGS: ReadonlySet<string> = new Set(['cachefront:rfc-strict'])

/** @throws InvalidTagging; NotImplemented for a tag of ours that would have to act. */
export function checkTags(items: readonly Tag[]): Tags {
  // A Map, for `__proto__` is a key like any other.
  const tags = new Map<string, string>()
  for (const { Key: key = '', Value: value = '' } of items) {
    if (OWN_TAGS.has(key)) throw notImplemented(`The tag ${key}`)
    if (!KEY.test(key) || /^aws:/i.test(key) || key.startsWith('cachefront:')) {
      throw cloudfrontFault('InvalidTagging', `The tag key ${quoted(key)} is not valid.`)
    }
    if (!VALUE.test(value)) throw cloudfrontFault('InvalidTagging', `The value of the tag ${quoted(key)} is not valid.`)
    if (tags.has(key)) throw cloudfrontFault('InvalidTagging', `The tag ${quoted(key)} is given twice.`)
    tags.set(key, value)
  }
  return Object.fromEntries(tags)
}

export async function readTags(reader: Reader, arn: string): Promise<Tags> {
  return (await reader.get('tags', arn))?.doc.tags ?? {}
}

/** Replaces the tags of a resource. @throws InvalidTagging when there are more than a resource may have. */
export async function writeTags(tx: Transaction, arn: string, tags: Tags): Promise<void> {
  const count = Object.keys(tags).length
  if (count > QUOTAS.tagsPerResource) {
    throw cloudfrontFault('InvalidTagging', `A resource has at most ${QUOTAS.tagsPerResource} tags.`)
  }
  if (count === 0) await tx.delete('tags', arn)
  else await tx.put('tags', arn, { tags })
}
