//! The network of POPs as the settings have it: by its size (`--pops`), or named piece by piece in the config file's
//! `topology` (docs/tiers.md).
import { ConfigError, type ListenAddress, listenAddress, region } from './config-values.ts'
import {
  POPS_MAX,
  type PopDoc,
  popIn,
  type RegionalDoc,
  regionalName,
  type Topology,
  topologyOf,
} from './domain/topology.ts'

/** A POP with the addresses that it was given. */
export interface PopSettings extends PopDoc {
  /** Null: its number is added to that of the edge (docs/tiers.md). */
  readonly http: ListenAddress | null
  /** Likewise, where the edge listens for HTTPS at all. */
  readonly https: ListenAddress | null
  /** A further address, of IPv6; null for none. */
  readonly ipv6: ListenAddress | null
  /** The same over HTTPS; null: that address at the port of `https`. */
  readonly ipv6Https: ListenAddress | null
}

export interface Network extends Topology {
  readonly pops: readonly PopSettings[]
}

/** @throws ConfigError when the regional edge cache has the name of a POP */
export function networkOf(pops: number, home: string): Network {
  const topology = topologyOf(pops, home)
  return {
    ...topology,
    pops: topology.pops.map((pop) => ({ ...pop, http: null, https: null, ipv6: null, ipv6Https: null })),
  }
}

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?$/

type Fields = Readonly<Record<string, unknown>>

/** `where` names the setting in messages. @throws ConfigError with one line for a person */
export function readTopology(value: unknown, where: string): Network {
  const { pops, regionals = [], ...rest } = fieldsOf(value, where)
  refuseOthers(rest, where, 'pops and regionals')
  const places = listOf(regionals, `regionals in ${where}`).map((one, at) =>
    readRegional(one, `regionals[${at}] in ${where}`),
  )
  const list = listOf(pops, `pops in ${where}`)
  if (list.length < 1 || list.length > POPS_MAX) {
    throw new ConfigError(`pops in ${where} must name 1 to ${POPS_MAX} POPs, like {"region": "eu-central-1"}.`)
  }
  const read = list.map((one, at) => readPop(one, places, `pops[${at}] in ${where}`))
  const names = new Set<string>()
  for (const { name } of [...read, ...places]) {
    if (names.has(name))
      throw new ConfigError(`${where} has two places of the name ${name}: each needs one of its own.`)
    names.add(name)
  }
  return { pops: read, regionals: places }
}

function readRegional(value: unknown, where: string): RegionalDoc {
  const { name, region: place, ...rest } = fieldsOf(value, where)
  refuseOthers(rest, where, 'name and region')
  const inRegion = region(textOf(place, `region of ${where}`), `region of ${where}`)
  return { name: name === undefined ? regionalName(inRegion) : nameOf(name, where), region: inRegion }
}

function readPop(value: unknown, regionals: readonly RegionalDoc[], where: string): PopSettings {
  const {
    name,
    region: place,
    regional,
    http,
    https,
    ipv6,
    ipv6Https,
    latitude,
    longitude,
    ...rest
  } = fieldsOf(value, where)
  refuseOthers(rest, where, 'name, region, regional, http, https, ipv6, ipv6Https, latitude and longitude')
  const inRegion = region(textOf(place, `region of ${where}`), `region of ${where}`)
  const asked = regionals.find((one) => one.name === regional)
  if (regional !== undefined && asked === undefined) {
    const known = regionals.map((one) => one.name).join(', ')
    throw new ConfigError(
      `regional of ${where} is ${JSON.stringify(regional)}: it must be one of regionals (${known || 'there are none'}).`,
    )
  }
  const usual = popIn(inRegion, asked?.name ?? null)
  const six = ipv6 === undefined ? null : ipv6Address(ipv6, `ipv6 of ${where}`)
  const secureSix = ipv6Https === undefined ? null : ipv6Address(ipv6Https, `ipv6Https of ${where}`)
  return {
    ...usual,
    name: name === undefined ? usual.name : nameOf(name, where),
    ...(latitude === undefined ? {} : { latitude: degrees(latitude, 90, `latitude of ${where}`) }),
    ...(longitude === undefined ? {} : { longitude: degrees(longitude, 180, `longitude of ${where}`) }),
    http: http === undefined ? null : listenAddress(textOf(http, `http of ${where}`), `http of ${where}`),
    https: https === undefined ? null : listenAddress(textOf(https, `https of ${where}`), `https of ${where}`),
    ipv6: six,
    ipv6Https: secureSix,
  }
}

function ipv6Address(value: unknown, where: string): ListenAddress {
  const address = listenAddress(textOf(value, where), where)
  if (address.host.includes(':')) return address
  throw new ConfigError(`${where} is ${JSON.stringify(value)}: it must be [IPV6]:PORT, like [::1]:8080.`)
}

function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new ConfigError(`${where} must be an object, like {"region": "eu-central-1"}.`)
}

function listOf(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new ConfigError(`${where} must be a list.`)
}

function textOf(value: unknown, where: string): string {
  if (typeof value === 'string') return value
  throw new ConfigError(`${where} is ${JSON.stringify(value) ?? 'missing'}: it must be a string.`)
}

function nameOf(value: unknown, where: string): string {
  if (typeof value === 'string' && NAME.test(value)) return value
  throw new ConfigError(
    `name of ${where} is ${JSON.stringify(value)}: it must have 1 to 32 letters, digits and hyphens, like FRA50-C1.`,
  )
}

function degrees(value: unknown, most: number, where: string): number {
  if (typeof value === 'number' && Math.abs(value) <= most) return value
  throw new ConfigError(`${where} is ${JSON.stringify(value)}: it must be a number from -${most} to ${most}.`)
}

function refuseOthers(rest: Fields, where: string, known: string): void {
  const [other] = Object.keys(rest)
  if (other !== undefined) throw new ConfigError(`${where} has "${other}", which is not one of ${known}.`)
}
