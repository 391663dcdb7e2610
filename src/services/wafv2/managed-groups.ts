//! Managed rule groups, as domain/waf/managed-groups.ts has them.
import type {
  DescribeAllManagedProductsRequest,
  DescribeAllManagedProductsResponse,
  DescribeManagedProductsByVendorRequest,
  DescribeManagedProductsByVendorResponse,
  DescribeManagedRuleGroupRequest,
  DescribeManagedRuleGroupResponse,
  ListAvailableManagedRuleGroupsRequest,
  ListAvailableManagedRuleGroupsResponse,
  ListAvailableManagedRuleGroupVersionsRequest,
  ListAvailableManagedRuleGroupVersionsResponse,
  ManagedProductDescriptor,
} from '@aws-sdk/client-wafv2'
import { notImplemented } from '../../domain/faults.ts'
import { invalidParameter, wafFault } from '../../domain/waf/faults.ts'
import {
  MANAGED_RULE_GROUPS,
  type ManagedRuleGroup,
  MISSING_RULE_GROUPS,
  managedRuleGroup,
} from '../../domain/waf/managed-groups.ts'
import type { Operation } from '../service.ts'
import { page } from './paging.ts'
import { requireScope } from './scope.ts'

const keyOf = ({ vendor, name }: ManagedRuleGroup): string => `${vendor} ${name}`

const SORTED: readonly ManagedRuleGroup[] = MANAGED_RULE_GROUPS.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))

/** @throws WAFNonexistentItemException; NotImplemented (501) for one that AWS has and that is not built */
export function requireGroup(vendor: string | undefined, name: string | undefined): ManagedRuleGroup {
  const group = managedRuleGroup(vendor ?? '', name ?? '')
  if (group !== undefined) return group
  const why = vendor === 'AWS' && name !== undefined ? MISSING_RULE_GROUPS[name] : undefined
  if (why !== undefined) throw notImplemented(`The managed rule group ${name} (${why})`)
  const shown = `${(vendor ?? '').slice(0, 100)} ${(name ?? '').slice(0, 100)}`
  throw wafFault(
    'WAFNonexistentItemException',
    `AWS WAF couldn't perform the operation because your resource doesn't exist: there is no managed rule group ${shown} here.`,
  )
}

export const listAvailableManagedRuleGroups: Operation<
  ListAvailableManagedRuleGroupsRequest,
  ListAvailableManagedRuleGroupsResponse
> = async (input) => {
  requireScope(input.Scope)
  const { items, next } = page(SORTED, keyOf, input)
  return {
    ...next,
    ManagedRuleGroups: items.map(({ vendor, name, description, versions }) => ({
      VendorName: vendor,
      Name: name,
      VersioningSupported: versions.length > 0,
      Description: description,
    })),
  }
}

export const listAvailableManagedRuleGroupVersions: Operation<
  ListAvailableManagedRuleGroupVersionsRequest,
  ListAvailableManagedRuleGroupVersionsResponse
> = async (input) => {
  requireScope(input.Scope)
  const { versions } = requireGroup(input.VendorName, input.Name)
  const sorted = versions.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const { items, next } = page(sorted, ({ name }) => name, input)
  const [newest] = versions
  return {
    ...next,
    Versions: items.map(({ name, updated }) => ({ Name: name, LastUpdateTimestamp: new Date(updated) })),
    ...(newest === undefined ? {} : { CurrentDefaultVersion: newest.name }),
  }
}

export const describeManagedRuleGroup: Operation<
  DescribeManagedRuleGroupRequest,
  DescribeManagedRuleGroupResponse
> = async (input) => {
  requireScope(input.Scope)
  const group = requireGroup(input.VendorName, input.Name)
  const version = versionOf(group, input.VersionName)
  return {
    ...(version === undefined ? {} : { VersionName: version }),
    Capacity: group.capacity,
    Rules: group.rules.map(({ name, action }) => ({ Name: name, Action: { [action]: {} } })),
    LabelNamespace: group.labelNamespace,
    AvailableLabels: [...new Set(group.rules.flatMap(({ labels }) => labels))].map((Name) => ({ Name })),
    ConsumedLabels: [],
  }
}

/** The newest for none. @throws WAFInvalidParameterException for one that the group does not have */
export function versionOf({ versions, name }: ManagedRuleGroup, wanted: string | undefined): string | undefined {
  if (wanted === undefined) return versions[0]?.name
  if (versions.some((version) => version.name === wanted)) return wanted
  throw invalidParameter('MANAGED_RULE_SET_STATEMENT', wanted, `The managed rule group ${name} has no such version.`)
}

const products = (groups: readonly ManagedRuleGroup[]): ManagedProductDescriptor[] =>
  groups.map(({ vendor, name, description, versions }) => ({
    VendorName: vendor,
    ManagedRuleSetName: name,
    ProductTitle: name,
    ProductDescription: description,
    IsVersioningSupported: versions.length > 0,
    IsAdvancedManagedRuleSet: false,
  }))

export const describeAllManagedProducts: Operation<
  DescribeAllManagedProductsRequest,
  DescribeAllManagedProductsResponse
> = async (input) => {
  requireScope(input.Scope)
  return { ManagedProducts: products(SORTED) }
}

export const describeManagedProductsByVendor: Operation<
  DescribeManagedProductsByVendorRequest,
  DescribeManagedProductsByVendorResponse
> = async (input) => {
  requireScope(input.Scope)
  return { ManagedProducts: products(SORTED.filter(({ vendor }) => vendor === input.VendorName)) }
}
