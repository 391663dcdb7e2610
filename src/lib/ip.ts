//! IP addresses as bytes and numbers.
import { isIP } from 'node:net'

/** 4, 6, or 0 for what is no address. */
export const addressVersion = (text: string): number => isIP(text)

/** The 4 or 16 bytes of an address as it is usually written; a mapped IPv4 address has 4; null for anything else. */
export function addressBytes(text: string): Uint8Array | null {
  const kind = isIP(text)
  if (kind === 4) return Uint8Array.from(text.split('.'), Number)
  if (kind !== 6) return null
  const bytes = bytesOfV6(text)
  return isMapped(bytes) ? bytes.slice(12) : bytes
}

/** The 16 bytes of what isIP calls 6, a mapped IPv4 address too. */
export function bytesOfV6(text: string): Uint8Array {
  const [address = ''] = text.split('%')
  const [head = '', tail] = address.split('::')
  const before = groups(head)
  const after = groups(tail ?? '')
  return Uint8Array.from([...before, ...Array(16 - before.length - after.length).fill(0), ...after])
}

/** Bytes of colon-separated groups, the last of which may be an IPv4 address. */
function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
}

const isMapped = (bytes: Uint8Array): boolean =>
  bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255

/** The bytes as one number, the first the highest. */
export const addressNumber = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

/** Without the zone of a link-local address; a mapped IPv4 address as IPv4. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return ''
  const zone = address.indexOf('%')
  const bare = zone < 0 ? address : address.slice(0, zone)
  return bare.startsWith('::ffff:') && bare.includes('.') ? bare.slice(7) : bare
}
