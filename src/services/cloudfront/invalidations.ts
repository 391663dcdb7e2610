//! Invalidations (spec/cloudfront.md 8, 1.7). Created `InProgress`; control/tasks/invalidations.ts says when every edge
//! has applied it.
import type {
  CreateInvalidationRequest,
  CreateInvalidationResult,
  GetInvalidationRequest,
  GetInvalidationResult,
  Invalidation,
  ListInvalidationsRequest,
  ListInvalidationsResult,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import type { Quotas } from '../../domain/quotas.ts'
import type { DistributionRecord, InvalidationRecord } from '../../domain/records.ts'
import { upperId } from '../../lib/ids.ts'
import type { Transaction } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { findDistribution } from './distributions.ts'
import { locationOf } from './entity-tag.ts'
import { checkItems, sameItems, tagHeaderOf, wildcardsOf } from './invalidation-items.ts'
import { markedPage, type Order } from './paging.ts'

/**
 * What a distribution keeps of its invalidations, a caller reference for as long as its invalidation (what AWS keeps is
 * unconfirmed): so many, and so many characters of paths, for every call reads them all.
 */
export const INVALIDATIONS_KEPT = 1_000
export const INVALIDATION_PATH_CHARS_KEPT = 10_000_000
/** Of either, the share that is left when there is more: forgetting is rare, not done at every call. */
const LEFT_AFTER_FORGETTING = 0.9

function invalidationView(record: InvalidationRecord): Invalidation {
  return {
    Id: record.id,
    Status: record.status,
    CreateTime: new Date(record.createTime),
    InvalidationBatch: {
      Paths: { Quantity: record.paths.length, Items: [...record.paths] },
      CallerReference: record.callerReference,
    },
  }
}

/** What is to be invalidated, and how. */
export interface InvalidationWish {
  readonly distributionId: string | undefined
  readonly callerReference: string
  /** Paths and `#tag` items. */
  readonly items: readonly string[]
  /** What matches may be served on while it is fetched anew; AWS has no such thing. */
  readonly soft: boolean
}

/**
 * Writes an invalidation, or finds the earlier one with the same caller reference and items.
 * @throws NoSuchDistribution, InvalidArgument, BatchTooLarge, InvalidationBatchAlreadyExists, TooManyInvalidationsInProgress
 */
export function wishInvalidation(
  { distributionId, callerReference, items, soft }: InvalidationWish,
  { state, clock, quotas }: Pick<ServiceContext, 'state' | 'clock' | 'quotas'>,
): Promise<InvalidationRecord> {
  return state.transact(async (tx): Promise<InvalidationRecord> => {
    const distribution = await findDistribution(tx, distributionId)
    const tagHeader = tagHeaderOf(distribution)
    checkItems(items, tagHeader, quotas)
    if (callerReference === '') throw invalidArgument('InvalidationBatch.CallerReference', 'it is required')
    const earlier = (await tx.list('invalidation', { prefix: `${distribution.id}/` })).map(({ doc }) => doc)
    const same = earlier.find((doc) => doc.callerReference === callerReference)
    if (same !== undefined) {
      if (sameItems(same.paths, items) && (same.soft ?? false) === soft) return same
      throw cloudfrontFault(
        'InvalidationBatchAlreadyExists',
        `The caller reference is that of the invalidation ${same.id}, which has other paths.`,
      )
    }
    checkInProgress(earlier, items, quotas)
    const made: InvalidationRecord = {
      id: `I${upperId(13)}`,
      distributionId: distribution.id,
      callerReference,
      paths: items,
      ...(tagHeader === undefined ? {} : { tagHeader }),
      ...(soft ? { soft } : {}),
      status: 'InProgress',
      createdRevision: tx.revision,
      createTime: new Date(clock.now()).toISOString(),
    }
    await tx.put('invalidation', `${distribution.id}/${made.id}`, made)
    await forgetOldest(tx, distribution, earlier)
    return made
  })
}

export const createInvalidation: Operation<CreateInvalidationRequest, CreateInvalidationResult> = async (
  input,
  context,
) => {
  const batch = input.InvalidationBatch
  if (batch === undefined) throw cloudfrontFault('MissingBody', 'The request needs an InvalidationBatch.')
  const wish = {
    distributionId: input.DistributionId,
    callerReference: batch.CallerReference ?? '',
    items: batch.Paths?.Items ?? [],
    soft: false,
  }
  const record = await wishInvalidation(wish, context)
  return {
    Location: locationOf(`distribution/${record.distributionId}/invalidation/${record.id}`),
    Invalidation: invalidationView(record),
  }
}

/** An edge that was away since before a forgotten one drops all it has of the distribution (plan/feed-changes.ts). */
async function forgetOldest(
  tx: Transaction,
  distribution: DistributionRecord,
  kept: readonly InvalidationRecord[],
): Promise<void> {
  let count = kept.length
  let characters = kept.reduce((sum, doc) => sum + pathCharacters(doc), 0)
  if (count < INVALIDATIONS_KEPT && characters <= INVALIDATION_PATH_CHARS_KEPT) return
  const forgotten: InvalidationRecord[] = []
  const completed = kept.filter((doc) => doc.status === 'Completed')
  for (const doc of completed.sort((a, b) => a.createdRevision - b.createdRevision)) {
    const enough =
      count <= INVALIDATIONS_KEPT * LEFT_AFTER_FORGETTING &&
      characters <= INVALIDATION_PATH_CHARS_KEPT * LEFT_AFTER_FORGETTING
    if (enough) break
    forgotten.push(doc)
    count -= 1
    characters -= pathCharacters(doc)
  }
  const newest = forgotten.at(-1)
  if (newest === undefined) return
  for (const { id } of forgotten) await tx.delete('invalidation', `${distribution.id}/${id}`)
  await tx.put('distribution', distribution.id, { ...distribution, invalidationsForgotten: newest.createdRevision })
}

const pathCharacters = (doc: InvalidationRecord): number => doc.paths.reduce((sum, path) => sum + path.length, 0)

/** @throws TooManyInvalidationsInProgress. The quota of 2023 by count; AWS's newer one is by rate. */
function checkInProgress(earlier: readonly InvalidationRecord[], paths: readonly string[], quotas: Quotas): void {
  const open = earlier.filter((doc) => doc.status === 'InProgress').flatMap((doc) => doc.paths)
  const all = [...open, ...paths]
  if (all.length > quotas.invalidationPaths || wildcardsOf(all) > quotas.invalidationWildcardsInProgress) {
    throw cloudfrontFault(
      'TooManyInvalidationsInProgress',
      `At most ${quotas.invalidationPaths} paths or tags and ${quotas.invalidationWildcardsInProgress} wildcards may be in progress for a distribution.`,
    )
  }
}

export const getInvalidation: Operation<GetInvalidationRequest, GetInvalidationResult> = async (input, { state }) => {
  const { id } = await findDistribution(state, input.DistributionId)
  const stored = await state.get('invalidation', `${id}/${input.Id}`)
  if (stored === undefined) {
    throw cloudfrontFault('NoSuchInvalidation', `The specified invalidation does not exist: ${quoted(input.Id ?? '')}.`)
  }
  return { Invalidation: invalidationView(stored.doc) }
}

/** Newest first (unconfirmed). */
export const listInvalidations: Operation<ListInvalidationsRequest, ListInvalidationsResult> = async (
  input,
  { state },
) => {
  const { id, invalidationsForgotten = 0 } = await findDistribution(state, input.DistributionId)
  const records = (await state.list('invalidation', { prefix: `${id}/` })).map(({ doc }) => doc)
  records.sort((a, b) => b.createdRevision - a.createdRevision)
  const order: Order<InvalidationRecord> = {
    idOf: (record) => record.id,
    // A Marker that is gone was forgotten: no newer than the newest forgotten one, and only older ones follow it.
    follows: (record) => record.createdRevision < invalidationsForgotten,
  }
  const page = markedPage(
    records,
    order,
    (record) => ({ Id: record.id, CreateTime: new Date(record.createTime), Status: record.status }),
    input,
  )
  return { InvalidationList: page }
}
