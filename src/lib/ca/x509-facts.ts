//! What a certificate says, in ACM's words. Node reads most of it; the extensions that it does not show (who the key may
//! be used by) are walked to in the DER.
import type { X509Certificate } from 'node:crypto'

export interface X509Facts {
  /** `CN=www.example.com, O=Example`. */
  readonly subject: string
  /** Organization of the issuer, its common name when it has none; empty when the field is. */
  readonly issuer: string
  /** `0a:1b:...`. */
  readonly serial: string
  readonly notBefore: Date
  readonly notAfter: Date
  /** Lower case: DNS names and IP addresses of the extension; without the extension the common name. */
  readonly names: readonly string[]
  /** `RSA_2048`, `EC_prime256v1`, ...; of kinds that ACM has no word for, OpenSSL's. */
  readonly keyAlgorithm: string
  /** `SHA256WITHRSA`. */
  readonly signatureAlgorithm: string
  readonly keyUsages: readonly string[]
  readonly extendedKeyUsages: readonly { readonly name: string; readonly oid: string }[]
  /** 3 of today's certificates. */
  readonly version: number
}

/** By bit of KeyUsage (RFC 5280 4.2.1.3). */
const KEY_USAGES = [
  'DIGITAL_SIGNATURE',
  'NON_REPUDIATION',
  'KEY_ENCIPHERMENT',
  'DATA_ENCIPHERMENT',
  'KEY_AGREEMENT',
  'CERTIFICATE_SIGNING',
  'CRL_SIGNING',
  'ENCIPHER_ONLY',
  'DECIPHER_ONLY',
]

const EXTENDED_KEY_USAGES: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'TLS_WEB_SERVER_AUTHENTICATION',
  '1.3.6.1.5.5.7.3.2': 'TLS_WEB_CLIENT_AUTHENTICATION',
  '1.3.6.1.5.5.7.3.3': 'CODE_SIGNING',
  '1.3.6.1.5.5.7.3.4': 'EMAIL_PROTECTION',
  '1.3.6.1.5.5.7.3.5': 'IPSEC_END_SYSTEM',
  '1.3.6.1.5.5.7.3.6': 'IPSEC_TUNNEL',
  '1.3.6.1.5.5.7.3.7': 'IPSEC_USER',
  '1.3.6.1.5.5.7.3.8': 'TIME_STAMPING',
  '1.3.6.1.5.5.7.3.9': 'OCSP_SIGNING',
  '2.5.29.37.0': 'ANY',
}

export function factsOf(x509: X509Certificate): X509Facts {
  const issuer = attributes(x509.issuer)
  const common = attributes(x509.subject).get('CN')
  const alternative = alternativeNames(x509)
  return {
    subject: x509.subject?.split('\n').join(', ') ?? '',
    issuer: issuer.get('O') ?? issuer.get('CN') ?? x509.issuer?.split('\n')[0] ?? '',
    serial: (x509.serialNumber.toLowerCase().match(/../g) ?? []).join(':'),
    notBefore: x509.validFromDate,
    notAfter: x509.validToDate,
    names: x509.subjectAltName !== undefined || common === undefined ? alternative : hostNames([common]),
    keyAlgorithm: keyAlgorithmOf(x509),
    signatureAlgorithm: signatureAlgorithmOf(x509),
    keyUsages: keyUsagesOf(x509.raw),
    extendedKeyUsages: (x509.keyUsage ?? []).map((oid) => ({ oid, name: EXTENDED_KEY_USAGES[oid] ?? 'CUSTOM' })),
    version: versionOf(x509.raw),
  }
}

/** Of a name as Node shows it, a line each; of several of one kind the first. */
function attributes(name: string | undefined): ReadonlyMap<string, string> {
  const lines = (name ?? '')
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const)
  return new Map(lines.filter(([kind]) => kind !== '').reverse())
}

function alternativeNames({ subjectAltName }: X509Certificate): string[] {
  return hostNames(
    (subjectAltName ?? '').split(', ').flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1] ?? []),
  )
}

/** What has characters that no host name and no address has names nobody, and would be shown in logs and metrics. */
const hostNames = (names: readonly string[]): string[] =>
  names.map((name) => name.toLowerCase()).filter((name) => /^[a-z0-9*._:-]{1,253}$/.test(name))

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'EC_prime256v1',
  secp384r1: 'EC_secp384r1',
  secp521r1: 'EC_secp521r1',
}

function keyAlgorithmOf({ publicKey }: X509Certificate): string {
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails: details } = publicKey
  if (type === 'rsa') return `RSA_${details?.modulusLength ?? 0}`
  if (type === 'ec') return CURVES[details?.namedCurve ?? ''] ?? `EC_${details?.namedCurve}`
  return type
}

/** OpenSSL's `ecdsa-with-SHA256` and `sha256WithRSAEncryption`. */
function signatureAlgorithmOf(x509: X509Certificate): string {
  const name = x509.signatureAlgorithm ?? ''
  const ecdsa = /^ecdsa-with-(\w+)$/.exec(name)?.[1]
  return ecdsa === undefined ? name.replace(/Encryption$/, '').toUpperCase() : `${ecdsa.toUpperCase()}WITHECDSA`
}

interface Element {
  readonly tag: number
  readonly content: Buffer
}

/** The elements of a DER value, one after the other; what is cut off ends them (OpenSSL has read the whole before). */
function elements(bytes: Buffer): Element[] {
  const found: Element[] = []
  for (let at = 0; at + 2 <= bytes.length; ) {
    const tag = bytes[at]!
    let length = bytes[at + 1]!
    let start = at + 2
    if (length > 0x80) {
      const count = length & 0x7f
      if (count > 4 || start + count > bytes.length) break
      length = bytes.readUIntBE(start, count)
      start += count
    }
    found.push({ tag, content: bytes.subarray(start, start + length) })
    at = start + length
  }
  return found
}

const SEQUENCE = 0x30
const VERSION = 0xa0
const EXTENSIONS = 0xa3
const OCTET_STRING = 0x04
/** 2.5.29.15. */
const KEY_USAGE = '551d0f'

const toBeSigned = (raw: Buffer): Element[] => elements(elements(elements(raw)[0]?.content ?? raw)[0]?.content ?? raw)

function versionOf(raw: Buffer): number {
  const field = toBeSigned(raw).find(({ tag }) => tag === VERSION)
  const number = field === undefined ? undefined : elements(field.content)[0]
  return (number?.content.at(-1) ?? 0) + 1
}

function keyUsagesOf(raw: Buffer): string[] {
  const wrapped = toBeSigned(raw).find(({ tag }) => tag === EXTENSIONS)
  const list = wrapped === undefined ? undefined : elements(wrapped.content).find(({ tag }) => tag === SEQUENCE)
  for (const extension of list === undefined ? [] : elements(list.content)) {
    const parts = elements(extension.content)
    if (parts[0]?.content.toString('hex') !== KEY_USAGE) continue
    const value = parts.find(({ tag }) => tag === OCTET_STRING)
    const bits = value === undefined ? undefined : elements(value.content)[0]?.content.subarray(1)
    if (bits === undefined) return []
    return KEY_USAGES.filter((_, at) => ((bits[at >> 3] ?? 0) & (0x80 >> (at & 7))) !== 0)
  }
  return []
}
