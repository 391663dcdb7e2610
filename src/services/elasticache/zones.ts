//! Availability zones. They are labels: all nodes of this installation run on one host. Which node has which is checked,
//! stored, shown and spread as AWS does it; that the zones fail apart is what one host cannot promise (docs/changes.md).
import type { CacheSubnetGroupRecord } from '../../domain/cluster.ts'
import { invalidValue } from '../../domain/elasticache-faults.ts'

const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f'] as const
/** Zones that nodes are spread over when a request names none. */
export const SPREAD_ZONES = 3

/** @throws InvalidParameterValue when it is not a zone of the region. */
export function zone(region: string, name: string): string {
  const letter = name.slice(region.length)
  if (name.startsWith(region) && (LETTERS as readonly string[]).includes(letter)) return name
  throw invalidValue(
    `The availability zone ${name.slice(0, 40)} is not one of ${region}: ${LETTERS.map((l) => region + l).join(', ')}.`,
  )
}

/** The zone that node, or subnet, `at` (0, 1, ...) gets by itself. */
export const spreadZone = (region: string, at: number): string => region + (LETTERS[at % SPREAD_ZONES] ?? 'a')

/** The zones that nodes with this subnet group may be in by themselves: those of its subnets. */
export function subnetZones(region: string, group: Pick<CacheSubnetGroupRecord, 'subnetIds'>): string[] {
  return [...new Set(group.subnetIds.map((_, at) => spreadZone(region, at)))]
}

/**
 * A zone that a request names for a node of this subnet group. The default one has a subnet in every zone, as AWS's has.
 * @throws InvalidParameterValue for no zone of the region, and for one where the group has no subnet
 */
export function zoneWithin(
  region: string,
  group: Pick<CacheSubnetGroupRecord, 'name' | 'subnetIds'>,
  name: string,
): string {
  const found = zone(region, name)
  if (group.name === 'default' || subnetZones(region, group).includes(found)) return found
  throw invalidValue(
    `The subnet group ${group.name} has no subnet in ${found}; it has some in ${subnetZones(region, group).join(', ')}.`,
  )
}

/** Zones of `count` more nodes beside those in `taken`: each goes where there are fewest, the first of several alike. */
export function spreadOver(zones: readonly string[], taken: readonly string[], count: number): string[] {
  const all = [...taken]
  const nodesIn = (one: string): number => all.filter((name) => name === one).length
  for (let more = 0; more < count; more++) {
    const next = zones.reduce((best, one) => (nodesIn(one) < nodesIn(best) ? one : best))
    all.push(next)
  }
  return all.slice(taken.length)
}
