//! `--dedicated-ips`: the addresses, each of which this host must have and no listener of the POPs.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { addressesIn, DEDICATED_ADDRESSES_MAX } from '../domain/dedicated-addresses.ts'
import { StartError } from './errors.ts'
import { addressesOf, type ListeningNetwork } from './worker-settings.ts'

/** @throws StartError for a network that is too large */
export const dedicatedAddresses = (cidrs: readonly string[]): readonly string[] => [
  ...new Set(
    cidrs.flatMap((cidr) => {
      const all = addressesIn(cidr)
      if (all !== null) return all
      throw new StartError(
        `--dedicated-ips ${cidr} has more than ${DEDICATED_ADDRESSES_MAX} addresses: give a smaller network.`,
      )
    }),
  ),
]

/** @throws StartError that names an address which no distribution can have */
export async function checkDedicatedIps(cidrs: readonly string[], network: ListeningNetwork): Promise<void> {
  const taken = new Set(addressesOf(network).map(({ host }) => host))
  for (const host of dedicatedAddresses(cidrs)) {
    if (taken.has(host)) {
      throw new StartError(`--dedicated-ips has ${host}, at which a POP listens: give other addresses.`)
    }
    const server = createServer()
    server.listen({ host, port: 0, exclusive: true })
    try {
      await once(server, 'listening')
    } catch (error) {
      throw new StartError(
        `--dedicated-ips has ${host}, which no interface of this machine has: give it to one (ip address add), or leave it out.`,
        error,
      )
    }
    server.close()
  }
}
