//! Encryption in transit of one group: its certificate, how its engines listen and are reached, and the fronts that take
//! both kinds of clients while the mode is `preferred`. What an engine is to do with it says failover.ts.
import { join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import { GroupCertificates } from './certificates.ts'
import type { Door } from './door.ts'
import { readerKeeps, readerTargets, takesWrites } from './failover.ts'
import { type ReaderFront, readerFront } from './front.ts'
import type { GroupView } from './group-view.ts'
import { iamFront } from './iam/iam-front.ts'
import type { EngineNode, Transit } from './node.ts'
import type { GroupWish, KeeperEvent, TransitSeen } from './protocol.ts'
import {
  type CertificateOrigin,
  type Listening,
  listeningOf,
  modeOf,
  possiblePorts,
  type ServedCertificate,
  sameListening,
  type TransitMode,
} from './transit.ts'

export interface GroupTransitOptions {
  readonly group: string
  /** Of the keeper. */
  readonly home: string
  /** Directory of the installation's certificate authority. */
  readonly authority: string
  readonly clock: Clock
  readonly endpoint: string
  readonly reader: string | null
  readonly wish: () => GroupWish
  /** What engines know IAM users by, once their tokens were verified. */
  readonly iamPassword: string
  readonly view: () => GroupView
  /** What the ledger knows of the newest certificate. */
  readonly origin: () => CertificateOrigin | null
  readonly setOrigin: (origin: CertificateOrigin) => void
  readonly emit: (event: KeeperEvent['event']) => void
}

export class GroupTransit {
  readonly #options: GroupTransitOptions
  readonly #certificates: GroupCertificates
  /** By the address that each stands at. */
  readonly #fronts = new Map<string, ReaderFront>()
  #frontsVerify = false
  /** By the address of the node. */
  readonly #expirations = new Map<string, number>()

  constructor(options: GroupTransitOptions) {
    this.#options = options
    const { clock, authority, home, group } = options
    this.#certificates = new GroupCertificates({
      directory: join(home, 'tls', group),
      authority,
      wall: () => clock.wall(),
      monotonic: () => clock.monotonic(),
    })
  }

  get mode(): TransitMode {
    return this.#options.wish().transit?.mode ?? 'off'
  }

  get fronted(): boolean {
    return this.mode === 'preferred' || this.#verified
  }

  /** Tokens of IAM users are verified before TLS reaches an engine. */
  get #verified(): boolean {
    return this.mode !== 'off' && this.#options.wish().access?.users.some((user) => user.iam) === true
  }

  get #listening(): Listening {
    return listeningOf(this.mode, this.#options.wish().port, this.#verified)
  }

  /** What new engines serve, and what all are to serve; null without TLS. */
  certificate(): ServedCertificate | null {
    return this.mode === 'off' ? null : this.#certificates.newest
  }

  /** Fingerprints of what its engines may show now. */
  pins(): readonly string[] {
    return this.#certificates.pins()
  }

  now(): Transit {
    return { listening: this.#listening, certificate: this.certificate() }
  }

  /** Ways to an engine that `door` tells the rest of; more than one only where it may listen otherwise than wished. */
  doors(door: Pick<Door, 'address' | 'username' | 'password'>): readonly [Door, ...Door[]] {
    const { port } = this.#options.wish()
    if (this.mode === 'off' && this.#certificates.newest === null) return [{ ...door, port, tls: null }]
    const pins = this.pins()
    const [first, ...others] = possiblePorts(this.mode, port, this.#verified).map((way) => ({
      ...door,
      port: way.port,
      tls: way.tls ? { pins } : null,
    }))
    return [first!, ...others]
  }

  /**
   * Has the certificate ready that is wished for these nodes. A renewal that fails leaves the one before.
   * @throws when there is none at all: nothing may start then, least of all without encryption
   */
  async prepare(nodes: readonly string[]): Promise<void> {
    const { transit } = this.#options.wish()
    if (!transit) return
    const { endpoint, reader } = this.#options
    const addresses = [endpoint, ...(reader === null ? [] : [reader]), ...nodes]
    const made = await this.#certificates.provide(transit, addresses, this.#options.origin())
    if (made !== null) this.#options.setOrigin(made)
  }

  /** Why the certificate is not the one that is wished, for a person. */
  get problem(): string | null {
    return this.mode === 'off' ? null : this.#certificates.problem
  }

  /**
   * Gives the newest certificate to every node that answers, and tells of a renewal once all have it. Without encryption
   * none is kept, once every node was seen without it.
   */
  async serve(nodes: readonly EngineNode[]): Promise<void> {
    const certificate = this.certificate()
    if (certificate === null) {
      if (this.#certificates.newest !== null && this.#isPlain()) await this.#certificates.remove()
      return
    }
    for (const node of nodes) await node.serve(certificate)
    const origin = this.#options.origin()
    if (origin === null || origin.told || origin.number !== certificate.number || !this.isServed(nodes)) return
    this.#options.setOrigin({ ...origin, told: true })
    const { number, notAfter } = certificate
    const replicated = this.#options.reader !== null
    this.#options.emit({ kind: 'certificate-renewed', number, notAfter: notAfter.toISOString(), replicated })
  }

  #isPlain(): boolean {
    return this.#options
      .view()
      .nodes.every(({ listening }) => listening !== null && sameListening(listening, this.#listening))
  }

  /** Every one of these serves the newest certificate, or none is wished. */
  isServed(nodes: readonly EngineNode[]): boolean {
    const certificate = this.certificate()
    return certificate === null || nodes.every((node) => node.link === null || node.isServing(certificate))
  }

  /** Fronts for the addresses of all nodes that listen behind them, and both endpoints; none in any other mode. */
  async openFronts(view: GroupView): Promise<void> {
    if (!view.fronted || this.#options.reader === null) return
    const behind = view.nodes.filter((n) => n.listening !== null && sameListening(n.listening, view.listening))
    const places = [...behind.map((n) => n.address), this.#options.endpoint, this.#options.reader]
    if (behind.length === 0) return
    if (this.#frontsVerify !== this.#verified) await this.closeFronts()
    this.#frontsVerify = this.#verified
    for (const [address, front] of this.#fronts) {
      if (places.includes(address)) continue
      this.#fronts.delete(address)
      await front.close()
    }
    for (const address of places) await this.#frontAt(address).open()
    for (const [address, front] of this.#fronts) front.keepOnly(this.#keptAt(address, view))
  }

  #frontAt(address: string): ReaderFront {
    const known = this.#fronts.get(address)
    if (known !== undefined) return known
    const { port } = this.#options.wish()
    const targets = () => this.#targetsAt(address, this.#options.view())
    const front = this.#verified
      ? this.#iamFront(address, port, targets)
      : readerFront(address, port, targets, listeningOf('preferred', port))
    this.#fronts.set(address, front)
    return front
  }

  #iamFront(address: string, port: number, targets: () => readonly string[]): ReaderFront {
    const { group, clock, iamPassword, wish } = this.#options
    return iamFront({
      address,
      port,
      targets,
      behind: () => this.#listening,
      certificateFile: () => this.certificate()?.file ?? null,
      pins: () => this.#certificates.pins(),
      logins: {
        cacheId: group,
        access: () => wish().access ?? null,
        password: iamPassword,
        wall: () => clock.wall(),
      },
      expired: (host) => this.#expirations.set(host, this.iamExpirations(host) + 1),
    })
  }

  /** Connections to a node that were ended because their login by a token had expired, since this keeper started. */
  iamExpirations(address: string): number {
    return this.#expirations.get(address) ?? 0
  }

  #targetsAt(address: string, view: GroupView): readonly string[] {
    if (address === this.#options.reader) return readerTargets(view)
    if (address !== this.#options.endpoint) return [address]
    return takesWrites(view) ? view.nodes.filter((n) => n.id === view.primary).map((n) => n.address) : []
  }

  /** A primary that is only silent keeps its connections; one that is no longer primary has none at the endpoint. */
  #keptAt(address: string, view: GroupView): readonly string[] {
    if (address === this.#options.reader) return readerKeeps(view)
    if (address !== this.#options.endpoint) return [address]
    return view.nodes.filter((n) => n.id === view.primary).map((n) => n.address)
  }

  /** Gives the addresses to the engines: before they bind them themselves, and at the end. */
  async closeFronts(): Promise<void> {
    const fronts = [...this.#fronts.values()]
    this.#fronts.clear()
    await Promise.all(fronts.map((front) => front.close()))
  }

  /** `nodes` that answer. */
  seen(nodes: readonly EngineNode[]): TransitSeen | undefined {
    const { newest } = this.#certificates
    if (this.mode === 'off' && newest === null) return undefined
    const { port } = this.#options.wish()
    const origin = this.#options.origin()
    const listenings = nodes.flatMap((node) => (node.facts === null ? [] : [node.facts.listening]))
    return {
      mode: listenings.length === 0 ? null : modeOf(listenings, port),
      certificate:
        newest === null || origin === null
          ? null
          : {
              number: newest.number,
              renewal: origin.renewal,
              notBefore: newest.notBefore.toISOString(),
              notAfter: newest.notAfter.toISOString(),
              fingerprint256: newest.fingerprint256,
              imported: origin.imported,
            },
      problem: this.problem,
    }
  }

  /** The group is gone: nobody needs its keys any more. */
  async remove(): Promise<void> {
    await this.#certificates.remove()
  }
}
