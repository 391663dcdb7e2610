//! What a name of the edge leads to (spec/cloudfront.md 13.6; issue: nearest live POP). PURE: names and POPs in, an answer
//! out. The zone is the edge domain; of other names only aliases are answered.
import { CHALLENGE_LABEL, challengeTexts } from '../../domain/challenge.ts'
import { type Coordinates, distanceKm } from '../../domain/distance.ts'
import { type PopDoc, popsFor, type Topology } from '../../domain/topology.ts'
import { type DistributionPlan, distributionOf, type Snapshot } from '../snapshot/snapshot.ts'

/** Seconds that resolvers keep an answer; the shorter while a POP is down. */
export const TTL_SECONDS = 60
export const TTL_DEGRADED_SECONDS = 10

/** Addresses of a POP, or of the name server itself. */
export interface HostAddresses {
  readonly v4: readonly string[]
  readonly v6: readonly string[]
}

export interface Zone {
  /** Lower case, without a final dot. */
  readonly edgeDomain: string
  readonly topology: Topology
  /** By name of the POP. */
  readonly addresses: ReadonlyMap<string, HostAddresses>
  /** Of `ns.<edge domain>`. */
  readonly server: HostAddresses
}

export interface Question {
  readonly name: string
  /** `A`, `AAAA`, `SOA`, ... */
  readonly type: string
}

export type ZoneRecord =
  | { readonly type: 'A' | 'AAAA' | 'TXT'; readonly data: string }
  | { readonly type: 'SOA' | 'NS' }
  /** To ANY: a name has something, and no more is said (RFC 8482 4.2). */
  | { readonly type: 'HINFO' }

export interface ZoneAnswer {
  readonly rcode: 'NOERROR' | 'NXDOMAIN' | 'REFUSED' | 'SERVFAIL'
  readonly answers: readonly ZoneRecord[]
  /** No data, or no such name: the SOA says for how long that holds. */
  readonly negative: boolean
  readonly ttl: number
  /** Who asks from elsewhere may get another answer. */
  readonly varies: boolean
  /** The POP that was chosen; empty for none. */
  readonly pop: string
}

/** `client`: where the asker is; null when nobody knows. */
export function answerOf(
  { name, type }: Question,
  client: Coordinates | null,
  snapshot: Pick<Snapshot, 'exactHosts' | 'wildcardHosts' | 'down' | 'challenges'>,
  zone: Zone,
): ZoneAnswer {
  const lower = name.toLowerCase().replace(/\.$/, '')
  const ttl = zone.topology.pops.some((pop) => snapshot.down.has(pop.name)) ? TTL_DEGRADED_SECONDS : TTL_SECONDS
  const plain = { ttl, varies: false, pop: '' } as const
  const own = (answers: readonly ZoneRecord[]): ZoneAnswer => ({
    ...{ ...plain, rcode: 'NOERROR', answers, negative: answers.length === 0 },
  })
  if (lower === zone.edgeDomain) {
    return own(type === 'SOA' || type === 'NS' ? [{ type }] : type === 'ANY' ? [{ type: 'HINFO' }] : [])
  }
  if (lower === `ns.${zone.edgeDomain}`) return own(recordsOf(zone.server, type, true))
  const texts = snapshot.challenges.size === 0 ? [] : textsAt(lower, snapshot, zone)
  if (texts.length > 0) {
    const records =
      type === 'TXT' ? texts.map((data) => ({ type: 'TXT' as const, data })) : recordsOf(NO_ADDRESSES, type, true)
    // Nobody keeps it: the next authorization has another text.
    return { ...own(records), ttl: 0 }
  }
  const plan = distributionOf(snapshot as Snapshot, lower)
  if (plan !== undefined) return ofDistribution(plan, type, client, snapshot, zone, ttl)
  if (lower.endsWith(`.${zone.edgeDomain}`)) return { ...plain, rcode: 'NXDOMAIN', answers: [], negative: true }
  return { ...plain, rcode: 'REFUSED', answers: [], negative: false }
}

/**
 * What an ACME server looks for: at `_acme-challenge.NAME`, and at the same name below the edge domain, where a CNAME in
 * the zone of NAME may lead to, put there once and for all renewals.
 */
function textsAt(name: string, { challenges }: Pick<Snapshot, 'challenges'>, { edgeDomain }: Zone): readonly string[] {
  if (!name.startsWith(CHALLENGE_LABEL)) return []
  const proven = name.slice(CHALLENGE_LABEL.length)
  const texts = challengeTexts(challenges, proven)
  const isBelow = texts.length === 0 && proven.endsWith(`.${edgeDomain}`)
  return isBelow ? challengeTexts(challenges, proven.slice(0, -edgeDomain.length - 1)) : texts
}

function ofDistribution(
  { doc }: DistributionPlan,
  type: string,
  client: Coordinates | null,
  { down }: Pick<Snapshot, 'down'>,
  { topology, addresses }: Zone,
  ttl: number,
): ZoneAnswer {
  const own = doc.dedicatedAddress
  if (own !== undefined) {
    // As viewers of IPv4 alone reach a POP of IPv4 alone: one kind of address, and no data for the other.
    const v6 = own.includes(':')
    const answers = recordsOf(v6 ? { v4: [], v6: [own] } : { v4: [own], v6: [] }, type, true)
    return {
      rcode: 'NOERROR',
      answers,
      negative: answers.length === 0,
      ttl,
      varies: false,
      pop: topology.pops[0]?.name ?? '',
    }
  }
  const { pops, ipv6 } = popsFor(doc, topology)
  const isUp = ({ name }: PopDoc): boolean => !down.has(name)
  // Where all POPs of the price class are down, one of another answers: to be served beats to be served cheaply.
  const live = pops.some(isUp) ? pops.filter(isUp) : topology.pops.filter(isUp)
  const [chosen] = nearestFirst(live, client)
  if (chosen === undefined) return { rcode: 'SERVFAIL', answers: [], negative: false, ttl, varies: false, pop: '' }
  const answers = recordsOf(addresses.get(chosen.name) ?? NO_ADDRESSES, type, ipv6)
  return { rcode: 'NOERROR', answers, negative: answers.length === 0, ttl, varies: live.length > 1, pop: chosen.name }
}

const NO_ADDRESSES: HostAddresses = { v4: [], v6: [] }

function recordsOf({ v4, v6 }: HostAddresses, type: string, ipv6: boolean): readonly ZoneRecord[] {
  switch (type) {
    case 'A':
      return v4.map((data) => ({ type, data }))
    case 'AAAA':
      return ipv6 ? v6.map((data) => ({ type, data })) : []
    case 'ANY':
      return [{ type: 'HINFO' }]
    default:
      return []
  }
}

/** In the order of their distance; those of which it is not known, and all for a client of whom it is not, keep theirs. */
export function nearestFirst(pops: readonly PopDoc[], client: Coordinates | null): readonly PopDoc[] {
  if (client === null) return pops
  const far = new Map(pops.map((pop) => [pop, distanceTo(pop, client)]))
  return [...pops].sort((one, other) => (far.get(one) as number) - (far.get(other) as number))
}

/** No distance is like this one; not infinite, so that two of them can be compared. */
const FAR_KM = 1e9

const distanceTo = ({ latitude, longitude }: PopDoc, client: Coordinates): number =>
  latitude === undefined || longitude === undefined ? FAR_KM : distanceKm({ latitude, longitude }, client)
