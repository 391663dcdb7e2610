//! A certificate with its key and its chain, as somebody hands them over: read, and looked at for all that would make
//! viewers refuse it. PURE but for OpenSSL's arithmetic.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { certificateBlocks } from './pem-blocks.ts'
import { factsOf, type X509Facts } from './x509-facts.ts'

export interface GivenMaterial {
  /** PEM texts. */
  readonly certificate: string
  readonly privateKey: string
  /** Empty for none. */
  readonly chain: string
}

export interface CheckedMaterial {
  readonly facts: X509Facts
  /** PEM, in one form. */
  readonly certificate: string
  readonly chain: string
  /** As of CertificateMaterial (domain/certificates.ts). */
  readonly served: string
  /** PKCS #8. */
  readonly privateKey: string
}

/** What is wrong, in words that programs and tests tell apart; `message` is for a person and holds nothing of a key. */
export class MaterialError extends Error {
  readonly what: MaterialProblem

  constructor(what: MaterialProblem, message: string) {
    super(message)
    this.name = 'MaterialError'
    this.what = what
  }
}

export type MaterialProblem =
  | 'certificate-malformed'
  | 'more-than-one'
  | 'chain-malformed'
  | 'chain-broken'
  | 'chain-incomplete'
  | 'chain-repeats'
  | 'chain-expired'
  | 'key-malformed'
  | 'key-encrypted'
  | 'key-mismatch'
  | 'key-unsupported'
  | 'expired'
  | 'not-yet-valid'
  | 'no-names'
  | 'no-issuer'
  | 'version'
  | 'not-servable'

/** Kinds of keys that ACM takes (its user guide, prerequisites for importing certificates). */
const IMPORTED_KEYS: readonly string[] = [
  'RSA_1024',
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'EC_prime256v1',
  'EC_secp384r1',
  'EC_secp521r1',
]

/**
 * `clock`: milliseconds. A certificate is over by `now`, the clock that renewals are planned by; whether it is valid yet is
 * what viewers ask, by the wall clock.
 * @throws MaterialError for the first thing that is wrong
 */
export function checkMaterial(
  given: GivenMaterial,
  clock: { readonly now: number; readonly wall: number },
): CheckedMaterial {
  const leaf = leafOf(given.certificate)
  const facts = factsOf(leaf)
  checkLeaf(facts, clock)
  const key = keyOf(given.privateKey)
  if (!leaf.checkPrivateKey(key)) {
    throw new MaterialError(
      'key-mismatch',
      'The private key does not match the certificate: give the key that the certificate was requested with.',
    )
  }
  const chain = chainOf(given.chain)
  checkChain(leaf, chain, clock.now)
  const last = chain.at(-1)
  const issuers = last !== undefined && issuedItself(last) ? chain.slice(0, -1) : chain
  const served = [leaf, ...issuers].map(String).join('')
  const privateKey = key.export({ type: 'pkcs8', format: 'pem' }).toString()
  // A distribution takes no key of 1,024 bits (services/cloudfront/certificate-checks.ts), though ACM does.
  if (facts.keyAlgorithm !== 'RSA_1024') checkServable(served, privateKey)
  return { facts, certificate: leaf.toString(), chain: chain.map(String).join(''), served, privateKey }
}

/** Before an edge finds out at the first handshake, when the certificate has replaced a good one: an issuer's weak key. */
function checkServable(cert: string, key: string): void {
  try {
    createSecureContext({ key, cert, ca: [] })
  } catch (error) {
    // OpenSSL's words for it, such as `ca key too small`.
    const { reason = 'unknown' } = error as { reason?: string }
    throw new MaterialError(
      'not-servable',
      `The certificate cannot be served with its certificate chain: OpenSSL refuses them (${reason}), and so would viewers.`,
    )
  }
}

function leafOf(pem: string): X509Certificate {
  const blocks = certificateBlocks(pem)
  if (blocks !== null && blocks.length > 1) {
    throw new MaterialError(
      'more-than-one',
      'The certificate field contains more than one certificate. You can specify only one certificate in this field; the others belong into the certificate chain.',
    )
  }
  const block = blocks?.[0]
  if (block === undefined) {
    throw new MaterialError(
      'certificate-malformed',
      'The certificate provided is not in a valid PEM format: one block from BEGIN CERTIFICATE to END CERTIFICATE, and nothing beside it.',
    )
  }
  return read(
    block,
    'certificate-malformed',
    'Unable to parse certificate. Please ensure the certificate is in PEM format.',
  )
}

function chainOf(pem: string): X509Certificate[] {
  if (pem.trim() === '') return []
  const blocks = certificateBlocks(pem)
  if (blocks === null) {
    throw new MaterialError(
      'chain-malformed',
      'The certificate chain provided is not in a valid PEM format: blocks from BEGIN CERTIFICATE to END CERTIFICATE, and nothing between them.',
    )
  }
  return blocks.map((block) => read(block, 'chain-malformed', 'A certificate of the certificate chain is damaged.'))
}

function read(block: string, what: MaterialProblem, message: string): X509Certificate {
  try {
    return new X509Certificate(block)
  } catch {
    throw new MaterialError(what, message)
  }
}

function checkLeaf(facts: X509Facts, { now, wall }: { readonly now: number; readonly wall: number }): void {
  if (facts.version !== 3) {
    throw new MaterialError('version', `The certificate is of X.509 version ${facts.version}; it must be of version 3.`)
  }
  if (!IMPORTED_KEYS.includes(facts.keyAlgorithm)) {
    throw new MaterialError(
      'key-unsupported',
      `The private key length or kind is not supported: ${facts.keyAlgorithm} is not one of ${IMPORTED_KEYS.join(', ')}.`,
    )
  }
  if (facts.issuer === '') throw new MaterialError('no-issuer', 'The Issuer field of the certificate is empty.')
  if (facts.names.length === 0) {
    throw new MaterialError(
      'no-names',
      'The certificate names no domain: it has neither a subject alternative name nor a common name.',
    )
  }
  if (facts.notAfter.getTime() <= now) {
    throw new MaterialError(
      'expired',
      `The certificate has expired: it was valid until ${facts.notAfter.toISOString()}.`,
    )
  }
  if (facts.notBefore.getTime() > wall) {
    throw new MaterialError(
      'not-yet-valid',
      `The certificate is not valid yet: it will be from ${facts.notBefore.toISOString()} on.`,
    )
  }
}

function keyOf(pem: string): KeyObject {
  if (/ENCRYPTED/.test(pem)) {
    throw new MaterialError('key-encrypted', 'Your private key should not be encrypted: give it without a passphrase.')
  }
  try {
    return createPrivateKey(pem)
  } catch {
    // The library's message may quote what it read.
    throw new MaterialError('key-malformed', 'The private key is not in a valid PEM format, or it is not supported.')
  }
}

/**
 * Each certificate certifies the one before it. Whether a chain that ends at an intermediate is complete nobody can say
 * without the authority above; a certificate that another issued, without any chain, is not: viewers would refuse it.
 */
function checkChain(leaf: X509Certificate, chain: readonly X509Certificate[], now: number): void {
  let current = leaf
  const seen = new Set([leaf.fingerprint256])
  for (const next of chain) {
    // One that issued itself would be right behind itself any number of times, and each viewer would get them all.
    if (seen.has(next.fingerprint256)) {
      throw new MaterialError('chain-repeats', `${shown(next)} is in the certificate and its chain more than once.`)
    }
    seen.add(next.fingerprint256)
    if (!issued(next, current)) {
      throw new MaterialError(
        'chain-broken',
        `Could not validate the certificate with the certificate chain: ${shown(next)} did not issue the certificate before it, ${shown(current)}. The chain begins with the issuer of the certificate, and each certificate in it certifies the one before.`,
      )
    }
    if (next.validToDate.getTime() <= now) {
      throw new MaterialError(
        'chain-expired',
        `${shown(next)} in the certificate chain expired on ${next.validToDate.toISOString()}.`,
      )
    }
    current = next
  }
  if (chain.length === 0 && !issuedItself(leaf)) {
    throw new MaterialError(
      'chain-incomplete',
      `Could not validate the certificate with the certificate chain: ${shown(leaf)} was issued by another, whose certificate is missing. Give the issuers as the certificate chain.`,
    )
  }
}

const issued = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)

/** Not by `issued`: a server's own certificate may say that its key signs no certificates. */
const issuedItself = (certificate: X509Certificate): boolean =>
  certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey)

const shown = (certificate: X509Certificate): string =>
  `"${(certificate.subject ?? '').replaceAll('\n', ', ').slice(0, 200)}"`
