//! The certificates that viewers are shown: one for the names of the installation, one more for each alias that a
//! distribution has. Made by the installation's own authority when the first viewer asks for them, and remembered.
import { createSecureContext, type SecureContext } from 'node:tls'
import { Authority } from '../lib/ca/authority.ts'
import type { MadeCertificate } from '../lib/ca/wishes.ts'
import type { ServerCertificates } from './listen/tls.ts'
import type { Snapshot } from './snapshot/snapshot.ts'

/** Name under which the certificate of the installation's own names is kept. */
export const EDGE_CERTIFICATE = 'edge'
/** Certificates of aliases that a worker remembers; over them all are forgotten. */
const REMEMBERED_MAX = 10_000

export interface CertificateOptions {
  /** Of the authority (lib/ca/authority.ts). */
  readonly directory: string
  /** As of `edgeNames`. */
  readonly names: readonly string[]
  /** The configuration of this moment. */
  readonly snapshot: () => Snapshot
  /** Milliseconds of the wall clock. */
  readonly wall: () => number
  /** One line for the operator. */
  readonly problem: (message: string) => void
}

/** What the edge is reached by without any alias; `hosts` are the IP addresses that it listens on. */
export const edgeNames = (edgeDomain: string, hosts: readonly string[]): readonly string[] => [
  ...new Set([`*.${edgeDomain}`, '*.cloudfront.net', 'localhost', '127.0.0.1', '::1', ...hosts]),
]

export class ViewerCertificates implements ServerCertificates {
  readonly #options: CertificateOptions
  #authority: Promise<Authority> | null = null
  #standard: Promise<MadeCertificate> | null = null
  readonly #contexts = new Map<string, Promise<SecureContext>>()

  constructor(options: CertificateOptions) {
    this.#options = options
  }

  standard(): Promise<MadeCertificate> {
    this.#standard ??= this.#open()
      .then((authority) => authority.kept(EDGE_CERTIFICATE, this.#options.names))
      .catch((error) => {
        this.#standard = null
        this.#options.problem(`no certificate for HTTPS: ${(error as Error).message}`)
        throw error
      })
    return this.#standard
  }

  async of(name: string): Promise<SecureContext | null> {
    const lower = name.toLowerCase()
    if (this.#options.names.some((own) => covers(own, lower))) return this.#context('', () => this.standard())
    const alias = aliasFor(this.#options.snapshot(), lower)
    if (alias === null) return null
    return this.#context(alias, async () => (await this.#open()).issue([alias]))
  }

  async close(): Promise<void> {
    const authority = await this.#authority?.catch(() => null)
    authority?.close()
  }

  #context(key: string, make: () => Promise<MadeCertificate>): Promise<SecureContext> {
    const known = this.#contexts.get(key)
    if (known !== undefined) return known
    if (this.#contexts.size >= REMEMBERED_MAX) this.#contexts.clear()
    const made = make().then(({ key, certificate }) => createSecureContext({ key, cert: certificate }))
    this.#contexts.set(key, made)
    made.catch((error) => {
      this.#contexts.delete(key)
      if (key !== '') this.#options.problem(`no certificate for ${key}: ${(error as Error).message}`)
    })
    return made
  }

  #open(): Promise<Authority> {
    this.#authority ??= Authority.open(this.#options.directory, this.#options.wall).catch((error) => {
      this.#authority = null
      throw error
    })
    return this.#authority
  }
}

/** A wildcard stands for one label (RFC 9525 6.3). */
const covers = (own: string, name: string): boolean =>
  own.startsWith('*.') ? name.indexOf('.') > 0 && name.slice(name.indexOf('.')) === own.slice(1) : own === name

/** The alias of a distribution that the name is, or that it falls under; null for none. */
function aliasFor(snapshot: Snapshot, name: string): string | null {
  if (snapshot.exactHosts.get(name) !== undefined) return name
  for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
    if (snapshot.wildcardHosts.get(name.slice(dot)) !== undefined) return `*${name.slice(dot)}`
  }
  return null
}
