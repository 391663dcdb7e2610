//! A distribution by what people call it.
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import { cachefrontFault } from '../../domain/faults.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import type { State } from '../../state/state.ts'

/** By id, domain name or alias. @throws Fault NotFound */
export async function distributionNamed(state: State, name: string): Promise<DistributionRecord> {
  const byId = await state.get('distribution', name)
  if (byId !== undefined) return byId.doc
  const wanted = name.toLowerCase()
  for (const { doc } of await state.list('distribution')) {
    const aliases = (doc.config as DistributionConfig).Aliases?.Items ?? []
    if (doc.domainName === wanted || aliases.includes(wanted)) return doc
  }
  throw cachefrontFault('NotFound', `There is no distribution ${JSON.stringify(name.slice(0, 100))}.`)
}
