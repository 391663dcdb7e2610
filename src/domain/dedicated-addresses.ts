//! Addresses that the operator gives to distributions which need one of their own (SSLSupportMethod vip). PURE.
import { addressBytes } from '../lib/ip.ts'

/** Of one network, so that all of them can be tried at the start. */
export const DEDICATED_ADDRESSES_MAX = 4_096

/** Every address of a network, of IPv4 without the network's own and the broadcast address; null for too many. */
export function addressesIn(cidr: string): readonly string[] | null {
  const [network = '', prefix] = cidr.split('/')
  const bytes = addressBytes(network)
  if (bytes === null) return []
  const free = bytes.length * 8 - Number(prefix)
  if (2 ** free > DEDICATED_ADDRESSES_MAX) return null
  const count = 2 ** free
  const last = (bytes[bytes.length - 2]! << 8) | bytes[bytes.length - 1]!
  const first = last - (last % count)
  const all = Array.from({ length: count }, (_, n) => addressText(bytes, first + n))
  return bytes.length === 4 && count > 2 ? all.slice(1, -1) : all
}

/** That address with another number in its last 16 bits. */
function addressText(bytes: Uint8Array, low: number): string {
  const own = Buffer.from(bytes)
  own.writeUInt16BE(low, own.length - 2)
  if (own.length === 4) return own.join('.')
  const groups = Array.from({ length: 8 }, (_, n) => own.readUInt16BE(2 * n).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

/** The first that nobody has; undefined when all are taken. */
export const firstFree = (pool: readonly string[], taken: ReadonlySet<string>): string | undefined =>
  pool.find((address) => !taken.has(address))
