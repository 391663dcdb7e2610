//! EDNS Client Subnet (RFC 7871): whom a resolver asks for. PURE.

/** Longest prefix that an answer is made for: GeoIP databases and privacy go no further (RFC 7871 11.1). */
const PREFIX_MAX = { 1: 24, 2: 56 } as const

export interface ClientSubnet {
  /** 1: IPv4, 2: IPv6. */
  readonly family: 1 | 2
  readonly sourcePrefix: number
  /** As it was sent: only the bytes that the prefix has. */
  readonly bytes: Buffer
}

/** Of the option's data; `malformed` for what is to be answered with FORMERR (7.1.2). */
export function readClientSubnet(data: Buffer): ClientSubnet | 'malformed' {
  if (data.length < 4) return 'malformed'
  const family = data.readUInt16BE(0)
  const sourcePrefix = data[2] as number
  const bytes = data.subarray(4)
  if (family !== 1 && family !== 2) return 'malformed'
  if (sourcePrefix > (family === 1 ? 32 : 128) || data[3] !== 0) return 'malformed'
  if (bytes.length !== Math.ceil(sourcePrefix / 8)) return 'malformed'
  // Bits behind the prefix are zero.
  const spare = bytes.length * 8 - sourcePrefix
  if (spare > 0 && ((bytes.at(-1) as number) & (2 ** spare - 1)) !== 0) return 'malformed'
  return { family, sourcePrefix, bytes }
}

/** The first address of the subnet as text; null when the resolver hides it (prefix 0). */
export function addressIn({ family, sourcePrefix, bytes }: ClientSubnet): string | null {
  if (sourcePrefix === 0) return null
  const whole = Buffer.alloc(family === 1 ? 4 : 16)
  bytes.copy(whole)
  if (family === 1) return whole.join('.')
  return (whole.toString('hex').match(/.{4}/g) ?? []).join(':')
}

/** The option's data in an answer: for `varies`, good for the subnet that was looked at, otherwise for everybody. */
export function answeredSubnet({ family, sourcePrefix, bytes }: ClientSubnet, varies: boolean): Buffer {
  const scope = varies ? Math.min(sourcePrefix, PREFIX_MAX[family]) : 0
  return Buffer.concat([Buffer.from([0, family, sourcePrefix, scope]), bytes])
}
