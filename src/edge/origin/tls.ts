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
import type { OriginSslProtocol } from '../../domain/distribution.ts'
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
].join(':')
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

/** What one pool of connections speaks. */
export interface OriginTlsSettings {
  /** Absent for an origin that names none. */
  readonly protocols: readonly OriginSslProtocol[] | undefined
  /** Sent as SNI unless it is an address (RFC 6066 3); the certificate may be for it. */
  readonly servername: string
  /** The certificate may also be for this name. */
  readonly domainName: string
}

/** The contexts of a worker: one for each set of protocols, made when it is first needed. */
export class OriginTls {
  readonly #contexts = new Map<string, SecureContext>()
  readonly #authorities: readonly string[]

  /** `authorities`: certificates (PEM) that are trusted besides the public ones. */
  constructor(authorities: readonly string[] = []) {
    this.#authorities = authorities
  }

  /** A way to secure connections of one pool; sessions are resumed among them. */
  speaker(settings: OriginTlsSettings): OriginTlsSpeaker {
    const protocols = offered(settings.protocols ?? DEFAULT_PROTOCOLS)
    return new OriginTlsSpeaker(settings, protocols, () => this.#context(protocols))
  }

  #context(protocols: readonly string[]): SecureContext {
    const key = protocols.join(' ')
    let context = this.#contexts.get(key)
    if (context === undefined) {
      context = createSecureContext({
        minVersion: protocols[0] as 'TLSv1',
        maxVersion: protocols.at(-1) as 'TLSv1.3',
        ciphers: protocols.some((name) => OLD.has(name)) ? `${CIPHERS}:@SECLEVEL=0` : CIPHERS,
        ecdhCurve: CURVES,
        // Naming any replaces the public ones, those of NODE_EXTRA_CA_CERTS among them.
        ...(this.#authorities.length === 0 ? {} : { ca: [...getCACertificates('default'), ...this.#authorities] }),
      })
      this.#contexts.set(key, context)
    }
    return context
  }
}

export class OriginTlsSpeaker {
  readonly #settings: OriginTlsSettings
  readonly #protocols: readonly string[]
  readonly #context: () => SecureContext
  #session: Buffer | undefined

  constructor(settings: OriginTlsSettings, protocols: readonly string[], context: () => SecureContext) {
    this.#settings = settings
    this.#protocols = protocols
    this.#context = context
  }

  /** Calls `done` once, with what is wrong or null. The socket that is returned is the caller's to destroy. */
  secure(socket: Socket, done: (failure: OriginFailure | null) => void): Socket {
    if (this.#protocols.length === 0) {
      setImmediate(
        done,
        new OriginFailure('tls', 'OriginSslProtocols lists SSLv3 only, which OpenSSL does not speak any more'),
      )
      return socket
    }
    const { servername } = this.#settings
    let secured: TLSSocket
    try {
      secured = connect({
        socket,
        // An address is no SNI (RFC 6066 3).
        ...(isIP(servername) === 0 ? { servername } : { host: servername }),
        secureContext: this.#context(),
        session: this.#session,
        ALPNProtocols: ['http/1.1'],
        rejectUnauthorized: true,
        checkServerIdentity: (_name, certificate) => this.#identity(certificate),
      })
    } catch (error) {
      // A name that TLS cannot send: nobody listens for what is thrown here.
      setImmediate(done, tlsFailure(error as Error))
      return socket
    }
    const onError = (error: Error): void => done(tlsFailure(error))
    secured.once('error', onError)
    secured.on('session', (session: Buffer) => {
      this.#session = session
    })
    secured.once('secureConnect', () => {
      secured.off('error', onError)
      done(this.#objection(secured))
    })
    return secured
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
    if (secured.getSharedSigalgs().length > 0) {
      return new OriginFailure('tls', 'the origin asks for a client certificate, and none is configured')
    }
    return null
  }
}

function tlsFailure(error: Error): OriginFailure {
  const { code, reason } = error as { code?: string; reason?: string }
  const what =
    code === 'ECONNRESET' ? 'the origin closed the connection within the handshake' : (reason ?? error.message)
  return new OriginFailure('tls', code === undefined ? what : `${code}: ${what}`)
}
