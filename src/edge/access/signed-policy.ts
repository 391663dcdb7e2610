//! Policies of signatures (spec/cloudfront.md 9.5, 9.6): the canned one, which is written here again byte for byte, and
//! custom ones, which are read. Whatever is not understood makes a policy malformed: what a signer demands and nobody
//! checks would be given away. PURE.
import { type AskedUrl, compileResource, type ResourcePattern } from './resource-pattern.ts'

export interface SignedPolicy {
  /** Null: any URL of whatever trusts the key. */
  readonly resource: ResourcePattern | null
  /** Seconds since 1970: from this second on it is over. */
  readonly lessThan: number
  /** Valid only after this second; null for no such condition. */
  readonly greaterThan: number | null
  readonly source: SourceNetwork | null
}

/** IPv4 alone. */
export interface SourceNetwork {
  readonly address: number
  readonly mask: number
}

/** Bytes of a custom policy: a cookie has room for 4 KB, a URL for 8. */
export const POLICY_BYTES_MAX = 6_144

/** Of 64 bits, as it is written in JSON: without a sign or leading zeros. */
const EPOCH = /^(?:0|[1-9][0-9]{0,18})$/

/** The text that a canned policy's signature is of; null when `expires` is no time. */
export function cannedPolicy(expires: string, { scheme, host, path, query }: AskedUrl): string | null {
  if (!EPOCH.test(expires)) return null
  const url = `${scheme}://${host}${path}${query === null ? '' : `?${query}`}`
  return `{"Statement":[{"Resource":"${url}","Condition":{"DateLessThan":{"AWS:EpochTime":${expires}}}}]}`
}

/** What such a policy demands: its URL is that of the request by the way it was made. */
export const cannedTerms = (expires: string): SignedPolicy => ({
  resource: null,
  lessThan: Number(expires),
  greaterThan: null,
  source: null,
})

type Fields = Readonly<Record<string, unknown>>

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** Null for what is no such policy. */
export function readPolicy(bytes: Uint8Array): SignedPolicy | null {
  if (bytes.length > POLICY_BYTES_MAX) return null
  const document = jsonOf(bytes)
  if (!hasOnly(document, ['Statement'])) return null
  const { Statement: given } = document
  const statements = Array.isArray(given) ? given : [given]
  const statement: unknown = statements[0]
  if (statements.length !== 1 || !hasOnly(statement, ['Resource', 'Condition'])) return null
  const { Resource: resource, Condition: condition } = statement
  if (resource !== undefined && (typeof resource !== 'string' || resource === '')) return null
  if (!hasOnly(condition, ['DateLessThan', 'DateGreaterThan', 'IpAddress'])) return null
  const lessThan = epochOf(condition.DateLessThan)
  const greaterThan = condition.DateGreaterThan === undefined ? null : epochOf(condition.DateGreaterThan)
  const source = condition.IpAddress === undefined ? null : sourceOf(condition.IpAddress)
  if (lessThan === undefined || greaterThan === undefined || source === undefined) return null
  return { resource: resource === undefined ? null : compileResource(resource), lessThan, greaterThan, source }
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(UTF8.decode(bytes))
  } catch {
    return null
  }
}

/** An object without other members than these. */
function hasOnly(value: unknown, names: readonly string[]): value is Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.keys(value).every((name) => names.includes(name))
}

/** A number, not a text (spec 9.6); undefined for anything else. */
function epochOf(condition: unknown): number | undefined {
  if (!hasOnly(condition, ['AWS:EpochTime'])) return undefined
  const time = condition['AWS:EpochTime']
  return typeof time === 'number' && Number.isInteger(time) && time >= 0 ? time : undefined
}

const CIDR = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/

/** One IPv4 address or network. */
function sourceOf(condition: unknown): SourceNetwork | undefined {
  if (!hasOnly(condition, ['AWS:SourceIp'])) return undefined
  const text = condition['AWS:SourceIp']
  const parts = typeof text === 'string' ? CIDR.exec(text) : null
  const address = parts === null ? undefined : numberOf(parts.slice(1, 5))
  const bits = Number(parts?.[5] ?? 32)
  if (address === undefined || bits > 32) return undefined
  const mask = bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0
  return { address: (address & mask) >>> 0, mask }
}

function numberOf(octets: readonly string[]): number | undefined {
  let value = 0
  for (const octet of octets) {
    if (Number(octet) > 255 || (octet.length > 1 && octet.startsWith('0'))) return undefined
    value = value * 256 + Number(octet)
  }
  return value
}

/** `address` as of Exchange.viewerAddress. A viewer that comes over IPv6 is in no such network (spec 13.6). */
export function isWithin({ address, mask }: SourceNetwork, viewer: string): boolean {
  const parts = CIDR.exec(viewer)
  const number = parts === null || parts[5] !== undefined ? undefined : numberOf(parts.slice(1, 5))
  return number !== undefined && (number & mask) >>> 0 === address
}
