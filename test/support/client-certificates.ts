//! Certificates of viewers for tests of mutual TLS: a root, intermediates below it, and what they vouch for, each right or
//! wrong in one way.
import 'reflect-metadata'
import { randomBytes, type webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

const DAY_MS = 86_400_000
const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

export interface IssueOptions {
  readonly name?: string
  /** Days from now; the past for an expired one. */
  readonly from?: number
  readonly to?: number
  /** Bits of an RSA key; absent for P-256. */
  readonly rsa?: number
  /** Of a viewer; absent for clientAuth, empty for a certificate without the extension. */
  readonly usages?: readonly x509.ExtendedKeyUsageType[]
  /** Bits of the key usage; absent for digitalSignature, or keyCertSign of an authority. */
  readonly keyUsage?: number
  /** Further ones. */
  readonly extensions?: readonly x509.Extension[]
  readonly serialNumber?: string
}

export interface AuthorityOptions extends IssueOptions {
  /** Authorities below it; absent for any number. */
  readonly pathLength?: number
  /** Not an authority's, though it signs. */
  readonly notCa?: boolean
}

/** PEM, as curl, openssl and node take it: the key, and the certificate with its intermediates behind it. */
export interface ClientCertificate {
  readonly key: string
  readonly cert: string
  /** The certificate alone. */
  readonly leaf: string
}

export class ClientAuthority {
  readonly #keys: webcrypto.CryptoKeyPair
  readonly #own: x509.X509Certificate
  /** PEM of what viewers send behind theirs: this one and those above it, but for the root. */
  readonly #chain: string

  private constructor(keys: webcrypto.CryptoKeyPair, own: x509.X509Certificate, chain: string) {
    this.#keys = keys
    this.#own = own
    this.#chain = chain
  }

  static async root(options: AuthorityOptions = {}): Promise<ClientAuthority> {
    const keys = await newKeys(options)
    const own = await x509.X509CertificateGenerator.createSelfSigned({
      ...lifetime(options),
      name: options.name ?? 'CN=Viewers root,O=Test',
      keys,
      signingAlgorithm: signing(keys),
      extensions: authorityExtensions(options),
    })
    return new ClientAuthority(keys, own, '')
  }

  /** PEM of its own certificate: what a trust store has. */
  get pem(): string {
    return `${this.#own.toString('pem')}\n`
  }

  /** An authority below this one. */
  async intermediate(options: AuthorityOptions = {}): Promise<ClientAuthority> {
    const keys = await newKeys(options)
    const own = await this.#sign(options.name ?? 'CN=Viewers intermediate', keys, options, authorityExtensions(options))
    return new ClientAuthority(keys, own, `${own.toString('pem')}\n${this.#chain}`)
  }

  async issue(options: IssueOptions = {}): Promise<ClientCertificate> {
    const keys = await newKeys(options)
    const usages = options.usages ?? [x509.ExtendedKeyUsage.clientAuth]
    const certificate = await this.#sign(options.name ?? 'CN=viewer', keys, options, [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(options.keyUsage ?? x509.KeyUsageFlags.digitalSignature, true),
      ...(usages.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...usages])]),
      ...(options.extensions ?? []),
    ])
    const leaf = `${certificate.toString('pem')}\n`
    return { key: await keyPem(keys), leaf, cert: leaf + this.#chain }
  }

  #sign(
    subject: string,
    keys: webcrypto.CryptoKeyPair,
    options: IssueOptions,
    extensions: x509.Extension[],
  ): Promise<x509.X509Certificate> {
    return x509.X509CertificateGenerator.create({
      ...lifetime(options),
      subject,
      issuer: this.#own.subject,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: signing(this.#keys),
      extensions,
    })
  }
}

/** What nobody vouches for. */
export async function selfSignedClient(options: IssueOptions = {}): Promise<ClientCertificate> {
  const keys = await newKeys(options)
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    ...lifetime(options),
    name: options.name ?? 'CN=viewer',
    keys,
    signingAlgorithm: signing(keys),
    extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
  })
  const leaf = `${own.toString('pem')}\n`
  return { key: await keyPem(keys), leaf, cert: leaf }
}

function authorityExtensions({ pathLength, notCa, keyUsage, extensions }: AuthorityOptions): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(notCa !== true, pathLength, true),
    new x509.KeyUsagesExtension(keyUsage ?? x509.KeyUsageFlags.keyCertSign, true),
    ...(extensions ?? []),
  ]
}

const newKeys = ({ rsa }: IssueOptions): Promise<webcrypto.CryptoKeyPair> => {
  const algorithm =
    rsa === undefined
      ? EC
      : {
          name: 'RSASSA-PKCS1-v1_5',
          hash: 'SHA-256',
          publicExponent: new Uint8Array([1, 0, 1]),
          modulusLength: rsa,
        }
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
}

const signing = ({ privateKey }: webcrypto.CryptoKeyPair) =>
  privateKey.algorithm.name === 'ECDSA' ? EC : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }

const keyPem = async (keys: webcrypto.CryptoKeyPair): Promise<string> =>
  x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')

const lifetime = ({ from = -1, to = 30, serialNumber }: IssueOptions) => ({
  serialNumber: serialNumber ?? randomBytes(12).toString('hex').replace(/^./, '1'),
  notBefore: new Date(Date.now() + from * DAY_MS),
  notAfter: new Date(Date.now() + to * DAY_MS),
})
