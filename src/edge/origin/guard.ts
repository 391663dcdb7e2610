//! Which addresses may be origins. Checked on the address that a connection really has, at every connect, so that no
//! DNS answer (rebinding) leads around it. A distribution is made by whoever may call the API; it must not become a way
//! to the cloud's metadata service or to the control plane of this very installation.
import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

/** Link-local, where the metadata services of clouds are, and the IPv6 addresses of those services. */
const METADATA = ['169.254.0.0/16', 'fe80::/10', 'fd00:ec2::254/128', '100.100.100.200/32']

export interface AddressGuard {
  /** Null when the address may be an origin, otherwise why not. */
  refusal(address: string, port: number): string | null
}

/**
 * @param own what this installation listens on itself and no origin may be: `address:port`, `[v6]:port` or a CIDR
 *   (every port of it). `0.0.0.0:4566` and `[::]:4566` mean that port of every address.
 * @param allowed CIDRs that the operator allows in spite of all this (`--allow-origin`).
 * @throws TypeError for something that is neither an address with a port nor a CIDR.
 */
export function addressGuard(own: readonly string[], allowed: readonly string[]): AddressGuard {
  const metadata = blockList(METADATA)
  const allow = blockList(allowed)
  const networks = blockList(own.filter((entry) => entry.includes('/')))
  const endpoints = new Set<string>()
  const everyAddress = new Set<number>()
  for (const entry of own.filter((text) => !text.includes('/'))) {
    const { address, port } = splitEndpoint(entry)
    if (address === '0.0.0.0' || address === '::') everyAddress.add(port)
    else endpoints.add(`${address} ${port}`)
  }
  const contains = (list: BlockList, address: string) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return {
    refusal(rawAddress, port) {
      const address = withoutMapping(rawAddress)
      if (isIP(address) === 0) return `${rawAddress} is not an IP address`
      if (contains(allow, address)) return null
      if (contains(metadata, address)) {
        return `${address} is a link-local or metadata address (--allow-origin ${address}/${isIP(address) === 6 ? 128 : 32} admits it)`
      }
      if (contains(networks, address)) return `${address} belongs to the engines of this installation`
      if (endpoints.has(`${address} ${port}`) || (everyAddress.has(port) && isOfThisHost(address))) {
        return `${address} port ${port} belongs to this installation (a distribution is an origin by its name)`
      }
      return null
    },
  }
}

function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/')
    const family = isIP(address)
    if (family === 0) throw new TypeError(`${cidr} is not a CIDR, e.g. 10.0.0.0/8`)
    list.addSubnet(
      address,
      bits === undefined ? (family === 6 ? 128 : 32) : Number(bits),
      family === 6 ? 'ipv6' : 'ipv4',
    )
  }
  return list
}

function splitEndpoint(entry: string): { address: string; port: number } {
  const colon = entry.lastIndexOf(':')
  const address = entry.slice(0, colon).replace(/^\[|\]$/g, '')
  const port = Number(entry.slice(colon + 1))
  if (colon < 0 || isIP(address) === 0 || !Number.isInteger(port)) {
    throw new TypeError(`${entry} is neither address:port nor a CIDR`)
  }
  return { address, port }
}

/** `::ffff:127.0.0.1` is 127.0.0.1 in another spelling. */
const withoutMapping = (address: string): string => (/^::ffff:\d+\./i.test(address) ? address.slice(7) : address)

/** Looked up at each check: interfaces come and go, and it concerns connects to one of our own ports only. */
const isOfThisHost = (address: string): boolean =>
  address.startsWith('127.') ||
  address === '::1' ||
  Object.values(networkInterfaces()).some((list) => list?.some((entry) => entry.address === address))
