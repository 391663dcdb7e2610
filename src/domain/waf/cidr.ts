//! Members of IP sets: addresses and ranges in CIDR notation, as AWS takes them: /1 to /32 of IPv4, /1 to /128 of IPv6. PURE.
import { addressVersion, bytesOfV6 } from '../../lib/ip.ts'

export type AddressVersion = 'IPV4' | 'IPV6'

const BITS = { IPV4: 32, IPV6: 128 } as const

/**
 * The range in its normal form: the bits behind the prefix are 0, IPv6 written out as AWS does it
 * (`2001:0db8:0000:0000:0000:0000:0000:0000/32`). Null for what is no range of that version.
 */
export function normalCidr(text: string, version: AddressVersion): string | null {
  const [address = '', prefix, ...more] = text.split('/')
  if (prefix === undefined || more.length > 0 || !/^[1-9][0-9]{0,2}$/.test(prefix)) return null
  const bits = Number(prefix)
  if (bits > BITS[version] || addressVersion(address) !== (version === 'IPV4' ? 4 : 6) || address.includes('%'))
    return null
  const bytes = version === 'IPV4' ? address.split('.').map(Number) : [...bytesOfV6(address)]
  const masked = bytes.map((byte, at) => byte & (0xff << Math.min(8, Math.max(0, 8 * (at + 1) - bits))) & 0xff)
  return `${version === 'IPV4' ? masked.join('.') : writtenOut(masked)}/${bits}`
}

const writtenOut = (bytes: readonly number[]): string =>
  Array.from({ length: 8 }, (_, at) =>
    (((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)).toString(16).padStart(4, '0'),
  ).join(':')
