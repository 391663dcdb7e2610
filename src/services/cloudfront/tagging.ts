//! Tags of distributions and trust stores, the CloudFront resources here that have some.
import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResult,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import type { DistributionRecord, TrustStoreRecord } from '../../domain/records.ts'
import { actDifferently, type Tags } from '../../domain/tags.ts'
import type { Reader, Transaction } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { checkSecondCertificate } from './certificate-checks.ts'
import { configOf } from './distribution-view.ts'
import { checkTags, readTags, type TaggedKind, writeTags } from './tag-rules.ts'

const TAGGED_ARN = /^arn:aws:cloudfront::\d{12}:(distribution|trust-store)\/([A-Za-z0-9_]+)$/

type Tagged =
  | { readonly kind: 'distribution'; readonly record: DistributionRecord }
  | { readonly kind: 'trust-store'; readonly record: TrustStoreRecord }

/** @throws InvalidArgument */
function kindOf(arn: string | undefined): { readonly kind: TaggedKind; readonly id: string } {
  const [, kind, id = ''] = TAGGED_ARN.exec(arn ?? '') ?? []
  if (kind === 'distribution' || kind === 'trust-store') return { kind, id }
  throw invalidArgument('Resource', `${quoted(arn ?? '')} is not the ARN of a distribution or trust store`)
}

/** @throws InvalidArgument for what is no ARN, NoSuchResource when there is no such resource in this account. */
async function requireResource(reader: Reader, arn: string | undefined): Promise<Tagged> {
  const { kind, id } = kindOf(arn)
  const record = (await reader.get(kind, id))?.doc
  if (record?.arn !== arn) {
    throw cloudfrontFault('NoSuchResource', `The resource ${quoted(arn ?? '')} does not exist.`)
  }
  return { kind, record } as Tagged
}

/** A tag that acts is deployed like a change of the configuration; AWS leaves the status alone, having no such tag. */
async function replaceTags(
  tx: Transaction,
  { kind, record }: Tagged,
  { quotas, clock }: Pick<ServiceContext, 'quotas' | 'clock'>,
  change: (old: Tags) => Tags,
): Promise<void> {
  const old = await readTags(tx, record.arn)
  const tags = change(old)
  await writeTags(tx, record.arn, tags, quotas)
  if (kind !== 'distribution' || !actDifferently(old, tags)) return
  await checkSecondCertificate(tx, configOf(record), tags, clock, 'InvalidTagging')
  await tx.put('distribution', record.id, { ...record, status: 'InProgress', changedRevision: tx.revision })
}

/** A key that is there already gets the new value. */
export const tagResource: Operation<TagResourceRequest, object> = async (input, context) => {
  const { kind } = kindOf(input.Resource)
  const tags = checkTags(input.Tags?.Items ?? [], kind)
  await context.state.transact(async (tx) => {
    const resource = await requireResource(tx, input.Resource)
    await replaceTags(tx, resource, context, (old) => ({ ...old, ...tags }))
  })
  return {}
}

/** A key that is not there is no error. */
export const untagResource: Operation<UntagResourceRequest, object> = async (input, context) => {
  const gone = new Set(input.TagKeys?.Items ?? [])
  await context.state.transact(async (tx) => {
    const resource = await requireResource(tx, input.Resource)
    await replaceTags(tx, resource, context, (old) =>
      Object.fromEntries(Object.entries(old).filter(([key]) => !gone.has(key))),
    )
  })
  return {}
}

export const listTagsForResource: Operation<ListTagsForResourceRequest, ListTagsForResourceResult> = async (
  input,
  { state },
) => {
  const tags = await readTags(state, (await requireResource(state, input.Resource)).record.arn)
  return { Tags: { Items: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) } }
}
