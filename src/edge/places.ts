//! The places of the network that this worker, like every other of the installation, stands for: edge locations, regional
//! edge caches and origin shields. Each is a cache of its own: its name begins the keys of what it keeps, so that store,
//! disk, fetches under way, failures and owners are apart without knowing of places. One memory serves all of them.
import { createHash } from 'node:crypto'
import type { Layer } from '../domain/outcomes.ts'
import { isRegionalName, type RegionalDoc, regionalName, regionOfRegional, type Topology } from '../domain/topology.ts'
import type { SliceAsked } from './cache/slices.ts'

export interface Place {
  /** What it is to who asks it. A regional edge cache is the origin shield to those whose own it is not. */
  readonly layer: Layer
  /** `FRA50-C1`, `REC-eu-central-1`. */
  readonly name: string
  readonly region: string
  /** `<hash>.cloudfront.net (CloudFront)`: what follows the protocol version in Via. */
  readonly via: string
  /** What the keys of its objects begin with; empty for the POP of a network of one. */
  readonly keyPrefix: string
  /** As of RegionalDoc. */
  readonly everywhere: boolean
  /** Of a POP: the regional edge cache that it asks; null for none. */
  readonly regional: Place | null
}

export interface Places {
  /** By their number, which a listener gives its connections. At least one. */
  readonly pops: readonly Place[]
  /** A POP or regional edge cache by its name, as what it is asked. */
  named(name: string, layer?: Layer): Place | undefined
  /** The regional edge cache of a region as an origin shield; one that is not of the topology is there when it is asked. */
  shieldIn(region: string): Place
}

export function placesOf(topology: Topology): Places {
  const named = new Map<string, Place>()
  const shields = new Map<string, Place>()
  const add = ({ name, region, everywhere }: RegionalDoc): Place => {
    const own = { name, region, via: viaOf(name), keyPrefix: `${name} `, everywhere: everywhere === true }
    const place = { layer: 'REC', ...own, regional: null } as const
    const shield: Place = { ...place, layer: 'Origin Shield' }
    named.set(name, place)
    if (!shields.has(region)) shields.set(region, shield)
    return shield
  }
  for (const regional of topology.regionals) add(regional)
  const several = topology.pops.length > 1
  const pops = topology.pops.map(({ name, region, regional }): Place => {
    const keyPrefix = several ? `${name} ` : ''
    const asked = regional === null ? null : (named.get(regional) ?? null)
    return { layer: 'EDGE', name, region, via: viaOf(name), keyPrefix, everywhere: false, regional: asked }
  })
  for (const pop of pops) named.set(pop.name, pop)
  const shieldIn = (region: string): Place => shields.get(region) ?? add({ name: regionalName(region), region })
  return {
    pops,
    named(name, layer) {
      // What another worker calls so is there, whether this one has asked it for anything yet or not.
      const place = named.get(name) ?? (isRegionalName(name) ? shieldIn(regionOfRegional(name)) : undefined)
      return place !== undefined && layer === 'Origin Shield' ? shields.get(place.region) : place
    },
    shieldIn,
  }
}

/** The same at all workers, so that what they store is the same too. */
const viaOf = (name: string): string =>
  `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.cloudfront.net (CloudFront)`

/** What a key of one place is at another. */
const moved = (key: string, from: Place, to: Place): string =>
  from.keyPrefix === to.keyPrefix ? key : to.keyPrefix + key.slice(from.keyPrefix.length)

/** The key that `x` has at that place. */
export const keyAt = (place: Place, x: { readonly key: string; readonly place: Place }): string =>
  moved(x.key, x.place, place)

/** The slice that `x` asks for, as that place has it. */
export function sliceAt(
  place: Place,
  { slice, place: from }: { readonly slice: SliceAsked | null; readonly place: Place },
): SliceAsked | null {
  if (slice === null || from.keyPrefix === place.keyPrefix) return slice
  return { at: slice.at, of: { ...slice.of, key: moved(slice.of.key, from, place) } }
}
