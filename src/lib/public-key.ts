//! Public keys as text (PEM, SubjectPublicKeyInfo): which kind one is, and the object that verifies with it.
import { createPublicKey, type KeyObject } from 'node:crypto'

export interface KeyFacts {
  readonly key: KeyObject
  readonly type: 'rsa' | 'ec'
  /** Of RSA; 0 for elliptic curves. */
  readonly bits: number
  /** `prime256v1`; empty for RSA. */
  readonly curve: string
}

/** One block and nothing beside it: node's reader would also take a certificate, or the public half of a private key. */
const PEM = /^\s*-----BEGIN PUBLIC KEY-----\r?\n[A-Za-z0-9+/=\r\n]+-----END PUBLIC KEY-----\s*$/

/** Null for what is not one public key of RSA or an elliptic curve. */
export function readPublicKey(pem: string): KeyFacts | null {
  if (!PEM.test(pem)) return null
  try {
    const key = createPublicKey(pem)
    const { modulusLength = 0, publicExponent = 0n, namedCurve = '' } = key.asymmetricKeyDetails ?? {}
    // With the exponent 1 everybody could sign.
    if (key.asymmetricKeyType === 'rsa' && publicExponent > 1n)
      return { key, type: 'rsa', bits: modulusLength, curve: '' }
    if (key.asymmetricKeyType === 'ec') return { key, type: 'ec', bits: 0, curve: namedCurve }
    return null
  } catch {
    return null
  }
}
