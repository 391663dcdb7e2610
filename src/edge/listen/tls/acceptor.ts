//! From a TCP connection to a secured one: reads the ClientHello, within bounds, and hands the socket to the TLS server of
//! whoever is asked for. What is no ClientHello, and whom nobody here is, ends its own connection and nothing else.
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ViewerTls } from '../viewer.ts'
import { type ClientHello, type HelloFault, readClientHello } from './client-hello.ts'
import { judgeClient } from './client-sessions.ts'
import { Endpoints, type ServedCertificate, type ServerIdentity } from './endpoints.ts'
import type { StapleOptions } from './staple.ts'
import type { TicketKeys } from './ticket-keys.ts'

/** What a listener's address is to those who choose an identity. */
export interface HelloOrigin {
  /** Viewers who name nobody, or somebody unknown, get the default certificate, as on a loopback listener. */
  readonly lenient: boolean
  /** Viewers who name nobody, or somebody unknown, mean this distribution: the address is its own. */
  readonly dedicatedTo?: string | undefined
}

export interface AcceptorOptions {
  /** Who answers; null for nobody, a promise where a certificate is still in the making. */
  readonly identify: (hello: ClientHello, from: HelloOrigin) => ServerIdentity | null | Promise<ServerIdentity | null>
  readonly ticketKeys: () => TicketKeys
  /** Where OCSP responses lie; absent for none. */
  readonly staples?: StapleOptions
  /** Milliseconds of the wall clock. */
  readonly wall: () => number
  /** One line for the operator. */
  readonly problem: (message: string) => void
}

type Done = (socket: TLSSocket, tls: ViewerTls) => void

interface Waiting {
  readonly identity: ServerIdentity
  readonly hello: ClientHello
  readonly done: Done
  readonly refused: () => void
}

/** Fatal alerts (RFC 8446 6.2). */
const ALERT = { decodeError: 50, recordOverflow: 22, internalError: 80, unrecognizedName: 112 } as const
const ALERT_OF: Readonly<Record<HelloFault, number | null>> = {
  // Whoever speaks another protocol would not understand it.
  'not-tls': null,
  'too-long': ALERT.recordOverflow,
  malformed: ALERT.decodeError,
}

const endsOf = (socket: Socket): string =>
  `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`

export class TlsAcceptor {
  readonly #options: AcceptorOptions
  readonly #endpoints: Endpoints
  /** By both ends of the connection: a TLS server says which socket it has secured by nothing else. */
  readonly #waiting = new Map<string, Waiting>()
  /** Those that cannot be used, and of which the operator has heard: viewers must not fill the log. */
  readonly #unusable = new WeakSet<ServedCertificate>()

  constructor(options: AcceptorOptions) {
    this.#options = options
    this.#endpoints = new Endpoints(options.ticketKeys, (socket) => this.#secured(socket), options.staples)
  }

  /**
   * Shakes hands; a connection that comes to nothing is closed, and `done` never called: `refused` instead, when the
   * viewer's certificate is not what its distribution asks for. How long it may take is the caller's to say: it destroys
   * the socket.
   */
  accept(socket: Socket, from: HelloOrigin, done: Done, refused: () => void = () => {}): void {
    let held: Buffer | null = null
    let needed = 0
    const onData = (bytes: Buffer): void => {
      held = held === null ? bytes : Buffer.concat([held, bytes])
      if (held.length < needed) return
      const read = readClientHello(held)
      if (read.kind === 'incomplete') {
        needed = read.needed
        return
      }
      socket.off('data', onData)
      socket.off('end', onEnd)
      socket.pause()
      if (read.kind === 'refused') refuse(socket, ALERT_OF[read.fault])
      else {
        socket.unshift(held)
        this.#answer(socket, { hello: read.hello, done, refused }, from)
      }
    }
    const onEnd = (): void => void socket.destroy()
    socket.on('error', () => socket.destroy())
    socket.on('data', onData)
    socket.on('end', onEnd)
  }

  #answer(socket: Socket, asked: Omit<Waiting, 'identity'>, from: HelloOrigin): void {
    const found = this.#options.identify(asked.hello, from)
    if (!(found instanceof Promise)) {
      this.#handOver(socket, found, asked)
      return
    }
    found.then(
      (identity) => {
        if (!socket.destroyed) this.#handOver(socket, identity, asked)
      },
      // Whoever makes certificates has told the operator.
      () => refuse(socket, ALERT.internalError),
    )
  }

  #handOver(socket: Socket, identity: ServerIdentity | null, asked: Omit<Waiting, 'identity'>): void {
    if (identity === null) {
      refuse(socket, ALERT.unrecognizedName)
      return
    }
    const ends = endsOf(socket)
    this.#waiting.set(ends, { ...asked, identity })
    socket.once('close', () => this.#waiting.delete(ends))
    // What ends in the middle of a handshake has no other half: a viewer that has left gives its place back at once.
    socket.allowHalfOpen = false
    try {
      this.#endpoints.handOver(socket, identity, asked.hello.ticketKeyName)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const { certificate } = identity
      if (!this.#unusable.has(certificate)) {
        this.#unusable.add(certificate)
        // OpenSSL's words name what is wrong, and nothing of the key.
        this.#options.problem(
          `the certificate ${certificate.id || 'of this installation'} cannot be used: ${code ?? message}`,
        )
      }
      refuse(socket, ALERT.internalError)
    }
  }

  #secured(socket: TLSSocket): void {
    const ends = endsOf(socket)
    const waiting = this.#waiting.get(ends)
    if (waiting === undefined) {
      socket.destroy()
      return
    }
    this.#waiting.delete(ends)
    // From here on a viewer may have ended its side and wait for the answer.
    socket.allowHalfOpen = true
    // RFC 9113 9.2.1, and for HTTP/1.1 because it is work that a viewer can ask for without end: it ends the connection.
    socket.disableRenegotiation()
    const { hello, identity, done, refused } = waiting
    const { terms } = identity
    const verdict = terms.client === null ? { client: null } : judgeClient(socket, terms.client, this.#options.wall())
    if ('problem' in verdict) {
      // At once: OpenSSL makes session tickets after this, and whoever is refused is to have none.
      socket.destroy()
      refused()
      return
    }
    const { alpnProtocol } = socket
    done(socket, {
      protocol: socket.getProtocol() ?? '',
      cipher: socket.getCipher().name,
      resumed: socket.isSessionReused(),
      alpn: alpnProtocol === 'h2' || alpnProtocol === 'http/1.1' ? alpnProtocol : null,
      // Resumed sessions name it in their ClientHello, too.
      serverName: hello.serverName,
      terms,
      certificate: identity.certificate.id,
      client: verdict.client,
    })
  }
}

/** With an alert, where it would be understood. */
function refuse(socket: Socket, alert: number | null): void {
  if (alert === null) {
    socket.destroy()
    return
  }
  // An alert record: fatal, then what.
  socket.write(Buffer.from([21, 3, 3, 0, 2, 2, alert]))
  socket.destroySoon()
}
