//! The network that an installation stands for: edge locations (POPs) with the regional edge cache that each asks
//! (spec/cloudfront.md 3.1 step 14). A topology is made from the settings once (src/config-topology.ts) and given to
//! every worker. PURE.
import type { DistributionDoc } from './distribution.ts'
import { bandOf, type PriceBand, REGIONS } from './regions.ts'

/** An edge location. */
export interface PopDoc {
  /** `FRA50-C1`: letters, digits and hyphens; unique among POPs and regional edge caches. */
  readonly name: string
  /** `eu-central-1` */
  readonly region: string
  /** Name of the regional edge cache that it asks; null when it asks the origin (or its shield) itself. */
  readonly regional: string | null
  /** Degrees, north and east positive; absent where nobody knows. */
  readonly latitude?: number
  readonly longitude?: number
}

/** A regional edge cache; an origin shield is the one in the region that the origin names (spec 7.6). */
export interface RegionalDoc {
  /** `REC-eu-central-1` */
  readonly name: string
  readonly region: string
  /**
   * It stands for the regional edge caches of all regions, as a network that was asked for by its size has it: no origin
   * lies in "its own region". Absent for one that the operator named.
   */
  readonly everywhere?: true
}

export interface Topology {
  /** At least one; the number of a POP is its place in this list. */
  readonly pops: readonly PopDoc[]
  readonly regionals: readonly RegionalDoc[]
}

/** POPs of a network that is asked for by its size. */
export const POPS_MAX = 32

/** Of a regional edge cache that has no other name. */
export const regionalName = (region: string): string => `${REGIONAL}${region}`
export const isRegionalName = (name: string): boolean => name.startsWith(REGIONAL)
export const regionOfRegional = (name: string): string => name.slice(REGIONAL.length)
const REGIONAL = 'REC-'

/**
 * So many POPs (1 to POPS_MAX) in regions of their own, the first in `home`, all behind one regional edge cache there, so
 * that they cost an origin one fetch together. One POP has none: it would be a second cache of the same.
 */
export function topologyOf(pops: number, home: string): Topology {
  const regions = [home, ...Object.keys(REGIONS).filter((region) => region !== home)].slice(0, pops)
  const regional: RegionalDoc = { name: regionalName(home), region: home, everywhere: true }
  return {
    pops: regions.map((region) => popIn(region, pops > 1 ? regional.name : null)),
    regionals: pops > 1 ? [regional] : [],
  }
}

/** A POP of the usual name in a region; one that no map has is LOC, a place of its own. */
export function popIn(region: string, regional: string | null): PopDoc {
  const place = REGIONS[region]
  return {
    name: `${place?.airport ?? 'LOC'}50-C1`,
    region,
    regional,
    ...(place === undefined ? {} : { latitude: place.latitude, longitude: place.longitude }),
  }
}

const BANDS_OF: Readonly<Record<string, readonly PriceBand[]>> = {
  PriceClass_100: ['100'],
  PriceClass_200: ['100', '200'],
}

/** True when a price class has the POPs of a region. */
export const hasPopsIn = (priceClass: string, region: string): boolean =>
  BANDS_OF[priceClass]?.includes(bandOf(region)) ?? true

/**
 * The POPs that the names of a distribution lead to, in the order of the topology, and whether over IPv6 too. A price
 * class decides where viewers are sent, not what is served: who comes to another POP all the same has an answer (AWS
 * leaves out the edge locations in DNS). A distribution whose price class has no POP of this network has all of them:
 * it must be reachable.
 */
export function popsFor(
  { priceClass = 'PriceClass_All', ipv6 = false }: Pick<DistributionDoc, 'priceClass' | 'ipv6'>,
  { pops }: Topology,
): { readonly pops: readonly PopDoc[]; readonly ipv6: boolean } {
  const chosen = pops.filter(({ region }) => hasPopsIn(priceClass, region))
  return { pops: chosen.length > 0 ? chosen : pops, ipv6 }
}
