//! Who answers a viewer over TLS, by the name in its ClientHello: the certificate of the distribution that has the alias,
//! or the installation's own. Its authority also vouches for aliases of documents that have no certificate (those of
//! earlier versions), when the first viewer asks for them.
import { X509Certificate } from 'node:crypto'
import { DEFAULT_POLICY } from '../domain/security-policies.ts'
import { Authority, RENEW_BEFORE_MS } from '../lib/ca/authority.ts'
import type { HelloOrigin } from './listen/tls/acceptor.ts'
import type { ClientHello } from './listen/tls/client-hello.ts'
import type { ServedCertificate, ServerIdentity } from './listen/tls/endpoints.ts'
import { offeredProtocols, takesEcdsa } from './listen/tls/offers.ts'
import { shownPair } from './listen/tls/shown-pair.ts'
import { tlsTerms } from './listen/tls/terms.ts'
import { type DistributionPlan, distributionOf, OWN_CERTIFICATE, type Snapshot } from './snapshot/snapshot.ts'

/** Names under which the certificates of the installation's own names are kept: one with a P-256 key, one with RSA. */
export const EDGE_CERTIFICATE = 'edge'
const EDGE_CERTIFICATE_RSA = 'edge-rsa'
/** Certificates of aliases that a worker remembers; over them all are forgotten. */
const REMEMBERED_MAX = 10_000
/** After a successor could not be made; the certificate of before is good for weeks. Milliseconds. */
const RETRY_MS = 3_600_000
/** Viewers come again at once, and must not fill the operator's log. Milliseconds. */
const TELL_EVERY_MS = 60_000

/** What the certificates of the installation are made from. */
export interface OwnCertificates {
  /** Of the authority (lib/ca/authority.ts). */
  readonly directory: string
  /** As of `edgeNames`. */
  readonly names: readonly string[]
}

export interface CertificateOptions extends OwnCertificates {
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

type MaybePromise<T> = T | Promise<T>

export class ViewerCertificates {
  readonly #options: CertificateOptions
  /** The names of the installation: as they are, and what follows the star of the others. */
  readonly #exact: ReadonlySet<string>
  readonly #wildcard: ReadonlySet<string>
  #authority: Promise<Authority> | null = null
  /** Of the installation's own names, with an ECDSA key; with an RSA key beside it. */
  readonly #own: Readonly<Record<'lean' | 'both', Making>> = { lean: unmade(), both: unmade() }
  readonly #aliases = new Map<string, Making>()

  constructor(options: CertificateOptions) {
    this.#options = options
    this.#exact = new Set(options.names.filter((name) => !name.startsWith('*.')))
    this.#wildcard = new Set(options.names.filter((name) => name.startsWith('*.')).map((name) => name.slice(1)))
  }

  /** As of AcceptorOptions. */
  identify(hello: ClientHello, { lenient, dedicatedTo }: HelloOrigin): MaybePromise<ServerIdentity> | null {
    const { serverName: name } = hello
    const snapshot = this.#options.snapshot()
    const plan = name === null ? undefined : distributionOf(snapshot, name)
    if (dedicatedTo !== undefined && plan === undefined && (name === null || !this.#isOwn(name))) {
      const whose = snapshot.distributions.get(dedicatedTo)
      if (whose?.certificate != null) {
        const protocols = offeredProtocols(name === null ? 'http1.1' : whose.doc.httpVersion, hello)
        return { certificate: shownPair(whose.certificate, hello), terms: whose.tls, protocols }
      }
    }
    if (name === null || this.#isOwn(name)) {
      return name === null && !lenient ? null : this.#withOwn(hello, plan)
    }
    if (plan !== undefined) return this.#withAlias(hello, name, plan)
    return lenient ? this.#withOwn(hello, undefined) : null
  }

  async close(): Promise<void> {
    const authority = await this.#authority?.catch(() => null)
    authority?.close()
  }

  /** Names of the installation are under the default policy, whatever the distribution has for its aliases (spec 13.2). */
  #withOwn(hello: ClientHello, plan: DistributionPlan | undefined): MaybePromise<ServerIdentity> {
    const certificate = this.#ownCertificate(hello)
    // HTTP/2 needs a name (spec 13.3), and of a distribution: its HttpVersion says whether it is wanted.
    const protocols = offeredProtocols(plan?.doc.httpVersion ?? 'http1.1', hello)
    const identity = (made: ServedCertificate) => ({
      certificate: made,
      terms: plan?.ownTls ?? tlsTerms(DEFAULT_POLICY),
      protocols,
    })
    return certificate instanceof Promise ? certificate.then(identity) : identity(certificate)
  }

  #withAlias(hello: ClientHello, name: string, plan: DistributionPlan): MaybePromise<ServerIdentity> {
    const certificate =
      plan.certificate === null
        ? this.#aliasCertificate(aliasOf(this.#options.snapshot(), name))
        : shownPair(plan.certificate, hello)
    const protocols = offeredProtocols(plan.doc.httpVersion, hello)
    const identity = (made: ServedCertificate) => ({ certificate: made, terms: plan.tls, protocols })
    return certificate instanceof Promise ? certificate.then(identity) : identity(certificate)
  }

  /** A wildcard stands for one label (RFC 9525 6.3). */
  #isOwn(name: string): boolean {
    if (this.#exact.has(name)) return true
    const dot = name.indexOf('.')
    return dot > 0 && this.#wildcard.has(name.slice(dot))
  }

  /** An RSA key takes a third of a second to make, and hardly a viewer needs it: it is made when the first one does. */
  #ownCertificate(hello: ClientHello): MaybePromise<ServedCertificate> {
    const { lean, both } = this.#own
    const hasBoth = both.made !== null && !(both.made instanceof Promise)
    return !hasBoth && takesEcdsa(hello)
      ? this.#made(lean, '', () => this.#ownPairs(false))
      : this.#made(both, '', () => this.#ownPairs(true))
  }

  async #ownPairs(withRsa: boolean): Promise<ServedCertificate> {
    const authority = await this.#open()
    const { names } = this.#options
    const ecdsa = authority.kept(EDGE_CERTIFICATE, names)
    const rsa = withRsa ? [authority.kept(EDGE_CERTIFICATE_RSA, names, { key: 'RSA_2048' })] : []
    return served(OWN_CERTIFICATE, await Promise.all([ecdsa, ...rsa]))
  }

  #aliasCertificate(alias: string): MaybePromise<ServedCertificate> {
    let making = this.#aliases.get(alias)
    if (making === undefined) {
      if (this.#aliases.size >= REMEMBERED_MAX) this.#aliases.clear()
      making = unmade()
      this.#aliases.set(alias, making)
    }
    return this.#made(making, alias, async () => served(OWN_CERTIFICATE, [await (await this.#open()).issue([alias])]))
  }

  /**
   * What is made already, or is being made; what failed is tried anew with the next viewer. A worker may outlive its
   * certificates: before one is over its successor is made, while it serves on.
   */
  #made(making: Making, alias: string, make: () => Promise<ServedCertificate>): MaybePromise<ServedCertificate> {
    const before = making.made
    if (before !== null && (before instanceof Promise || this.#options.wall() < making.renewAt)) return before
    const next = make().then(
      (certificate) => {
        making.made = certificate
        making.renewAt = overAt(certificate) - RENEW_BEFORE_MS
        return certificate
      },
      (error: Error) => {
        making.made = before
        const now = this.#options.wall()
        if (now >= making.silentUntil) {
          making.silentUntil = now + TELL_EVERY_MS
          const what = before === null ? 'no certificate' : 'no successor of the certificate'
          this.#options.problem(`${what} for ${alias === '' ? 'HTTPS' : alias}: ${error.message}`)
        }
        throw error
      },
    )
    if (before === null) {
      making.made = next
      return next
    }
    making.renewAt = this.#options.wall() + RETRY_MS
    next.catch(() => {})
    return before
  }

  #open(): Promise<Authority> {
    this.#authority ??= Authority.open(this.#options.directory, this.#options.wall).catch((error) => {
      this.#authority = null
      throw error
    })
    return this.#authority
  }
}

interface Making {
  made: MaybePromise<ServedCertificate> | null
  /** Milliseconds of the wall clock. */
  renewAt: number
  /** Until then the operator has heard of it. Milliseconds of the wall clock. */
  silentUntil: number
}

const unmade = (): Making => ({ made: null, renewAt: 0, silentUntil: 0 })

/** Milliseconds of the wall clock at which the first of them is no longer valid. */
const overAt = ({ pairs }: ServedCertificate): number =>
  Math.min(...pairs.map(({ chain }) => new X509Certificate(chain).validToDate.getTime()))

const served = (id: string, made: readonly { key: string; certificate: string }[]): ServedCertificate => ({
  id,
  pairs: made.map(({ key, certificate }) => ({ key, chain: certificate })),
})

/** The alias of a distribution that the name is, or that it falls under. */
function aliasOf(snapshot: Snapshot, name: string): string {
  if (snapshot.exactHosts.get(name) !== undefined) return name
  for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
    if (snapshot.wildcardHosts.get(name.slice(dot)) !== undefined) return `*${name.slice(dot)}`
  }
  return name
}
