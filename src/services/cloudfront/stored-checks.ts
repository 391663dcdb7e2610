//! A stored distribution looked at anew, by the rules of this version: what was accepted once may be refused today.
import { Fault } from '../../domain/faults.ts'
import { MOST_QUOTAS } from '../../domain/quotas.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import type { Reader } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'
import { configOf } from './distribution-view.ts'
import { acceptedConfig } from './distributions.ts'

/** What an update with the very same configuration would be refused for; null for nothing. A lowered quota is no reason. */
export async function refusedToday(
  reader: Reader,
  record: DistributionRecord,
  { edgeDomain }: Pick<ServiceContext, 'edgeDomain'>,
): Promise<string | null> {
  try {
    await acceptedConfig(reader, configOf(record), [], { edgeDomain, quotas: MOST_QUOTAS })
    return null
  } catch (error) {
    if (error instanceof Fault) return `${error.code}: ${error.message}`
    throw error
  }
}
