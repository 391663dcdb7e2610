//! Tags of what WAF has. They lie where all tags lie, by ARN; none of ours acts here.
import type { Tag } from '@aws-sdk/client-wafv2'
import { notImplemented } from '../../domain/faults.ts'
import { OWN_TAG_PREFIX, type Tags } from '../../domain/tags.ts'
import { wafFault } from '../../domain/waf/faults.ts'
import { WAF_LIMITS } from '../../domain/waf/limits.ts'
import type { Reader, Transaction } from '../../state/state.ts'
import { overLimit } from './refusals.ts'

/** @throws WAFTagOperationException, WAFLimitsExceededException; NotImplemented for a tag of ours */
export function tagsWith(present: Tags, given: readonly Tag[] | undefined): Tags {
  // A Map, for `__proto__` is a key like any other.
  const tags = new Map(Object.entries(present))
  for (const { Key: key = '', Value: value = '' } of given ?? []) {
    if (/^aws:/i.test(key)) {
      throw wafFault(
        'WAFTagOperationException',
        `The tag key ${key.slice(0, 100)} begins with what AWS keeps for itself.`,
      )
    }
    if (key.startsWith(OWN_TAG_PREFIX)) throw notImplemented(`The tag ${key.slice(0, 60)} of WAF's resources`)
    tags.set(key, value)
  }
  if (tags.size > WAF_LIMITS.tags) throw overLimit('tags of a resource', WAF_LIMITS.tags)
  return Object.fromEntries(tags)
}

export async function writeTags(tx: Transaction, arn: string, tags: Tags): Promise<void> {
  if (Object.keys(tags).length === 0) await tx.delete('tags', arn)
  else await tx.put('tags', arn, { tags })
}

export const readTags = async (reader: Reader, arn: string): Promise<Tags> =>
  (await reader.get('tags', arn))?.doc.tags ?? {}
