//! Makes certificates: an authority of this installation alone, and what it vouches for. Slow to load (120 ms of CPU), so
//! that it runs in a thread of its own (issuing.ts); everything that travels is PEM text.
import 'reflect-metadata'
import { randomBytes, type webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'
import { certificateRequest } from './requests.ts'
import type { CertificateWish, MadeCertificate } from './wishes.ts'

/** ECDSA P-256: the key that every viewer of the last ten years takes, and the cheapest handshake. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
/** Kinds of keys by ACM's words. */
const KEYS: Readonly<Record<string, object>> = {
  EC_prime256v1: ALGORITHM,
  EC_secp384r1: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  ...Object.fromEntries(
    [2048, 3072, 4096].map((bits) => [
      `RSA_${bits}`,
      { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: bits },
    ]),
  ),
}
const DAY_MS = 86_400_000
/** A clock that is a little behind must find them valid. */
const BACKDATED_MS = DAY_MS
const AUTHORITY_DAYS = 3_650
/** Browsers and systems refuse certificates of users' own authorities that are valid longer than 825 days. */
const CERTIFICATE_DAYS = 397

/** `now` in milliseconds, wall clock. @throws when a name or the issuer's key cannot be used */
export async function makeCertificate(wish: CertificateWish, now: number): Promise<MadeCertificate> {
  const kind = wish.kind === 'authority' ? 'EC_prime256v1' : (wish.key ?? 'EC_prime256v1')
  const algorithm = KEYS[kind]
  if (algorithm === undefined) throw new Error(`there is no kind of key named ${kind}`)
  const keys = (await crypto.subtle.generateKey(algorithm as typeof ALGORITHM, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair
  const certificate =
    wish.kind === 'authority'
      ? await authority(wish.commonName, keys, now)
      : wish.kind === 'server'
        ? await leaf(wish, keys, now)
        : await certificateRequest(wish.names, keys, algorithm)
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'), certificate: certificate.toString('pem') }
}

async function authority(
  commonName: string,
  keys: webcrypto.CryptoKeyPair,
  now: number,
): Promise<x509.X509Certificate> {
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags
  return x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }, { O: ['Cachefront'] }],
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(now + AUTHORITY_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      // It signs certificates of servers and no further authorities.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
}

async function leaf(
  { names, issuer, lifeFrom = 0 }: Extract<CertificateWish, { kind: 'server' }>,
  keys: webcrypto.CryptoKeyPair,
  now: number,
): Promise<x509.X509Certificate> {
  const issuerCertificate = new x509.X509Certificate(issuer.certificate)
  const signingKey = await crypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(issuer.key),
    ALGORITHM,
    false,
    ['sign'],
  )
  return x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    // The names are those of the extension (RFC 9525 2); this one is for people, and has at most 64 characters.
    subject: [{ CN: [(names[0] ?? '').slice(0, 64)] }],
    issuer: issuerCertificate.subject,
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(Math.max(now, lifeFrom) + CERTIFICATE_DAYS * DAY_MS),
    signingKey,
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(keyUsage(keys.publicKey), true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(issuerCertificate),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
}

/** RSA suites of TLS 1.2 without forward secrecy encrypt a secret with the key. */
function keyUsage({ algorithm }: webcrypto.CryptoKey): number {
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags
  return algorithm.name === 'ECDSA' ? digitalSignature : digitalSignature | keyEncipherment
}

/** 16 bytes by chance, positive and without a leading zero (RFC 5280 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes.toString('hex')
}
