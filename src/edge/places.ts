//! The places of the network that this worker, like every other of the installation, stands for: edge locations, regional
//! edge caches and origin shields. Each is a cache of its own: its name begins the keys of what it keeps, so that store,
//! disk, fetches under way, failures and owners are apart without knowing of places. One memory serves all of them.
import { createHash } from 'node:crypto'
import type { RegionalDoc, Topology } from '../domain/topology.ts'

export interface Place {
  readonly kind: 'pop' | 'regional'
  /** `FRA50-C1`, `REC-eu-central-1`. */
  readonly name: string
  readonly region: string
  /** `<hash>.cloudfront.net (CloudFront)`: what follows the protocol version in Via. */
  readonly via: string
  /** What the keys of its objects begin with; empty for the POP of a network of one. */
  readonly keyPrefix: string
  /** The regional edge cache that it asks; null for none. */
  readonly regional: Place | null
}

export interface Places {
  /** By their number, which a listener gives its connections. At least one. */
  readonly pops: readonly Place[]
  /** A POP or regional edge cache by its name. */
  named(name: string): Place | undefined
  /** The regional edge cache of a region, which is there as soon as it is asked for: an origin shield need not be one of the topology. */
  regionalIn(region: string): Place
}

export function placesOf(topology: Topology): Places {
  const named = new Map<string, Place>()
  const byRegion = new Map<string, Place>()
  const add = ({ name, region }: RegionalDoc): Place => {
    const place: Place = { kind: 'regional', name, region, via: viaOf(name), keyPrefix: `${name} `, regional: null }
    named.set(name, place)
    if (!byRegion.has(region)) byRegion.set(region, place)
    return place
  }
  for (const regional of topology.regionals) add(regional)
  const several = topology.pops.length > 1
  const pops = topology.pops.map(({ name, region, regional }): Place => {
    const place: Place = {
      kind: 'pop',
      name,
      region,
      via: viaOf(name),
      keyPrefix: several ? `${name} ` : '',
      regional: regional === null ? null : (named.get(regional) ?? null),
    }
    named.set(name, place)
    return place
  })
  const regionalIn = (region: string): Place => byRegion.get(region) ?? add({ name: regionalName(region), region })
  return {
    pops,
    // What another worker calls so is there, whether this one has asked it for anything yet or not.
    named: (name) =>
      named.get(name) ?? (name.startsWith(REGIONAL) ? regionalIn(name.slice(REGIONAL.length)) : undefined),
    regionalIn,
  }
}

/** Of a regional edge cache that has no other name. */
export const regionalName = (region: string): string => `${REGIONAL}${region}`
const REGIONAL = 'REC-'

/** The same at all workers, so that what they store is the same too. */
const viaOf = (name: string): string =>
  `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.cloudfront.net (CloudFront)`
