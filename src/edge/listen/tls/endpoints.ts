//! The TLS servers of a worker: one for each certificate, terms and protocols that viewers have met with. A server has one
//! SSL_CTX, and with it exactly the protocols and ciphers of one policy: no name can be reached under another's.
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { GROUPS } from '../../../domain/security-policies.ts'
import { Staple, type StapleOptions } from './staple.ts'
import type { TlsTerms } from './terms.ts'
import { TICKET_LIFETIME_SECONDS, type TicketKeys } from './ticket-keys.ts'

export type ViewerProtocol = 'h2' | 'http/1.1'

/** What viewers are shown. One object for each certificate, as long as anybody has it: its servers live as long. */
export interface ServedCertificate {
  /** Stays the same when the certificate is renewed: `arn:aws:acm:...`; the installation's own has the empty one. */
  readonly id: string
  /** PEM. Of several (ECDSA beside RSA) each viewer gets what it can use. */
  readonly pairs: readonly { readonly key: string; readonly chain: string }[]
}

/** Who answers a viewer. */
export interface ServerIdentity {
  readonly certificate: ServedCertificate
  readonly terms: TlsTerms
  /** For ALPN, in the server's order; a constant. */
  readonly protocols: readonly ViewerProtocol[]
}

interface Endpoint {
  readonly terms: TlsTerms
  readonly protocols: readonly ViewerProtocol[]
  readonly server: Server
  /** For viewers whose ticket was made with the key before; made when the first of them comes. */
  before: Server | null
}

/** Ours runs from the arrival of the connection. Milliseconds. */
const NO_HANDSHAKE_TIMEOUT = 0x7f_ff_ff_ff

export class Endpoints {
  /** What nobody's certificate is any more, or nobody's terms, nobody finds: its servers go with it. */
  readonly #endpoints = new WeakMap<ServedCertificate, WeakMap<TlsTerms, Endpoint[]>>()
  /** The same, to give them new ticket keys. */
  #all: WeakRef<Endpoint>[] = []
  readonly #ticketKeys: () => TicketKeys
  /** What the servers have. */
  #keys: TicketKeys
  readonly #secured: (socket: TLSSocket) => void
  readonly #staples: StapleOptions | null

  /** `staples`: null for none. */
  constructor(
    ticketKeys: () => TicketKeys,
    secured: (socket: TLSSocket) => void,
    staples: StapleOptions | null = null,
  ) {
    this.#ticketKeys = ticketKeys
    this.#keys = ticketKeys()
    this.#secured = secured
    this.#staples = staples
  }

  /**
   * Hands over a connection whose ClientHello lies unread in `socket`. `ticketKeyName` as in the ClientHello.
   * @throws Error when certificate and key cannot be used
   */
  handOver(socket: object, identity: ServerIdentity, ticketKeyName: Buffer | null): void {
    const keys = this.#ticketKeys()
    if (keys !== this.#keys) this.#rotate(keys)
    const endpoint = this.#endpoint(identity)
    const { previous } = keys
    const isBefore = previous !== null && ticketKeyName?.equals(previous.subarray(0, 16)) === true
    if (!isBefore || identity.terms.client !== null) {
      endpoint.server.emit('connection', socket)
      return
    }
    // Node has one ticket key for a server, and asks for no new ticket when it resumes a session.
    endpoint.before ??= this.#create(identity, previous)
    endpoint.before.emit('connection', socket)
  }

  #endpoint(identity: ServerIdentity): Endpoint {
    const { certificate, terms, protocols } = identity
    let byTerms = this.#endpoints.get(certificate)
    if (byTerms === undefined) {
      byTerms = new WeakMap()
      this.#endpoints.set(certificate, byTerms)
    }
    let all = byTerms.get(terms)
    if (all === undefined) {
      all = []
      byTerms.set(terms, all)
    }
    for (const one of all) if (one.protocols === protocols) return one
    const made: Endpoint = { terms, protocols, server: this.#create(identity, this.#keys.current), before: null }
    all.push(made)
    this.#all.push(new WeakRef(made))
    return made
  }

  /** Every server at once: one that nobody comes to any more must not keep an old key. */
  #rotate(keys: TicketKeys): void {
    this.#keys = keys
    this.#all = this.#all.filter((reference) => {
      const endpoint = reference.deref()
      if (endpoint === undefined) return false
      endpoint.server.setTicketKeys(endpoint.terms.client === null ? keys.current : randomBytes(keys.current.length))
      endpoint.before = null
      return true
    })
  }

  #create({ certificate, terms, protocols }: ServerIdentity, ticketKeys: Buffer): Server {
    const { policy, client } = terms
    const server = createServer({
      key: certificate.pairs.map(({ key }) => key),
      cert: certificate.pairs.map(({ chain }) => chain),
      // Without any Node would load all public ones.
      ca: [...(client?.advertised ?? [])],
      // Who is refused is decided when the handshake is over (client-sessions.ts).
      ...(client === null ? {} : { requestCert: true, rejectUnauthorized: false, allowPartialTrustChain: true }),
      minVersion: policy.protocols[0]!,
      maxVersion: policy.protocols.at(-1)!,
      ciphers: cipherList(terms),
      honorCipherOrder: true,
      ecdhCurve: GROUP_LIST,
      sigalgs: policy.signatures.map(({ name }) => name).join(':'),
      ALPNProtocols: [...protocols],
      handshakeTimeout: NO_HANDSHAKE_TIMEOUT,
      // A session of one name is resumed under the same certificate and terms, by any worker, or not at all.
      sessionIdContext: sessionContext(certificate.id, terms),
      sessionTimeout: TICKET_LIFETIME_SECONDS,
      // Whose certificate was good this process alone knows: the key is one that OpenSSL makes.
      ...(client === null ? { ticketKeys } : {}),
    })
    server.on('secureConnection', this.#secured)
    if (this.#staples !== null) staple(server, certificate, this.#staples)
    return server
  }
}

/**
 * Node asks before OpenSSL has chosen among several certificates, and says nothing of the viewer: a server with two staples
 * nothing (shown-pair.ts sends hardly a viewer there).
 */
function staple(server: Server, { pairs: [first, second] }: ServedCertificate, options: StapleOptions): void {
  const stapled = first === undefined || second !== undefined ? null : Staple.of(first.chain, options)
  // Whoever listens makes every handshake a little dearer.
  if (stapled === null) return
  server.on('OCSPRequest', (_certificate, _issuer, done) => {
    const response = stapled.get()
    if (response instanceof Promise) void response.then((read) => done(null, read))
    else done(null, response)
  })
}

/** OpenSSL speaks TLS 1.0 and 1.1 (SHA-1 with MD5) at its lowest security level only; the list is exact all the same. */
function cipherList({ policy }: TlsTerms): string {
  const names = policy.ciphers.map(({ name }) => name)
  const isOld = policy.protocols.some((protocol) => protocol === 'TLSv1' || protocol === 'TLSv1.1')
  return (isOld ? [...names, '@SECLEVEL=0'] : names).join(':')
}

/** A slash ends a half that is tried before the next one; a group with a question mark may be unknown to OpenSSL. */
const GROUP_LIST = [true, false]
  .map((half) => GROUPS.filter(({ postQuantum }) => postQuantum === half).map(({ name }) => (half ? `?${name}` : name)))
  .map((names) => names.join(':'))
  .join('/')

/** At most 32 bytes (SSL_MAX_SID_CTX_LENGTH). */
const sessionContext = (certificateId: string, { key }: TlsTerms): string =>
  createHash('sha256').update(`${key}\n${certificateId}`).digest('hex').slice(0, 32)
