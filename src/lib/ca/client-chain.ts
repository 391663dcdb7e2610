//! Verifies the certificate that a viewer showed (RFC 5280 6). Written out here, and not left to OpenSSL alone: through
//! Node, OpenSSL looks at chains only where it tells viewers the names of all authorities as well; it reports the last of
//! several errors, so that an expired certificate of nobody's would be called expired and nothing else; and it has no word
//! for how deep a chain may be. A test has `openssl verify` judge the same chains.
import type { X509Certificate } from 'node:crypto'
import { type Extension, extensionsOf, mayBeUsedFor, OID, pathLength } from './extensions.ts'

/** What is wrong with a certificate, or with one that vouches for it. */
export type ChainProblem =
  | 'not-trusted'
  | 'too-deep'
  | 'expired'
  | 'not-yet-valid'
  | 'not-for-clients'
  | 'not-an-authority'
  | 'path-too-long'
  | 'weak-key'
  | 'weak-signature'
  | 'unknown-extension'

export interface ChainRules {
  readonly authorities: readonly X509Certificate[]
  /** A certificate counts also after its notAfter. */
  readonly ignoreExpiry: boolean
  /** Most certificates below the authority, the viewer's own among them. */
  readonly depth: number
}

/** Signatures that are verified for one viewer: what it sends may have any number of would-be issuers. */
const VERIFICATIONS_MAX = 24
const RSA_BITS_MIN = 2_048
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

/** Critical extensions that are heeded, or that say nothing about whether a chain is good. */
const KNOWN: ReadonlySet<string> = new Set([
  OID.keyUsage,
  OID.alternativeName,
  OID.issuerAlternativeName,
  OID.basicConstraints,
  OID.crlDistributionPoints,
  OID.policies,
  OID.extendedKeyUsage,
  OID.subjectKeyId,
  OID.authorityKeyId,
  OID.authorityInformation,
])

/**
 * `sent`: what came behind the certificate, in any order. `now` in milliseconds, wall clock.
 * Null when the chain is good: then it leads to one of the authorities.
 */
export function verifyClient(
  leaf: X509Certificate,
  sent: readonly X509Certificate[],
  rules: ChainRules,
  now: number,
): ChainProblem | null {
  const search: Search = { sent, rules, now, left: VERIFICATIONS_MAX, problem: 'not-trusted' }
  try {
    return isGood([leaf], search) ? null : search.problem
  } catch {
    // A key of a kind that OpenSSL cannot use, for example.
    return 'not-trusted'
  }
}

interface Search {
  readonly sent: readonly X509Certificate[]
  readonly rules: ChainRules
  readonly now: number
  left: number
  /** Of the last path that led to an authority and was not good. */
  problem: ChainProblem
}

/** `path` begins with the viewer's certificate; looks for a good way from its end to an authority. */
function isGood(path: readonly X509Certificate[], search: Search): boolean {
  const last = path[path.length - 1] as X509Certificate
  const { authorities, depth } = search.rules
  for (const authority of authorities) {
    if (!hasIssued(authority, last, search)) continue
    const problem = path.length > depth ? 'too-deep' : problemOf([...path, authority], search)
    if (problem === null) return true
    search.problem = problem
  }
  // Deeper ones are looked for one step further, so that they are called by their name.
  if (path.length > depth) return false
  return search.sent.some((next) => {
    if (path.some((one) => one.fingerprint256 === next.fingerprint256)) return false
    return hasIssued(next, last, search) && isGood([...path, next], search)
  })
}

function hasIssued(issuer: X509Certificate, certificate: X509Certificate, search: Search): boolean {
  // Names and key identifiers, and that the issuer's key may sign certificates.
  if (!certificate.checkIssued(issuer) || search.left === 0) return false
  search.left--
  return certificate.verify(issuer.publicKey)
}

/** Of a path from the viewer's certificate to an authority, whose signatures are right. */
function problemOf(path: readonly X509Certificate[], { rules, now }: Search): ChainProblem | null {
  for (const [at, certificate] of path.entries()) {
    const extensions = extensionsOf(certificate)
    const problem =
      timeProblem(certificate, rules, now) ??
      strengthProblem(certificate, at === path.length - 1) ??
      useProblem(certificate, extensions) ??
      (at === 0 ? leafProblem(extensions) : authorityProblem(certificate, extensions, at - 1))
    if (problem !== null) return problem
  }
  return null
}

function timeProblem(certificate: X509Certificate, { ignoreExpiry }: ChainRules, now: number): ChainProblem | null {
  if (certificate.validFromDate.getTime() > now) return 'not-yet-valid'
  return !ignoreExpiry && certificate.validToDate.getTime() < now ? 'expired' : null
}

/** What an authority has signed itself with counts for nothing: it is trusted for being in the list. */
function strengthProblem(certificate: X509Certificate, isAuthority: boolean): ChainProblem | null {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey
  if (type?.startsWith('rsa') && (details?.modulusLength ?? 0) < RSA_BITS_MIN) return 'weak-key'
  return !isAuthority && /md5|sha1(?!\d)/i.test(certificate.signatureAlgorithm ?? '') ? 'weak-signature' : null
}

/** Extended key usage is for authorities too: they pass on no more than they have. */
function useProblem(certificate: X509Certificate, extensions: ReadonlyMap<string, Extension>): ChainProblem | null {
  const usages = certificate.keyUsage as readonly string[] | undefined
  if (usages !== undefined && !usages.includes(CLIENT_AUTH)) return 'not-for-clients'
  const strange = [...extensions].some(([oid, { critical }]) => critical && !KNOWN.has(oid))
  // Limits on names are not worked out here: who has any is not heard (critical or not, OpenSSL would heed them).
  return strange || extensions.has(OID.nameConstraints) ? 'unknown-extension' : null
}

const leafProblem = (extensions: ReadonlyMap<string, Extension>): ChainProblem | null =>
  mayBeUsedFor(extensions, 'digitalSignature') || mayBeUsedFor(extensions, 'keyAgreement') ? null : 'not-for-clients'

/** `below`: authorities between this one and the viewer's certificate. */
function authorityProblem(
  certificate: X509Certificate,
  extensions: ReadonlyMap<string, Extension>,
  below: number,
): ChainProblem | null {
  if (!certificate.ca || !mayBeUsedFor(extensions, 'keyCertSign')) return 'not-an-authority'
  const length = pathLength(extensions)
  return length !== null && below > length ? 'path-too-long' : null
}
