//! The header with which a proxy in front names the viewer (the PROXY protocol, versions 1 and 2, as HAProxy specifies
//! it). PURE: the bytes that are there go in, what they say comes out.
import { isIP } from 'node:net'
import { plainAddress } from '../../lib/ip.ts'

/** The connection that the proxy has with the viewer. */
export interface ProxiedEnds {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
}

export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed' }
  | {
      readonly kind: 'whole'
      /** Bytes of the header; what follows is the viewer's. */
      readonly length: number
      /** Null where the proxy names nobody: v1 UNKNOWN, v2 LOCAL, and families that are not of TCP over IP. */
      readonly ends: ProxiedEnds | null
    }

/** Longest line of version 1, its line end included. Bytes (specification 2.1). */
const V1_BYTES_MAX = 107
/** Longest header of version 2: addresses, and extensions up to a client's certificate. Bytes (2.2 allows 65,551). */
export const PROXY_HEADER_BYTES_MAX = 16_384

const V1_BEGIN = Buffer.from('PROXY ')
const V2_SIGNATURE = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a])
const V2_FIXED_BYTES = 16
/** Bytes of an extension's type and length. */
const TLV_HEAD_BYTES = 3

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' }
const MALFORMED: ProxyHeader = { kind: 'malformed' }

export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (beginsAs(bytes, V2_SIGNATURE)) return readV2(bytes)
  return beginsAs(bytes, V1_BEGIN) ? readV1(bytes) : MALFORMED
}

/** As far as there are bytes. */
function beginsAs(bytes: Buffer, beginning: Buffer): boolean {
  const length = Math.min(bytes.length, beginning.length)
  return bytes.compare(beginning, 0, length, 0, length) === 0
}

function readV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_BYTES_MAX).indexOf('\r\n')
  if (end < 0) return bytes.length < V1_BYTES_MAX ? INCOMPLETE : MALFORMED
  const length = end + 2
  const line = bytes.toString('latin1', 0, end)
  // Whatever follows it is to be passed over (2.1).
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { kind: 'whole', length, ends: null }
  const [, family, remote = '', local = '', from, to] =
    /^PROXY TCP([46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/.exec(line) ?? []
  const [remotePort, localPort] = [Number(from), Number(to)]
  const isRight = isIP(remote) === Number(family) && isIP(local) === Number(family)
  if (family === undefined || !isRight || remotePort > 65_535 || localPort > 65_535) return MALFORMED
  const ends = { remoteAddress: plain(remote), remotePort, localAddress: plain(local), localPort }
  return { kind: 'whole', length, ends }
}

/** Families of version 2: bytes of one address; null where it names nobody that a TCP connection could come from. */
const V2_FAMILIES: ReadonlyMap<number, number | null> = new Map([
  // UNSPEC; IPv4 and IPv6 over TCP; the same over UDP; Unix sockets.
  [0x00, null],
  [0x11, 4],
  [0x21, 16],
  [0x12, null],
  [0x22, null],
  [0x31, null],
  [0x32, null],
])

function readV2(bytes: Buffer): ProxyHeader {
  if (bytes.length < V2_FIXED_BYTES) return INCOMPLETE
  const [version, command] = [bytes[12]! >> 4, bytes[12]! & 15]
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(14)
  const family = V2_FAMILIES.get(bytes[13]!)
  if (version !== 2 || command > 1 || length > PROXY_HEADER_BYTES_MAX) return MALFORMED
  // A check of the proxy's own: family and addresses are to be passed over (2.2).
  if (command === 0) return bytes.length < length ? INCOMPLETE : { kind: 'whole', length, ends: null }
  if (family === undefined) return MALFORMED
  const addressesEnd = V2_FIXED_BYTES + (family === null ? 0 : 2 * family + 4)
  if (addressesEnd > length) return MALFORMED
  if (bytes.length < length) return INCOMPLETE
  if (family === null) return { kind: 'whole', length, ends: null }
  if (!areExtensions(bytes.subarray(addressesEnd, length))) return MALFORMED
  const ports = V2_FIXED_BYTES + 2 * family
  const ends = {
    remoteAddress: addressText(bytes.subarray(V2_FIXED_BYTES, V2_FIXED_BYTES + family)),
    remotePort: bytes.readUInt16BE(ports),
    localAddress: addressText(bytes.subarray(V2_FIXED_BYTES + family, ports)),
    localPort: bytes.readUInt16BE(ports + 2),
  }
  return { kind: 'whole', length, ends }
}

/** What is in them (authority, ALPN, the proxy's TLS) decides nothing here; they must only fill their space. */
function areExtensions(bytes: Buffer): boolean {
  let at = 0
  while (at + TLV_HEAD_BYTES <= bytes.length) at += TLV_HEAD_BYTES + bytes.readUInt16BE(at + 1)
  return at === bytes.length
}

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, n) => bytes.readUInt16BE(2 * n).toString(16))
  return plain(groups.join(':'))
}

/** As the system writes it (RFC 5952), so that one viewer has one name in logs, keys and limits. */
function plain(address: string): string {
  if (isIP(address) !== 6) return address
  return plainAddress(new URL(`http://[${address}]`).hostname.slice(1, -1)).replace(
    /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/,
    (_, high: string, low: string) => {
      const [one, two] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
      return [one >> 8, one & 255, two >> 8, two & 255].join('.')
    },
  )
}
