//! TLS handshakes of viewers: one security policy, HTTP/1.1 alone, the certificate by the name that the viewer asks for.
import type { Socket } from 'node:net'
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls'
import type { ViewerTls } from './viewer.ts'

/** Where certificates come from; what is asked for may still be in the making. */
export interface ServerCertificates {
  /** PEM, for viewers that name no server (they reach it by its address). */
  standard(): Promise<{ readonly key: string; readonly certificate: string }>
  /** Of a name as the viewer sent it; null for a name that nobody here has. */
  of(name: string): Promise<SecureContext | null>
}

/** TLSv1.2_2021 (spec/cloudfront.md 13.1), in the server's order: TLS 1.3 first, then ECDSA, then RSA. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  ...['ECDSA', 'RSA'].flatMap((kind) => [
    `ECDHE-${kind}-AES128-GCM-SHA256`,
    `ECDHE-${kind}-AES256-GCM-SHA384`,
    `ECDHE-${kind}-CHACHA20-POLY1305`,
  ]),
].join(':')
/** Spec 13.1, without its post-quantum hybrids, which cost each handshake much. */
const CURVES = 'X25519:prime256v1:secp384r1'

const endsOf = (socket: Socket): string =>
  `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`

type Done = (socket: TLSSocket, tls: ViewerTls) => void

export class TlsAcceptor {
  readonly #certificates: ServerCertificates
  #server: Promise<Server> | null = null
  /** By both ends of the connection: a TLS server says which socket it has secured by nothing else. */
  readonly #waiting = new Map<string, Done>()

  constructor(certificates: ServerCertificates) {
    this.#certificates = certificates
  }

  /** Shakes hands; a connection that comes to nothing is closed, and `done` never called. */
  accept(socket: Socket, handshakeMs: number, done: Done): void {
    socket.on('error', () => socket.destroy())
    const ends = endsOf(socket)
    const timer = setTimeout(() => socket.destroy(), handshakeMs)
    this.#waiting.set(ends, (secured, tls) => {
      clearTimeout(timer)
      done(secured, tls)
    })
    socket.once('close', () => {
      clearTimeout(timer)
      this.#waiting.delete(ends)
    })
    this.#server ??= this.#create()
    this.#server.then(
      (server) => {
        if (!socket.destroyed) server.emit('connection', socket)
      },
      () => {
        // Tried anew with the next connection.
        this.#server = null
        socket.destroy()
      },
    )
  }

  async #create(): Promise<Server> {
    const { key, certificate } = await this.#certificates.standard()
    const server = createServer({
      key,
      cert: certificate,
      minVersion: 'TLSv1.2',
      ciphers: CIPHERS,
      honorCipherOrder: true,
      ecdhCurve: CURVES,
      ALPNProtocols: ['http/1.1'],
      // Ours runs from the arrival of the connection.
      handshakeTimeout: 0x7f_ff_ff_ff,
      SNICallback: (name, answer) => {
        this.#certificates.of(name).then(
          // A name that nobody here has: the connection is dropped (spec 13.2).
          (context) => (context === null ? answer(new Error('no such name')) : answer(null, context)),
          (error: Error) => answer(error),
        )
      },
    })
    server.on('secureConnection', (socket) => this.#secured(socket))
    return server
  }

  #secured(socket: TLSSocket): void {
    const ends = endsOf(socket)
    const done = this.#waiting.get(ends)
    if (done === undefined) {
      socket.destroy()
      return
    }
    this.#waiting.delete(ends)
    done(socket, {
      protocol: socket.getProtocol() ?? '',
      cipher: socket.getCipher().name,
      resumed: socket.isSessionReused(),
      alpn: socket.alpnProtocol === 'http/1.1' ? 'http/1.1' : null,
      serverName: (socket as { servername?: string | false }).servername || null,
    })
  }
}
