//! Asks an authority elsewhere for a certificate: a request that its key signs (PKCS #10, RFC 2986).
import type { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** The names are in its extension alone: authorities of today want nothing else. */
export function certificateRequest(
  names: readonly string[],
  keys: webcrypto.CryptoKeyPair,
  signingAlgorithm: object,
): Promise<x509.Pkcs10CertificateRequest> {
  return x509.Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: signingAlgorithm as webcrypto.EcdsaParams,
    extensions: [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }) as const))],
  })
}
