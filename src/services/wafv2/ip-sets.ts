//! IP sets: create, read, replace, delete, list.
import type {
  CreateIPSetRequest,
  CreateIPSetResponse,
  DeleteIPSetRequest,
  GetIPSetRequest,
  GetIPSetResponse,
  IPSet,
  ListIPSetsRequest,
  ListIPSetsResponse,
  UpdateIPSetRequest,
  UpdateIPSetResponse,
} from '@aws-sdk/client-wafv2'
import { type AddressVersion, normalCidr } from '../../domain/waf/cidr.ts'
import { invalidParameter } from '../../domain/waf/faults.ts'
import { WAF_LIMITS } from '../../domain/waf/limits.ts'
import type { Operation } from '../service.ts'
import { overLimit } from './refusals.ts'
import { add, find, findLocked, pageOf, remove, replace, requireUnused, summaryOf } from './resources.ts'
import { requireScope } from './scope.ts'
import { shown } from './stored-shape.ts'
import { rulesThatName } from './users.ts'

/** In their normal form, each once. @throws WAFInvalidParameterException, WAFLimitsExceededException */
function normalAddresses(given: readonly string[] | undefined, version: AddressVersion): string[] {
  const addresses = given ?? []
  if (addresses.length > WAF_LIMITS.addressesPerIpSet) {
    throw overLimit('addresses of an IP set', WAF_LIMITS.addressesPerIpSet)
  }
  const normal = addresses.map((text) => {
    const range = normalCidr(text, version)
    if (range !== null) return range
    const example =
      version === 'IPV4' ? '192.0.2.44/32, with a prefix of 1 to 32' : '2001:db8::/32, with a prefix of 1 to 128'
    throw invalidParameter('IP_ADDRESS', text, `It is no range of ${version} in CIDR notation, such as ${example}.`)
  })
  return [...new Set(normal)]
}

export const createIPSet: Operation<CreateIPSetRequest, CreateIPSetResponse> = async (input, context) => {
  requireScope(input.Scope)
  const version = input.IPAddressVersion ?? 'IPV4'
  const addresses = normalAddresses(input.Addresses, version)
  const record = await context.state.transact((tx) =>
    add(tx, 'ip-set', input, context, (identity) => ({
      ...identity,
      set: {
        Name: identity.name,
        Id: identity.id,
        ARN: identity.arn,
        Description: input.Description ?? '',
        IPAddressVersion: version,
        Addresses: addresses,
      },
    })),
  )
  return { Summary: summaryOf(record, record.set) }
}

export const getIPSet: Operation<GetIPSetRequest, GetIPSetResponse> = async (input, context) => {
  const record = await find(context.state, 'ip-set', input, context)
  return { IPSet: shown<IPSet>(record.set), LockToken: record.lockToken }
}

/** A full replacement; only the version of its addresses stays. */
export const updateIPSet: Operation<UpdateIPSetRequest, UpdateIPSetResponse> = async (input, context) => {
  const NextLockToken = await context.state.transact(async (tx) => {
    const record = await findLocked(tx, 'ip-set', input, context)
    const addresses = normalAddresses(input.Addresses, record.set.IPAddressVersion)
    const set = { ...record.set, Description: input.Description ?? '', Addresses: addresses }
    return replace(tx, 'ip-set', { ...record, set })
  })
  return { NextLockToken }
}

export const deleteIPSet: Operation<DeleteIPSetRequest, object> = async (input, context) => {
  await context.state.transact(async (tx) => {
    const { arn } = await findLocked(tx, 'ip-set', input, context)
    requireUnused(arn, await rulesThatName(tx, arn))
    await remove(tx, 'ip-set', arn)
  })
  return {}
}

export const listIPSets: Operation<ListIPSetsRequest, ListIPSetsResponse> = async (input, { state }) => {
  const { records, next } = await pageOf(state, 'ip-set', input)
  return { ...next, IPSets: records.map((record) => summaryOf(record, record.set)) }
}
