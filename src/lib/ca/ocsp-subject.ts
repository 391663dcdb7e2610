//! What a certificate says of OCSP: who is asked for its state, and whether viewers want the answer stapled. PURE. (The
//! answers themselves, ocsp.ts, take more to be read, which workers need not load.)
import type { X509Certificate } from 'node:crypto'
import { extensionsOf, tlsFeatures } from './extensions.ts'

/** A certificate whose state somebody can be asked for. */
export interface OcspSubject {
  readonly leaf: X509Certificate
  readonly issuer: X509Certificate
  /** Of the responder, `http:` or `https:`. */
  readonly url: string
}

/** `status_request` (RFC 7633 3). */
const STATUS_REQUEST = 5
/** The responder that a certificate names (RFC 5280 4.2.2.1); null for none that HTTP leads to. */
export function responderOf(leaf: X509Certificate): string | null {
  for (const line of (leaf.infoAccess ?? '').split('\n')) {
    const found = /^OCSP - URI:(https?:\/\/\S+)$/i.exec(line)?.[1]
    if (found !== undefined && URL.canParse(found)) return found
  }
  return null
}

/** Whether viewers refuse this certificate without a stapled response (RFC 7633). */
export const mustBeStapled = (leaf: X509Certificate): boolean =>
  tlsFeatures(extensionsOf(leaf)).includes(STATUS_REQUEST)

/** Whoever has signed it, among these; undefined for nobody. */
export const issuerOf = (leaf: X509Certificate, among: readonly X509Certificate[]): X509Certificate | undefined =>
  among.find((one) => leaf.checkIssued(one) && leaf.verify(one.publicKey))
