//! The zone as this worker knows it: its POPs with the addresses that viewers can reach them at, and where askers are.
import { networkInterfaces } from 'node:os'
import { centreOf } from '../../domain/country-centres.ts'
import type { Coordinates } from '../../domain/distance.ts'
import type { Topology } from '../../domain/topology.ts'
import type { GeoLookup } from '../geo/geo.ts'
import type { PopAddresses } from '../listeners.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { Answering } from './message.ts'
import type { DnsListen } from './server.ts'
import { answerOf, type HostAddresses, type Zone } from './zone.ts'

export interface ZoneParts {
  readonly edgeDomain: string
  readonly topology: Topology
  readonly pops: readonly PopAddresses[]
  readonly listen: DnsListen
  readonly geo: GeoLookup
  /** As it is when a question comes. */
  readonly snapshot: () => Snapshot
}

export function answeringFor({ edgeDomain, topology, pops, listen, geo, snapshot }: ZoneParts): Answering {
  const zone: Zone = {
    edgeDomain,
    topology,
    addresses: new Map(
      pops.map(({ name, http, ipv6 }) => [name, reachable([http.host, ...(ipv6 === null ? [] : [ipv6.host])])]),
    ),
    server: reachable([listen.host]),
  }
  return {
    zone,
    locate: (address) => coordinatesOf(geo, address),
    answer: (question, client) => answerOf(question, client, snapshot(), zone),
  }
}

function coordinatesOf(geo: GeoLookup, address: string): Coordinates | null {
  const { country, latitude, longitude } = geo.find(address)
  if (latitude !== '' && longitude !== '') return { latitude: Number(latitude), longitude: Number(longitude) }
  return country === '' ? null : centreOf(country)
}

/** Where a listener on these hosts is reached: on every address of this machine when it listens on all. */
function reachable(hosts: readonly string[]): HostAddresses {
  const all = hosts.flatMap((host) =>
    host === '0.0.0.0' ? ownAddresses('IPv4') : host === '::' ? ownAddresses('both') : [host],
  )
  return { v4: all.filter((address) => !address.includes(':')), v6: all.filter((address) => address.includes(':')) }
}

/** Those that others can reach; of a machine that has none, loopback. */
function ownAddresses(family: 'IPv4' | 'both'): readonly string[] {
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(
      (entry) => (family === 'both' || entry.family === 'IPv4') && !/^(?:fe[89ab]|169\.254\.)/i.test(entry.address),
    )
  const outside = own.filter(({ internal }) => !internal)
  return (outside.length > 0 ? outside : own).map(({ address }) => address)
}
