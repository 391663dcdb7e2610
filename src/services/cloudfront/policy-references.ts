//! Which policies a distribution names, and which distributions name a policy (spec/cloudfront.md 2.3, 2.7, 4.6).
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, quoted } from '../../domain/cloudfront-faults.ts'
import { notImplemented } from '../../domain/faults.ts'
import { generatedHeadersNotBuilt } from '../../domain/generated-headers.ts'
import { managedHeadersPolicy } from '../../domain/managed-headers-policies.ts'
import { managedCachePolicy, managedOriginRequestPolicy } from '../../domain/managed-policies.ts'
import type { Quotas } from '../../domain/quotas.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import type { Reader } from '../../state/state.ts'

/** Kinds of policies that a behavior names. */
export type NamedKind = keyof typeof KINDS

/** What differs between the kinds. */
const KINDS = {
  'cache-policy': {
    field: 'CachePolicyId',
    missing: 'NoSuchCachePolicy',
    tooMany: 'TooManyDistributionsAssociatedToCachePolicy',
    managed: managedCachePolicy,
  },
  'origin-request-policy': {
    field: 'OriginRequestPolicyId',
    missing: 'NoSuchOriginRequestPolicy',
    tooMany: 'TooManyDistributionsAssociatedToOriginRequestPolicy',
    managed: managedOriginRequestPolicy,
  },
  'response-headers-policy': {
    field: 'ResponseHeadersPolicyId',
    missing: 'NoSuchResponseHeadersPolicy',
    tooMany: 'TooManyDistributionsAssociatedToResponseHeadersPolicy',
    managed: managedHeadersPolicy,
  },
} as const

/** Ids of the policies of a kind that a configuration names, each once. */
export function policyIds(config: DistributionConfig, kind: NamedKind): string[] {
  const { field } = KINDS[kind]
  const behaviors = [config.DefaultCacheBehavior, ...(config.CacheBehaviors?.Items ?? [])]
  return [...new Set(behaviors.flatMap((behavior) => behavior?.[field] || []))]
}

export function distributionsNaming(
  records: readonly DistributionRecord[],
  kind: NamedKind,
  id: string,
): DistributionRecord[] {
  return records.filter((record) => policyIds(record.config as DistributionConfig, kind).includes(id))
}

/** @throws NoSuchCachePolicy, NoSuchOriginRequestPolicy, NoSuchResponseHeadersPolicy */
export async function requirePolicy(reader: Reader, kind: NamedKind, id: string | undefined): Promise<void> {
  const isThere = id && (KINDS[kind].managed(id) !== undefined || (await reader.get(kind, id)) !== undefined)
  if (!isThere) throw cloudfrontFault(KINDS[kind].missing, `The policy ${quoted(id ?? '')} does not exist.`)
}

/**
 * Checks that every policy named exists, may take one more distribution, and can be enforced by the edge.
 * @param others the account's other distributions
 * @throws NoSuchCachePolicy, NoSuchOriginRequestPolicy, TooManyDistributionsAssociatedTo...; then NotImplemented.
 */
export async function checkPolicies(
  reader: Reader,
  config: DistributionConfig,
  others: readonly DistributionRecord[],
  quotas: Quotas,
): Promise<void> {
  const notBuilt: string[] = []
  for (const kind of Object.keys(KINDS) as NamedKind[]) {
    const { tooMany, managed } = KINDS[kind]
    for (const id of policyIds(config, kind)) {
      const known = managed(id)
      if (known === undefined) {
        await requirePolicy(reader, kind, id)
        if (distributionsNaming(others, kind, id).length >= quotas.distributionsPerPolicy) {
          throw cloudfrontFault(tooMany, `A policy serves at most ${quotas.distributionsPerPolicy} distributions.`)
        }
      } else if (known.settings === null) {
        notBuilt.push(`The managed policy ${known.name}, whose settings AWS does not publish,`)
      } else if ('headers' in known.settings) {
        const headers = generatedHeadersNotBuilt(known.settings.headers.names)
        if (headers.length > 0) notBuilt.push(`The managed policy ${known.name} with its headers ${headers.join(', ')}`)
      }
    }
  }
  if (notBuilt[0] !== undefined) throw notImplemented(notBuilt[0])
}
