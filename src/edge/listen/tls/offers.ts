//! What a ClientHello says of its viewer: which protocols it may be offered, which kind of key it can check. PURE.
import type { ClientHello } from './client-hello.ts'
import type { ViewerProtocol } from './endpoints.ts'

const HTTP1: readonly ViewerProtocol[] = ['http/1.1']
const HTTP2: readonly ViewerProtocol[] = ['h2', 'http/1.1']

/** By HttpVersion: `http2`, `http2and3`. */
export const speaksHttp2 = (httpVersion: string): boolean => httpVersion.startsWith('http2')

/**
 * By HttpVersion (spec/cloudfront.md 13.3): HTTP/2 needs TLS 1.2 or newer. Without a QUIC stack `http3` is HTTP/1.1, which
 * it has beside HTTP/3. Returns one of a few constants.
 */
export function offeredProtocols(
  httpVersion: string,
  { newest, cipherSuites }: ClientHello,
): readonly ViewerProtocol[] {
  if (!speaksHttp2(httpVersion) || newest < TLS_1_2) return HTTP1
  // One with the ciphers of ten years ago alone is better off with HTTP/1.1 than with a connection it must refuse.
  return cipherSuites.has(HTTP2_SUITES) ? HTTP2 : HTTP1
}

const TLS_1_2 = 0x0303
const TLS_1_3 = 0x0304
const ECDSA_P256_SHA256 = 0x0403
const P256 = 23
/** ECDHE-ECDSA-* of the table (domain/security-policies.ts) and those of TLS 1.3, by their IANA numbers. */
const ECDSA_SUITES: ReadonlySet<number> = new Set([0xc02b, 0xc023, 0xc009, 0xc02c, 0xcca9, 0xc024, 0xc00a])
const TLS_1_3_SUITES: ReadonlySet<number> = new Set([0x1301, 0x1302, 0x1303])
/** With these HTTP/2 may be spoken (RFC 9113 9.2.2): those of TLS 1.3, ECDHE with AES-GCM or ChaCha20-Poly1305. */
const HTTP2_SUITES: ReadonlySet<number> = new Set([
  ...TLS_1_3_SUITES,
  ...[0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9],
])

/**
 * Which kind of key a viewer is shown where both are there, the ECDSA key of this curve (OpenSSL's name); null when only
 * OpenSSL knows. With TLS 1.3, which every policy has, its signature schemes decide, and ECDSA comes first
 * (domain/security-policies.ts); before, the cipher does.
 */
export function shownKey({ newest, cipherSuites, signatureSchemes }: ClientHello, curve: string): 'EC' | 'RSA' | null {
  if (newest === TLS_1_3 && cipherSuites.has(TLS_1_3_SUITES)) {
    const scheme = ECDSA_SCHEMES[curve]
    return scheme !== undefined && signatureSchemes?.includes(scheme) === true ? 'EC' : 'RSA'
  }
  return cipherSuites.has(ECDSA_SUITES) ? null : 'RSA'
}

const ECDSA_SCHEMES: Readonly<Record<string, number>> = { prime256v1: 0x0403, secp384r1: 0x0503, secp521r1: 0x0603 }

/** True when it is certain that the viewer takes a certificate with a P-256 key. */
export function takesEcdsa({ newest, cipherSuites, signatureSchemes, groups }: ClientHello): boolean {
  if (newest < TLS_1_2 || signatureSchemes?.includes(ECDSA_P256_SHA256) !== true) return false
  if (newest === TLS_1_3 && cipherSuites.has(TLS_1_3_SUITES)) return true
  return groups?.includes(P256) !== false && cipherSuites.has(ECDSA_SUITES)
}
