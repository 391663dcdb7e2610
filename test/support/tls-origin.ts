//! An origin over TLS: a real server of Node's, which remembers what it was asked, by which name, and how its connections
//! came about.
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ServerCertificate } from './certificates.ts'

export interface TlsOrigin {
  readonly port: number
  /** One for each connection. */
  readonly handshakes: {
    readonly servername: string
    readonly protocol: string
    readonly cipher: string
    readonly resumed: boolean
    /** Common name of the client's certificate; empty for none. */
    readonly client: string
  }[]
  /** Path with query of each request. */
  readonly asked: string[]
  /** Hosts of the requests. */
  readonly hosts: string[]
  close(): Promise<void>
}

export async function startTlsOrigin(
  certificate: ServerCertificate,
  options: ServerOptions = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<TlsOrigin> {
  const asked: string[] = []
  const hosts: string[] = []
  const handshakes: { -readonly [K in keyof TlsOrigin['handshakes'][number]]: TlsOrigin['handshakes'][number][K] }[] =
    []
  const server = createServer({ ...certificate, ...options }, (request, response) => {
    asked.push(request.url ?? '')
    hosts.push(request.headers.host ?? '')
    response.writeHead(200, headers).end('over TLS')
  })
  server.on('secureConnection', (socket: TLSSocket & { servername?: string | false }) => {
    socket.on('error', () => {})
    handshakes.push({
      servername: socket.servername || '',
      protocol: socket.getProtocol() ?? '',
      cipher: socket.getCipher().name,
      resumed: socket.isSessionReused(),
      client: String(socket.getPeerCertificate().subject?.CN ?? ''),
    })
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    handshakes,
    asked,
    hosts,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
