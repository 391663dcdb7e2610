//! Who may talk to the API: the rules against web pages and rebound DNS names, and what counts as loopback. Pure.
import { BlockList, isIP } from 'node:net'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** An IP address, IPv4-mapped IPv6 included. */
export function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  const family = isIP(plain)
  return family !== 0 && LOOPBACK.check(plain, family === 6 ? 'ipv6' : 'ipv4')
}

export interface Head {
  readonly method: string
  /** Every Host header of the request; anything but exactly one is refused. */
  readonly hosts: readonly string[]
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
}

export type Access =
  | { readonly allowed: true }
  /** `why` is a sentence for the caller. */
  | { readonly allowed: false; readonly why: string }

/**
 * The first line of defence of an API that trusts the machine it runs on: a web page that the user has open must not be
 * able to call it, by a form, by fetch, or by a DNS name that it has rebound to a loopback address.
 * @param names configured host names, lower case, without port
 */
export function judgeAccess(head: Head, names: ReadonlySet<string>): Access {
  const [host] = head.hosts
  if (host === undefined || head.hosts.length > 1) return refused('A request needs exactly one Host header.')
  if (!isOwnHost(host, names)) {
    return refused(
      'The API does not answer to this Host; use an IP address or localhost, or allow the name with CACHEFRONT_ALLOW_HOST.',
    )
  }
  if (head.origin !== undefined && head.origin !== `http://${host}` && head.origin !== `https://${host}`) {
    return refused('Web pages of another origin may not call the API.')
  }
  const { fetchSite } = head
  const ownPage = fetchSite === undefined || fetchSite === 'same-origin'
  // `none` is a person who typed the address or opened a bookmark.
  const typed = fetchSite === 'none' && head.method === 'GET'
  return ownPage || typed ? { allowed: true } : refused('Web pages of another site may not call the API.')
}

const refused = (why: string): Access => ({ allowed: false, why })

function isOwnHost(host: string, names: ReadonlySet<string>): boolean {
  const found = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(host)
  if (found === null) return false
  const name = found[1]!.toLowerCase()
  if (name.startsWith('[')) return isIP(name.slice(1, -1)) === 6
  return (
    isIP(name) === 4 ||
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === 'localhost.localstack.cloud' ||
    names.has(name)
  )
}
