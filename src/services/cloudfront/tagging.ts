//! Tags of distributions, the only CloudFront resource here that has some.
import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResult,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import type { Quotas } from '../../domain/quotas.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import { actDifferently, type Tags } from '../../domain/tags.ts'
import type { Reader, Transaction } from '../../state/state.ts'
import type { Operation } from '../service.ts'
import { checkTags, readTags, writeTags } from './tag-rules.ts'

const DISTRIBUTION_ARN = /^arn:aws:cloudfront::\d{12}:distribution\/([A-Z0-9]+)$/

/** @throws InvalidArgument for what is no ARN, NoSuchResource when there is no such distribution in this account. */
async function requireResource(reader: Reader, arn: string | undefined): Promise<DistributionRecord> {
  const id = DISTRIBUTION_ARN.exec(arn ?? '')?.[1]
  if (arn === undefined || id === undefined) {
    throw invalidArgument('Resource', `${quoted(arn ?? '')} is not the ARN of a distribution`)
  }
  const stored = await reader.get('distribution', id)
  if (stored?.doc.arn !== arn) {
    throw cloudfrontFault('NoSuchResource', `The resource ${quoted(arn)} does not exist.`)
  }
  return stored.doc
}

/** A tag that acts is deployed like a change of the configuration; AWS leaves the status alone, having no such tag. */
async function replaceTags(
  tx: Transaction,
  record: DistributionRecord,
  quotas: Quotas,
  change: (old: Tags) => Tags,
): Promise<void> {
  const old = await readTags(tx, record.arn)
  const tags = change(old)
  await writeTags(tx, record.arn, tags, quotas)
  if (!actDifferently(old, tags)) return
  await tx.put('distribution', record.id, { ...record, status: 'InProgress', changedRevision: tx.revision })
}

/** A key that is there already gets the new value. */
export const tagResource: Operation<TagResourceRequest, object> = async (input, { state, quotas }) => {
  const tags = checkTags(input.Tags?.Items ?? [])
  await state.transact(async (tx) => {
    const record = await requireResource(tx, input.Resource)
    await replaceTags(tx, record, quotas, (old) => ({ ...old, ...tags }))
  })
  return {}
}

/** A key that is not there is no error. */
export const untagResource: Operation<UntagResourceRequest, object> = async (input, { state, quotas }) => {
  const gone = new Set(input.TagKeys?.Items ?? [])
  await state.transact(async (tx) => {
    const record = await requireResource(tx, input.Resource)
    await replaceTags(tx, record, quotas, (old) =>
      Object.fromEntries(Object.entries(old).filter(([key]) => !gone.has(key))),
    )
  })
  return {}
}

export const listTagsForResource: Operation<ListTagsForResourceRequest, ListTagsForResourceResult> = async (
  input,
  { state },
) => {
  const tags = await readTags(state, (await requireResource(state, input.Resource)).arn)
  return { Tags: { Items: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) } }
}
