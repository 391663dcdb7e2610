//! What AWS refuses in an origin group (spec/cloudfront.md 2.4, 7.5). That counts agree with lists is checked with the
//! wire's shape (InconsistentQuantities).
import type { OriginGroup } from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { QUOTAS, type Quotas } from '../../domain/quotas.ts'

/** 429 is in newer texts of AWS only (unconfirmed). */
const STATUS_CODES: readonly number[] = [400, 403, 404, 416, 429, 500, 502, 503, 504]
const SELECTION_CRITERIA: readonly string[] = ['default', 'media-quality-based']
const MEMBERS = 2

/**
 * `originIds` are those of the distribution. An id names an origin or a group, never both: behaviors name either.
 * @throws the fault of the first thing that is wrong.
 */
export function checkOriginGroups(
  groups: readonly OriginGroup[],
  originIds: ReadonlySet<string>,
  quotas: Quotas,
): void {
  if (groups.length > quotas.originGroupsPerDistribution) {
    throw cloudfrontFault(
      'TooManyOriginGroupsPerDistribution',
      `A distribution has at most ${quotas.originGroupsPerDistribution} origin groups.`,
    )
  }
  const ids = new Set<string>()
  for (const [at, group] of groups.entries()) {
    const path = `OriginGroups.Items[${at}]`
    const { Id: id = '' } = group
    if (id === '' || id.length > QUOTAS.originIdChars) {
      throw invalidArgument(`${path}.Id`, `it has 1 to ${QUOTAS.originIdChars} characters`)
    }
    if (ids.has(id) || originIds.has(id)) {
      throw invalidArgument(`${path}.Id`, `${quoted(id)} is given twice, to groups or to a group and an origin`)
    }
    ids.add(id)
    checkStatusCodes(group, path)
    checkMembers(group, path, originIds)
    if (!SELECTION_CRITERIA.includes(group.SelectionCriteria ?? 'default')) {
      throw invalidArgument(`${path}.SelectionCriteria`, `it is one of ${SELECTION_CRITERIA.join(', ')}`)
    }
  }
}

function checkStatusCodes({ FailoverCriteria }: OriginGroup, path: string): void {
  const codes = FailoverCriteria?.StatusCodes?.Items ?? []
  const field = `${path}.FailoverCriteria.StatusCodes`
  if (codes.length === 0) throw invalidArgument(field, 'a group fails over on at least one status code')
  const strange = codes.find((code) => !STATUS_CODES.includes(code))
  if (strange !== undefined) throw invalidArgument(field, `${strange} is not one of ${STATUS_CODES.join(', ')}`)
  if (new Set(codes).size < codes.length) throw invalidArgument(field, 'a status code is given twice')
}

/** That a number of members, or a member that is no origin, is an InvalidOrigin is (unconfirmed). */
function checkMembers({ Members }: OriginGroup, path: string, originIds: ReadonlySet<string>): void {
  const members = (Members?.Items ?? []).map((member) => member.OriginId ?? '')
  const field = `${path}.Members`
  if (members.length !== MEMBERS) {
    throw cloudfrontFault(
      'InvalidOrigin',
      `${field}: an origin group has exactly ${MEMBERS} members, a primary and a secondary; it has ${members.length}.`,
    )
  }
  const missing = members.find((id) => !originIds.has(id))
  if (missing !== undefined) {
    throw cloudfrontFault(
      'NoSuchOrigin',
      `${field}: ${quoted(missing)} is not the Id of an origin of this distribution.`,
    )
  }
  if (members[0] === members[1]) {
    throw cloudfrontFault('InvalidOrigin', `${field}: ${quoted(members[0] as string)} cannot stand in for itself.`)
  }
}
