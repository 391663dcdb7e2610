//! Who may sign for the viewers of a behavior, compiled: each key is read once, not per request.
import { type KeyObject, verify } from 'node:crypto'
import type { SignersDoc } from '../../domain/distribution.ts'
import { readPublicKey } from '../../lib/public-key.ts'

export interface SignerKey {
  readonly key: KeyObject
  /** What of the behavior trusts it, for a trace: `TrustedKeyGroups`, `TrustedSigners`. */
  readonly field: string
  /** The key group or account. */
  readonly of: string
}

export interface SignersPlan {
  /** Another set of keys has another number: what was verified with one is nothing to the other. */
  readonly serial: number
  /** By Key-Pair-Id. */
  readonly keys: ReadonlyMap<string, SignerKey>
}

/** Equal parts of documents are the same object (snapshot/shared-parts.ts). */
const PLANS = new WeakMap<SignersDoc, SignersPlan>()
let plans = 0

/** A key that cannot be read signs for nobody. */
export function signersPlan(doc: SignersDoc): SignersPlan {
  const known = PLANS.get(doc)
  if (known !== undefined) return known
  const keys = new Map<string, SignerKey>()
  const add = (field: string, of: string, id: string, pem: string) => {
    const facts = readPublicKey(pem)
    if (facts !== null && !keys.has(id)) keys.set(id, { key: facts.key, field, of })
  }
  for (const { account, keys: own } of doc.accounts)
    for (const { id, pem } of own) add('TrustedSigners', account, id, pem)
  for (const { id: group, keys: own } of doc.keyGroups) {
    for (const { id, pem } of own) add('TrustedKeyGroups', group, id, pem)
  }
  const plan: SignersPlan = { serial: ++plans, keys }
  PLANS.set(doc, plan)
  return plan
}

/** RSA PKCS #1 v1.5, or ECDSA in DER as OpenSSL writes it (spec 9.3; unconfirmed for CloudFront). */
export function isSignedBy(
  { key }: SignerKey,
  hash: 'sha1' | 'sha256',
  text: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    return verify(hash, text, key, signature)
  } catch {
    return false
  }
}
