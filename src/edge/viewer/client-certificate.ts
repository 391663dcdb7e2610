//! What origins and cache keys are told of a viewer's certificate (spec/cloudfront.md 6.3; RFC 9440; AWS's developer guide,
//! "Viewer mTLS headers"). Worked out once for a connection, and only when a policy lists such a header.
import { X509Certificate } from 'node:crypto'
import type { ClientFacts } from '../../domain/generated-headers.ts'
import type { ViewerClient } from '../listen/viewer.ts'

const known = new WeakMap<ViewerClient, ClientFacts>()

/** Null where viewers are not asked for certificates. */
export function clientFacts(client: ViewerClient | null): ClientFacts | null {
  if (client === null) return null
  const before = known.get(client)
  if (before !== undefined) return before
  const made = factsOf(client)
  known.set(client, made)
  return made
}

function factsOf({ mode, certificates: [leaf, ...chain] }: ViewerClient): ClientFacts {
  const passes = mode === 'passthrough'
  if (leaf === undefined) return { present: false, ...NOTHING }
  const certificate = new X509Certificate(Buffer.from(leaf, 'base64'))
  return {
    present: true,
    serialNumber: (certificate.serialNumber.toLowerCase().match(/../g) ?? []).join(':'),
    issuer: distinguishedName(certificate.issuer),
    subject: distinguishedName(certificate.subject),
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    validity: `NotBefore=${seconds(certificate.validFromDate)};NotAfter=${seconds(certificate.validToDate)}`,
    // Either form, never both: AWS has the PEM where the edge verifies, RFC 9440 where the origin does.
    pem: passes ? '' : encodeURIComponent(certificate.toString()),
    clientCert: passes ? binary(leaf) : '',
    clientCertChain: passes ? chain.map(binary).join(', ') : '',
  }
}

const NOTHING = {
  serialNumber: '',
  issuer: '',
  subject: '',
  sha256: '',
  validity: '',
  pem: '',
  clientCert: '',
  clientCertChain: '',
} as const

/** A byte sequence of RFC 8941 (RFC 9440 2.1). */
const binary = (der: string): string => `:${der}:`

const seconds = (date: Date): string => date.toISOString().replace('.000Z', 'Z')

/**
 * RFC 2253, of the lines that OpenSSL writes: the last part first, several of one level with a plus, and what is no ASCII
 * as its bytes. A name may be empty: then there is none to tell.
 */
export function distinguishedName(lines: string | undefined): string {
  const parts = (lines ?? '').split('\n').reverse()
  return parts
    .map((part) => part.split(' + ').reverse().join('+'))
    .map(ascii)
    .join(',')
}

const ascii = (text: string): string =>
  text.replace(/[^\x20-\x7e]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
