//! TLS to an origin as CloudFront speaks it (spec/cloudfront.md 2.2, 7.4): the origin's OriginSslProtocols, CloudFront's
//! ciphers, SNI, a certificate of a public CA (or of the installation's own) for the origin's name or the forwarded Host.
import { isIP, type Socket } from 'node:net'
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  getCACertificates,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls'
import type { OriginSslProtocol, ServerCertificateDoc } from '../../domain/distribution.ts'
import { systemClock } from '../../lib/clock.ts'
import { OriginFailure } from './failure.ts'

/** What AWS takes when a distribution names none is (unconfirmed). */
const DEFAULT_PROTOCOLS: readonly OriginSslProtocol[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2']
/** TLS 1.3's own, then CloudFront's list; DES-CBC3-SHA and RC4-MD5, which it still has, are gone from OpenSSL 3. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES256-SHA384',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-SHA384',
  'ECDHE-RSA-AES256-SHA',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-RSA-AES128-SHA',
  'AES256-SHA',
  'AES128-SHA',
]
/** What HTTP/2 may be spoken over: TLS 1.2 from the list of RFC 9113 appendix A, and TLS 1.3. */
const HTTP2_CIPHERS = CIPHERS.filter((name) => name.startsWith('TLS_') || name.includes('-GCM-'))
const CURVES = 'prime256v1:secp384r1:X25519'

/** OpenSSL 3 speaks TLS 1.0 and 1.1 (SHA-1 with MD5) at its lowest security level only. */
const OLD: ReadonlySet<string> = new Set(['TLSv1', 'TLSv1.1'])

/**
 * Protocols of an origin that can be offered, lowest first. TLS 1.3, which OriginSslProtocols cannot name, goes with
 * TLSv1.2 (unconfirmed: CloudFront has spoken it to origins since the end of 2025). SSLv3 is gone from OpenSSL 3.
 */
function offered(protocols: readonly OriginSslProtocol[]): readonly string[] {
  const listed = ['TLSv1', 'TLSv1.1', 'TLSv1.2'].filter((name) => protocols.includes(name as OriginSslProtocol))
  return listed.includes('TLSv1.2') ? [...listed, 'TLSv1.3'] : listed
}

/** What is spoken inside (RFC 7301); HTTP/2 to gRPC origins only (spec 13.3). */
export type OriginAlpn = 'http/1.1' | 'h2'

/** What one pool of connections speaks. */
export interface OriginTlsSettings {
  /** Absent for an origin that names none. */
  readonly protocols: readonly OriginSslProtocol[] | undefined
  /** Sent as SNI unless it is an address (RFC 6066 3); the certificate may be for it. */
  readonly servername: string
  /** The certificate may also be for this name. */
  readonly domainName: string
  readonly alpn: OriginAlpn
  /** Shown to an origin that asks for one; null refuses such an origin (spec 7.4). */
  readonly clientCertificate: ServerCertificateDoc | null
}

/** The contexts of a worker: one for each set of protocols, and one for each client certificate with them. */
export class OriginTls {
  readonly #contexts = new Map<string, SecureContext>()
  readonly #authorities: readonly string[]
  readonly #wall: () => number

  /** `authorities`: certificates (PEM) that are trusted besides the public ones; `wall` is Clock.wall(). */
  constructor(authorities: readonly string[] = [], wall = systemClock.wall) {
    this.#authorities = authorities
    this.#wall = wall
  }

  /** A way to secure connections of one pool; sessions are resumed among them. */
  speaker(settings: OriginTlsSettings): OriginTlsSpeaker {
    const { alpn, clientCertificate } = settings
    const listed = offered(settings.protocols ?? DEFAULT_PROTOCOLS)
    const protocols = alpn === 'h2' ? listed.filter((name) => !OLD.has(name)) : listed
    // One with a private key lives no longer than the pool that it is of.
    let own: SecureContext | null = null
    const context = (): SecureContext => {
      if (clientCertificate === null) return this.#shared(protocols, alpn)
      own ??= this.#make(protocols, alpn, clientCertificate)
      return own
    }
    return new OriginTlsSpeaker(settings, protocols, context, this.#wall)
  }

  #shared(protocols: readonly string[], alpn: OriginAlpn): SecureContext {
    const key = `${alpn} ${protocols.join(' ')}`
    let context = this.#contexts.get(key)
    if (context === undefined) {
      context = this.#make(protocols, alpn, null)
      this.#contexts.set(key, context)
    }
    return context
  }

  #make(protocols: readonly string[], alpn: OriginAlpn, own: ServerCertificateDoc | null): SecureContext {
    const ciphers = (alpn === 'h2' ? HTTP2_CIPHERS : CIPHERS).join(':')
    return createSecureContext({
      minVersion: protocols[0] as 'TLSv1',
      maxVersion: protocols.at(-1) as 'TLSv1.3',
      ciphers: protocols.some((name) => OLD.has(name)) ? `${ciphers}:@SECLEVEL=0` : ciphers,
      ecdhCurve: CURVES,
      // Naming any replaces the public ones, those of NODE_EXTRA_CA_CERTS among them.
      ...(this.#authorities.length === 0 ? {} : { ca: [...getCACertificates('default'), ...this.#authorities] }),
      ...(own === null ? {} : { cert: own.chain, key: own.privateKey }),
    })
  }
}

/** A session to be resumed, and until when: the end of the certificate that was verified when it began. Clock.wall(). */
interface KeptSession {
  readonly session: Buffer
  readonly until: number
}

export class OriginTlsSpeaker {
  readonly #settings: OriginTlsSettings
  readonly #protocols: readonly string[]
  readonly #context: () => SecureContext
  readonly #wall: () => number
  #kept: KeptSession | null = null

  constructor(
    settings: OriginTlsSettings,
    protocols: readonly string[],
    context: () => SecureContext,
    wall: () => number,
  ) {
    this.#settings = settings
    this.#protocols = protocols
    this.#context = context
    this.#wall = wall
  }

  /** Calls `done` once, with what is wrong or null. The socket that is returned is the caller's to destroy. */
  secure(socket: Socket, done: (failure: OriginFailure | null) => void): Socket {
    const unusable = this.#unusable()
    if (unusable !== null) {
      setImmediate(done, unusable)
      return socket
    }
    const { servername, alpn } = this.#settings
    // A resumed session is one whose certificate nobody looks at again.
    if (this.#kept !== null && this.#kept.until <= this.#wall()) this.#kept = null
    let secured: TLSSocket
    try {
      secured = connect({
        socket,
        // An address is no SNI (RFC 6066 3), and no name there ends with a dot.
        ...(isIP(servername) === 0 ? { servername: servername.replace(/\.$/, '') } : { host: servername }),
        secureContext: this.#context(),
        session: this.#kept?.session,
        ALPNProtocols: [alpn],
        rejectUnauthorized: true,
        checkServerIdentity: (_name, certificate) => this.#identity(certificate),
      })
    } catch (error) {
      // A name that TLS cannot send, a client certificate that is none: nobody listens for what is thrown here.
      setImmediate(done, this.#failure(error as Error))
      return socket
    }
    const end = (failure: OriginFailure | null): void => {
      secured.off('error', onError)
      // Whatever it was, the next handshake is to be a whole one.
      if (failure !== null) this.#kept = null
      done(failure)
    }
    const onError = (error: Error): void => end(this.#failure(error))
    secured.once('error', onError)
    secured.on('session', (session: Buffer) => {
      // None when the connection has been given up meanwhile.
      const until = Date.parse(secured.getPeerCertificate()?.valid_to ?? '')
      if (!Number.isNaN(until)) this.#kept = { session, until }
    })
    secured.once('secureConnect', () => end(this.#objection(secured)))
    return secured
  }

  /** What can be told before anything is sent. */
  #unusable(): OriginFailure | null {
    if (this.#protocols.length > 0) return null
    return new OriginFailure(
      'tls',
      this.#settings.alpn === 'h2'
        ? 'gRPC needs HTTP/2 over TLS 1.2 or later, and OriginSslProtocols lists no TLSv1.2'
        : 'OriginSslProtocols lists SSLv3 only, which OpenSSL does not speak any more',
    )
  }

  #identity(certificate: PeerCertificate): Error | undefined {
    const { servername, domainName } = this.#settings
    const wrong = checkServerIdentity(servername, certificate)
    return wrong === undefined || checkServerIdentity(domainName, certificate) === undefined ? undefined : wrong
  }

  /** What OpenSSL lets pass and CloudFront does not. */
  #objection(secured: TLSSocket): OriginFailure | null {
    // OpenSSL offers a range: of a list with a hole (TLSv1 and TLSv1.2) what lies in the hole is refused here.
    const protocol = secured.getProtocol() ?? ''
    if (!this.#protocols.includes(protocol)) {
      return new OriginFailure('tls', `the origin chose ${protocol}, which its OriginSslProtocols do not list`)
    }
    // On a client's side OpenSSL shares signature algorithms only with a server that asked for a certificate (TLS 1.2 and
    // later; before that nothing tells). Such a connection would go on without one, which CloudFront does not.
    if (this.#settings.clientCertificate === null && secured.getSharedSigalgs().length > 0) {
      return new OriginFailure('tls', 'the origin asks for a client certificate, and none is configured')
    }
    // A server that knows no ALPN chose nothing, and speaks HTTP/1.1.
    if (this.#settings.alpn === 'h2' && secured.alpnProtocol !== 'h2') {
      return new OriginFailure('tls', 'the origin does not take HTTP/2 (ALPN h2), which gRPC needs')
    }
    return null
  }

  #failure(error: Error): OriginFailure {
    const { kind, message } = tlsFailure(error)
    const { clientCertificate: own } = this.#settings
    // With TLS 1.3 an origin tells what it thinks of our certificate only after this, where its answer is waited for.
    return new OriginFailure(kind, own === null ? message : `${message} (the client certificate is ${own.arn})`)
  }
}

function tlsFailure(error: Error): OriginFailure {
  const { code, reason } = error as { code?: string; reason?: string }
  const what =
    code === 'ECONNRESET' ? 'the origin closed the connection within the handshake' : (reason ?? error.message)
  return new OriginFailure('tls', code === undefined ? what : `${code}: ${what}`)
}
