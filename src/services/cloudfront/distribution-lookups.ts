//! Which distributions use something (spec/cloudfront.md 1.4, 1.9). The lookups by a resource that is not built (VPC
//! origins, anycast lists, real-time logs, connection functions) are not here: they answer 501 like the operations that
//! would make such a resource. Those by trust store and by key group are beside these.
import type {
  DistributionConfig,
  DistributionIdList,
  ListDistributionsByCachePolicyIdRequest,
  ListDistributionsByCachePolicyIdResult,
  ListDistributionsByConnectionModeRequest,
  ListDistributionsByConnectionModeResult,
  ListDistributionsByOriginRequestPolicyIdRequest,
  ListDistributionsByOriginRequestPolicyIdResult,
  ListDistributionsByResponseHeadersPolicyIdRequest,
  ListDistributionsByResponseHeadersPolicyIdResult,
  ListDistributionsByWebACLIdRequest,
  ListDistributionsByWebACLIdResult,
} from '@aws-sdk/client-cloudfront'
import { invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import type { Reader } from '../../state/state.ts'
import type { Operation } from '../service.ts'
import { CONNECTION_MODES } from './distribution-checks.ts'
import { configOf, distributionSummary } from './distribution-view.ts'
import { byId, markedPage, type PageInput } from './paging.ts'
import { distributionsNaming, type NamedKind, requirePolicy } from './policy-references.ts'

const BY_ID = byId((record: DistributionRecord) => record.id)

const all = async (reader: Reader): Promise<DistributionRecord[]> =>
  (await reader.list('distribution')).map(({ doc }) => doc)

/** @throws the kind's "no such policy" for an id that is nobody's. */
async function idsNaming(
  reader: Reader,
  kind: NamedKind,
  id: string | undefined,
  page: PageInput,
): Promise<DistributionIdList> {
  await requirePolicy(reader, kind, id)
  return markedPage(distributionsNaming(await all(reader), kind, id ?? ''), BY_ID, ({ id: one }) => one, page)
}

export const listDistributionsByCachePolicyId: Operation<
  ListDistributionsByCachePolicyIdRequest,
  ListDistributionsByCachePolicyIdResult
> = async (input, { state }) => ({
  DistributionIdList: await idsNaming(state, 'cache-policy', input.CachePolicyId, input),
})

export const listDistributionsByOriginRequestPolicyId: Operation<
  ListDistributionsByOriginRequestPolicyIdRequest,
  ListDistributionsByOriginRequestPolicyIdResult
> = async (input, { state }) => ({
  DistributionIdList: await idsNaming(state, 'origin-request-policy', input.OriginRequestPolicyId, input),
})

export const listDistributionsByResponseHeadersPolicyId: Operation<
  ListDistributionsByResponseHeadersPolicyIdRequest,
  ListDistributionsByResponseHeadersPolicyIdResult
> = async (input, { state }) => ({
  DistributionIdList: await idsNaming(state, 'response-headers-policy', input.ResponseHeadersPolicyId, input),
})

const summaries = async (
  reader: Reader,
  isMeant: (config: DistributionConfig) => boolean,
  page: PageInput,
): Promise<ListDistributionsByWebACLIdResult> => {
  const meant = (await all(reader)).filter((record) => isMeant(configOf(record)))
  return { DistributionList: markedPage(meant, BY_ID, distributionSummary, page) }
}

/**
 * The id `null` means distributions without a web ACL. Nobody asks whether another id is that of a web ACL: none is known
 * here, and a distribution that names one is found by it.
 */
export const listDistributionsByWebACLId: Operation<
  ListDistributionsByWebACLIdRequest,
  ListDistributionsByWebACLIdResult
> = async (input, { state }) => {
  const wanted = input.WebACLId === 'null' ? '' : (input.WebACLId ?? '')
  return summaries(state, (config) => (config.WebACLId ?? '') === wanted, input)
}

export const listDistributionsByConnectionMode: Operation<
  ListDistributionsByConnectionModeRequest,
  ListDistributionsByConnectionModeResult
> = async (input, { state }) => {
  const wanted: string = input.ConnectionMode ?? ''
  if (!(CONNECTION_MODES as readonly string[]).includes(wanted)) {
    throw invalidArgument('ConnectionMode', `${quoted(wanted)} is not one of ${CONNECTION_MODES.join(', ')}`)
  }
  return summaries(state, (config) => (config.ConnectionMode ?? 'direct') === wanted, input)
}
