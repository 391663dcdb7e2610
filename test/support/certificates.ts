//! Certificates for servers that tests start: an authority, what it vouches for, and what is wrong in one way.
import 'reflect-metadata'
import { randomBytes, type webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
} as const
const DAY_MS = 86_400_000

/** PEM. */
export interface ServerCertificate {
  readonly key: string
  readonly cert: string
}

export interface Wanted {
  /** DNS names and addresses. */
  readonly names: readonly string[]
  /** Days from now; the past for an expired one. */
  readonly from?: number
  readonly to?: number
  readonly rsa?: boolean
  /** Bits of an RSA key; 2048. */
  readonly bits?: number
  /** In the place of P-256. */
  readonly curve?: 'P-384' | 'P-521'
  /** URL of an OCSP responder, which need not answer; absent: none is named. */
  readonly ocsp?: string
  /** Of the leaf; absent: none is named. */
  readonly usages?: number
  /** Hexadecimal; otherwise random. */
  readonly serial?: string
  /** Extensions besides. */
  readonly more?: readonly x509.Extension[]
  /** Common name, or a whole name such as `O=Somebody`; `Test server` unless told otherwise. */
  readonly subject?: string
}

export class TestAuthority {
  readonly #keys: webcrypto.CryptoKeyPair
  readonly #own: x509.X509Certificate

  private constructor(keys: webcrypto.CryptoKeyPair, own: x509.X509Certificate) {
    this.#keys = keys
    this.#own = own
  }

  static async make(name = 'Test authority', issued: Partial<Wanted> = {}): Promise<TestAuthority> {
    const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
    const own = await x509.X509CertificateGenerator.createSelfSigned({
      ...lifetime(issued),
      name: `CN=${name}`,
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    })
    return new TestAuthority(keys, own)
  }

  /** An intermediate authority, which this one vouches for. */
  async below(name = 'Test intermediate', issued: Partial<Wanted> = {}): Promise<TestAuthority> {
    const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
    const own = await x509.X509CertificateGenerator.create({
      ...lifetime(issued),
      subject: `CN=${name}`,
      issuer: this.#own.subject,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    })
    return new TestAuthority(keys, own)
  }

  /** What is to be trusted. */
  get pem(): string {
    return this.#own.toString('pem')
  }

  /** PEM of its private key, for programs that sign in its name. */
  key(): Promise<string> {
    return pemOf(this.#keys)
  }

  async issue(wanted: Wanted): Promise<ServerCertificate> {
    const keys = await serverKeys(wanted)
    const certificate = await x509.X509CertificateGenerator.create({
      ...lifetime(wanted),
      subject: nameOf(wanted),
      issuer: this.#own.subject,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: extensionsOf(wanted),
    })
    return { key: await pemOf(keys), cert: certificate.toString('pem') }
  }
}

export async function selfSigned(wanted: Wanted): Promise<ServerCertificate> {
  const keys = await serverKeys(wanted)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...lifetime(wanted),
    name: nameOf(wanted),
    keys,
    signingAlgorithm: algorithmOf(wanted),
    extensions: extensionsOf(wanted),
  })
  return { key: await pemOf(keys), cert: certificate.toString('pem') }
}

/** A common name, or a whole name such as `O=Somebody`. */
const nameOf = ({ subject = 'Test server' }: Wanted): string => (subject.includes('=') ? subject : `CN=${subject}`)

const algorithmOf = ({ rsa, bits, curve }: Wanted) =>
  rsa ? { ...RSA, modulusLength: bits ?? 2048 } : { ...ALGORITHM, namedCurve: curve ?? 'P-256' }

const serverKeys = (wanted: Wanted): Promise<webcrypto.CryptoKeyPair> =>
  crypto.subtle.generateKey(algorithmOf(wanted), true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>

const pemOf = async (keys: webcrypto.CryptoKeyPair): Promise<string> =>
  x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')

const lifetime = ({ from = -1, to = 30, serial }: Partial<Wanted>) => ({
  serialNumber: serial ?? randomBytes(12).toString('hex').replace(/^./, '1'),
  notBefore: new Date(Date.now() + from * DAY_MS),
  notAfter: new Date(Date.now() + to * DAY_MS),
})

const extensionsOf = (wanted: Wanted): x509.Extension[] => [
  ...(wanted.names.length === 0 ? [] : [alternativeNames(wanted)]),
  new x509.BasicConstraintsExtension(false),
  ...(wanted.usages === undefined ? [] : [new x509.KeyUsagesExtension(wanted.usages, true)]),
  ...(wanted.more ?? []),
  ...(wanted.ocsp === undefined ? [] : [new x509.AuthorityInfoAccessExtension({ ocsp: wanted.ocsp })]),
]

const alternativeNames = ({ names }: Wanted) =>
  new x509.SubjectAlternativeNameExtension(
    names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
  )
