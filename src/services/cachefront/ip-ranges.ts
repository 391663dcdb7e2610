//! `/_cachefront/ip-ranges.json`: the addresses of this installation's edge in the format of AWS's ip-ranges.json, for
//! origins and firewalls that admit the edge alone. Service CLOUDFRONT is where viewers reach it, CLOUDFRONT_ORIGIN_FACING
//! where its connections to origins come from.

import { isIP } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import { networkInterfaces } from 'node:os'
import type { Clock } from '../../lib/clock.ts'
import type { PopHealth } from './installation.ts'

interface Entry {
  readonly region: string
  readonly service: 'CLOUDFRONT' | 'CLOUDFRONT_ORIGIN_FACING'
  readonly network_border_group: string
}

export interface IpRanges {
  /** Unix time of createDate, seconds. */
  readonly syncToken: string
  /** `2026-11-30-01-02-03`, UTC. */
  readonly createDate: string
  readonly prefixes: readonly (Entry & { readonly ip_prefix: string })[]
  readonly ipv6_prefixes: readonly (Entry & { readonly ipv6_prefix: string })[]
}

type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>

/**
 * Addresses that this host has and its connections may come from. Which one a connection gets the kernel decides by the
 * route to the origin (the edge binds none), so all of them are told; link-local ones reach no origin (origin/guard.ts).
 */
export function originFacing(interfaces: Interfaces): string[] {
  const own = Object.values(interfaces).flatMap((list) => list?.map(({ address }) => address.replace(/%.*/, '')) ?? [])
  return [...new Set(own)].filter((address) => !/^(?:169\.254\.|fe[89ab])/i.test(address)).sort()
}

export class IpRangesFile {
  readonly #clock: Pick<Clock, 'wall'>
  readonly #interfaces: () => Interfaces
  #text = ''
  #since = 0

  constructor(clock: Pick<Clock, 'wall'>, interfaces: () => Interfaces = networkInterfaces) {
    this.#clock = clock
    this.#interfaces = interfaces
  }

  /** The date is that of the last change. */
  of(pops: readonly PopHealth[]): IpRanges {
    const entries = entriesOf(pops, this.#interfaces())
    const text = JSON.stringify(entries)
    if (text !== this.#text) {
      this.#text = text
      this.#since = Math.floor(this.#clock.wall() / 1_000)
    }
    const date = new Date(this.#since * 1_000).toISOString()
    return { syncToken: String(this.#since), createDate: date.slice(0, 19).replace(/[T:]/g, '-'), ...entries }
  }
}

function entriesOf(pops: readonly PopHealth[], interfaces: Interfaces): Pick<IpRanges, 'prefixes' | 'ipv6_prefixes'> {
  const facing = originFacing(interfaces)
  const rows = new Map<string, Entry & { readonly address: string }>()
  const add = (address: string, region: string, service: Entry['service']): void => {
    rows.set(`${address} ${region} ${service}`, { address, region, service, network_border_group: region })
  }
  for (const { region, http, https, ipv6 = null, ipv6Https = null } of pops) {
    for (const listens of [http, https, ipv6, ipv6Https]) {
      if (listens === null) continue
      const address = listens.slice(0, listens.lastIndexOf(':')).replace(/^\[|\]$/g, '')
      // Of an edge that listens on every address viewers reach each.
      const all = address === '0.0.0.0' || address === '::'
      for (const one of all ? facing.filter((own) => isIP(own) === isIP(address) || address === '::') : [address])
        add(one, region, 'CLOUDFRONT')
    }
  }
  for (const address of facing) add(address, 'GLOBAL', 'CLOUDFRONT_ORIGIN_FACING')
  const all = [...rows.values()]
  return {
    prefixes: all.flatMap(({ address, ...row }) =>
      isIP(address) === 4 ? [{ ip_prefix: `${address}/32`, ...row }] : [],
    ),
    ipv6_prefixes: all.flatMap(({ address, ...row }) =>
      isIP(address) === 6 ? [{ ipv6_prefix: `${address}/128`, ...row }] : [],
    ),
  }
}
