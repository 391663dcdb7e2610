//! Whether a signature lets a viewer in: the order of the checks, and what each answers (spec/cloudfront.md 9.3, 9.7, 9.8).
//! PURE but for the memory of what was verified. The cheap conditions come before the signature, the comparison with a
//! pattern after it: nobody but a signer has us compare.

import { type AskedUrl, matchesResource } from './resource-pattern.ts'
import type { SignedMaterial, SigningField } from './signed-material.ts'
import { cannedPolicy, cannedTerms, isWithin, readPolicy, type SignedPolicy } from './signed-policy.ts'
import { isSignedBy, type SignerKey, type SignersPlan } from './signer-keys.ts'
import { decodeSigned } from './signing-base64.ts'
import type { VerifiedPolicies } from './verified-policies.ts'

/** Codes of the XML answer. MissingSignature and MissingPolicy are unconfirmed. */
export const SIGNED_MESSAGES = {
  MissingKey: 'Missing Key-Pair-Id query parameter or cookie value',
  MissingSignature: 'Missing Signature query parameter or cookie value',
  MissingPolicy: 'Missing Policy or Expires query parameter or cookie value',
  InvalidKey: 'Unknown Key',
  MalformedSignature: 'Could not unencode Signature',
  MalformedPolicy: 'Malformed Policy',
  AccessDenied: 'Access denied',
} as const
export type SignedCode = keyof typeof SIGNED_MESSAGES

export interface SignedRefusal {
  readonly code: SignedCode
  /** Which check decided, for a trace: nothing of what the viewer sent. */
  readonly check: string
}

export interface SignedPass {
  readonly code: null
  readonly policy: SignedPolicy
  readonly signer: SignerKey
  /** The signature was verified before. */
  readonly remembered: boolean
}

export type SignedVerdict = SignedRefusal | SignedPass

/** What a request brings besides its signature. */
export interface SignedRequest {
  readonly url: AskedUrl
  /** As of Exchange.viewerAddress. */
  readonly viewerAddress: string
  /** Milliseconds, Clock.now(). */
  readonly now: number
}

/** What a field that came twice is called. */
const TWICE: Readonly<Record<SigningField, SignedCode>> = {
  Expires: 'MalformedPolicy',
  Policy: 'MalformedPolicy',
  Signature: 'MalformedSignature',
  'Key-Pair-Id': 'InvalidKey',
  'Hash-Algorithm': 'AccessDenied',
}

/** Characters; RSA of 4,096 bits has 684. */
const SIGNATURE_CHARS_MAX = 1_024
/** Characters of a custom policy in its alphabet: those of POLICY_BYTES_MAX. */
const POLICY_CHARS_MAX = 8_192

const refusal = (code: SignedCode, check: string): SignedRefusal => ({ code, check })

export function checkSigned(
  plan: SignersPlan,
  material: SignedMaterial | null,
  request: SignedRequest,
  verified: VerifiedPolicies,
): SignedVerdict {
  if (material === null) return refusal('MissingKey', 'neither the URL nor a cookie is signed')
  const { values, twice } = material
  if (twice !== null) return refusal(TWICE[twice], `${twice} came twice`)
  const { 'Key-Pair-Id': id, Signature: signature, Policy: custom, Expires: expires } = values
  if (id === undefined) return refusal('MissingKey', 'no Key-Pair-Id')
  const signer = plan.keys.get(id)
  if (signer === undefined) return refusal('InvalidKey', 'the key is of no signer that the behavior trusts')
  if (signature === undefined) return refusal('MissingSignature', 'no Signature')
  const hash = hashOf(values['Hash-Algorithm'])
  if (hash === null) return refusal('AccessDenied', 'Hash-Algorithm is neither SHA1 nor SHA256')
  // A cookie of a custom policy may stand beside an older one of a canned policy: the signature tells which is meant.
  const text = custom ?? (expires === undefined ? null : cannedPolicy(expires, request.url))
  if (text === null) {
    return expires === undefined
      ? refusal('MissingPolicy', 'neither Policy nor Expires')
      : refusal('MalformedPolicy', 'Expires is no time')
  }
  // Nothing of it has been looked at yet, and whoever sends it chooses every character: a custom policy must not pass for
  // the text of a canned one, which is good for its own URL, nor one part for the end of another.
  const kind = custom === undefined ? 'canned' : 'custom'
  const name = `${plan.serial} ${hash} ${kind} ${signature.length} ${id} ${signature} ${text}`
  const known = verified.get(name)
  if (known !== undefined) {
    const wrong = wrongWith(known, request)
    if (wrong === TOO_LATE) verified.forget(name)
    return wrong ?? resourceWrong(known, request) ?? { code: null, policy: known, signer, remembered: true }
  }
  const signed = firstSight(custom, expires, text, signature)
  if ('code' in signed) return signed
  const wrong = wrongWith(signed.policy, request)
  if (wrong !== null) return wrong
  if (!isSignedBy(signer, hash, signed.bytes, signed.signature)) {
    return refusal('AccessDenied', 'the signature is not that of the key for this policy')
  }
  verified.set(name, signed.policy)
  return resourceWrong(signed.policy, request) ?? { code: null, policy: signed.policy, signer, remembered: false }
}

/** A policy that was verified, looked at for another request. */
export const stillGood = (policy: SignedPolicy, request: SignedRequest): SignedRefusal | null =>
  wrongWith(policy, request) ?? resourceWrong(policy, request)

function hashOf(algorithm: string | undefined): 'sha1' | 'sha256' | null {
  if (algorithm === undefined || algorithm === 'SHA1') return 'sha1'
  return algorithm === 'SHA256' ? 'sha256' : null
}

interface FirstSight {
  readonly policy: SignedPolicy
  /** What the signature is of. */
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
}

function firstSight(
  custom: string | undefined,
  expires: string | undefined,
  text: string,
  signatureText: string,
): FirstSight | SignedRefusal {
  const signature = signatureText.length > SIGNATURE_CHARS_MAX ? null : decodeSigned(signatureText)
  if (signature === null) return refusal('MalformedSignature', 'Signature is not in the alphabet of signed URLs')
  if (custom === undefined) {
    return { policy: cannedTerms(expires as string), bytes: Buffer.from(text, 'latin1'), signature }
  }
  const bytes = custom.length > POLICY_CHARS_MAX ? null : decodeSigned(custom)
  if (bytes === null) return refusal('MalformedPolicy', 'Policy is not in the alphabet of signed URLs, or too long')
  const policy = readPolicy(bytes)
  if (policy === null) return refusal('MalformedPolicy', 'Policy is not the JSON of a policy')
  return { policy, bytes, signature }
}

const TOO_LATE = refusal('AccessDenied', 'DateLessThan or Expires is over')
const TOO_EARLY = refusal('AccessDenied', 'DateGreaterThan is yet to come')
const ELSEWHERE = refusal('AccessDenied', 'the viewer is not in the network of IpAddress')
const OTHER_URL = refusal('AccessDenied', 'Resource is not the URL that is asked for')

function wrongWith(policy: SignedPolicy, { now, viewerAddress }: SignedRequest): SignedRefusal | null {
  const seconds = now / 1_000
  if (seconds >= policy.lessThan) return TOO_LATE
  if (policy.greaterThan !== null && seconds <= policy.greaterThan) return TOO_EARLY
  return policy.source !== null && !isWithin(policy.source, viewerAddress) ? ELSEWHERE : null
}

const resourceWrong = ({ resource }: SignedPolicy, { url }: SignedRequest): SignedRefusal | null =>
  resource === null || matchesResource(resource, url) ? null : OTHER_URL

export function signedRefusalXml(code: SignedCode): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${SIGNED_MESSAGES[code]}</Message></Error>`
}
