//! What Node does not tell of a certificate: its extensions with their criticality, the length of path that an authority
//! allows, the bits of its key usage. The encoding is read as far as that needs (DER: X.690 8, 10; RFC 5280 4.1, 4.2).
import type { X509Certificate } from 'node:crypto'
import { type Element, elements } from './der.ts'

export const OID = {
  keyUsage: '2.5.29.15',
  alternativeName: '2.5.29.17',
  issuerAlternativeName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  policies: '2.5.29.32',
  extendedKeyUsage: '2.5.29.37',
  subjectKeyId: '2.5.29.14',
  authorityKeyId: '2.5.29.35',
  authorityInformation: '1.3.6.1.5.5.7.1.1',
  tlsFeature: '1.3.6.1.5.5.7.1.24',
} as const

export interface Extension {
  readonly critical: boolean
  /** DER of its value. */
  readonly value: Uint8Array
}

const TAG = { boolean: 1, integer: 2, octetString: 4, extensions: 0xa3 } as const
const EMPTY = new Uint8Array()

/** By OID. @throws Error for what is no certificate's encoding: Node has read it before, so that there is none */
export function extensionsOf(certificate: X509Certificate): ReadonlyMap<string, Extension> {
  const [whole] = elements(certificate.raw)
  const [body] = elements(whole?.content ?? EMPTY)
  const wrapped = elements(body?.content ?? EMPTY).find(({ tag }) => tag === TAG.extensions)
  const [list] = elements(wrapped?.content ?? EMPTY)
  return new Map(elements(list?.content ?? EMPTY).map(({ content }) => extension(elements(content))))
}

function extension(parts: readonly Element[]): [string, Extension] {
  const [oid, ...rest] = parts
  const critical = rest.find(({ tag }) => tag === TAG.boolean)?.content[0] === 0xff
  const value = rest.find(({ tag }) => tag === TAG.octetString)?.content ?? EMPTY
  return [oidText(oid?.content ?? EMPTY), { critical, value }]
}

/** How many authorities may be below one; null for any number. */
export function pathLength(extensions: ReadonlyMap<string, Extension>): number | null {
  const [constraints] = elements(extensions.get(OID.basicConstraints)?.value ?? EMPTY)
  const length = elements(constraints?.content ?? EMPTY).find(({ tag }) => tag === TAG.integer)
  if (length === undefined) return null
  return length.content.reduce((number, byte) => number * 256 + byte, 0)
}

const USES = { digitalSignature: 0, keyAgreement: 4, keyCertSign: 5 } as const

/** Without the extension a key may be used for anything (RFC 5280 4.2.1.3). */
export function mayBeUsedFor(extensions: ReadonlyMap<string, Extension>, use: keyof typeof USES): boolean {
  const [bits] = elements(extensions.get(OID.keyUsage)?.value ?? EMPTY)
  if (bits === undefined) return true
  const byte = bits.content[1 + (USES[use] >> 3)] ?? 0
  return (byte & (0x80 >> (USES[use] & 7))) !== 0
}

/** Features of TLS that the holder's servers must show (RFC 7633), e.g. 5 for a stapled OCSP response. */
export function tlsFeatures(extensions: ReadonlyMap<string, Extension>): readonly number[] {
  const [list] = elements(extensions.get(OID.tlsFeature)?.value ?? EMPTY)
  return elements(list?.content ?? EMPTY).map(({ content }) => content.reduce((number, byte) => number * 256 + byte, 0))
}

function oidText(bytes: Uint8Array): string {
  const arcs: number[] = []
  let arc = 0
  for (const byte of bytes) {
    arc = arc * 128 + (byte & 0x7f)
    if (byte >= 0x80) continue
    // The first two arcs are one number.
    if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)))
    else arcs.push(arc)
    arc = 0
  }
  return arcs.join('.')
}
