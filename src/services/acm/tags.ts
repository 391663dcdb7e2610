//! Tags of certificates. They lie where all tags lie, by ARN; none of ours acts on a certificate.
import type {
  AddTagsToCertificateRequest,
  ListTagsForCertificateRequest,
  ListTagsForCertificateResponse,
  RemoveTagsFromCertificateRequest,
  Tag,
} from '@aws-sdk/client-acm'
import { acmFault } from '../../domain/acm-faults.ts'
import { quoted } from '../../domain/cloudfront-faults.ts'
import { notImplemented } from '../../domain/faults.ts'
import { OWN_TAG_PREFIX, type Tags } from '../../domain/tags.ts'
import type { Reader, Transaction } from '../../state/state.ts'
import type { Operation } from '../service.ts'
import { findCertificate } from './lookup.ts'

const KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u
const VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u
const TAGS_MAX = 50

/** @throws InvalidTagException, TooManyTagsException; NotImplemented for a tag of ours, as none acts here */
export function tagsWith(present: Tags, given: readonly Tag[] | undefined): Tags {
  const tags = new Map(Object.entries(present))
  for (const { Key: key = '', Value: value = '' } of given ?? []) {
    checkTag(key, value)
    tags.set(key, value)
  }
  if (tags.size > TAGS_MAX) {
    throw acmFault('TooManyTagsException', `A certificate has at most ${TAGS_MAX} tags; this would make ${tags.size}.`)
  }
  return Object.fromEntries(tags)
}

function checkTag(key: string, value: string): void {
  if (!KEY.test(key) || /^aws:/i.test(key)) {
    throw acmFault('InvalidTagException', `The tag key ${quoted(key)} is not valid.`)
  }
  if (!VALUE.test(value)) throw acmFault('InvalidTagException', `The value of the tag ${quoted(key)} is not valid.`)
  if (key.startsWith(OWN_TAG_PREFIX)) throw notImplemented(`The tag ${key.slice(0, 60)} of certificates`)
}

export const putTags = async (tx: Transaction, arn: string, tags: Tags): Promise<void> => {
  if (Object.keys(tags).length === 0) await tx.delete('tags', arn)
  else await tx.put('tags', arn, { tags })
}

const tagsOf = async (reader: Reader, arn: string): Promise<Tags> => (await reader.get('tags', arn))?.doc.tags ?? {}

/** @throws InvalidParameterException for a list of nothing */
function requireTags(tags: readonly Tag[] | undefined): readonly Tag[] {
  if (tags === undefined || tags.length === 0) {
    throw acmFault('InvalidParameterException', 'Tags must have at least one tag.')
  }
  return tags
}

export const addTagsToCertificate: Operation<AddTagsToCertificateRequest, object> = async (input, context) => {
  await context.state.transact(async (tx) => {
    const { arn } = await findCertificate(tx, input.CertificateArn, context)
    await putTags(tx, arn, tagsWith(await tagsOf(tx, arn), requireTags(input.Tags)))
  })
  return {}
}

/** A tag with a value is removed only when it has that value. */
export const removeTagsFromCertificate: Operation<RemoveTagsFromCertificateRequest, object> = async (
  input,
  context,
) => {
  await context.state.transact(async (tx) => {
    const { arn } = await findCertificate(tx, input.CertificateArn, context)
    const gone = requireTags(input.Tags)
    const left = Object.entries(await tagsOf(tx, arn)).filter(
      ([key, value]) => !gone.some((tag) => tag.Key === key && (tag.Value === undefined || tag.Value === value)),
    )
    await putTags(tx, arn, Object.fromEntries(left))
  })
  return {}
}

export const listTagsForCertificate: Operation<ListTagsForCertificateRequest, ListTagsForCertificateResponse> = async (
  input,
  context,
) => {
  const { arn } = await findCertificate(context.state, input.CertificateArn, context)
  return { Tags: Object.entries(await tagsOf(context.state, arn)).map(([Key, Value]) => ({ Key, Value })) }
}
