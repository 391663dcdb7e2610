//! Keeps a pool of connections for each origin (spec/cloudfront.md 2.2, 7.4) and sends requests by it; a request with
//! trailers by a connection of its own.
import { hash } from 'node:crypto'
import type { Pool } from 'undici'
import type { ServerCertificateDoc } from '../../domain/distribution.ts'
import {
  Attempts,
  type OriginRequest,
  type OriginSink,
  RESPONSE_HEADER_BYTES_MAX,
  type SourceControl,
} from './attempts.ts'
import { type ConnectParts, type OriginConnector, originConnector } from './connect.ts'
import { Http2Sessions } from './http2/sessions.ts'
import type { OriginAlpn, OriginTls } from './tls.ts'
import { TrailingDispatcher } from './trailing-request.ts'

/** Connections to one origin; more requests than these wait. */
const CONNECTIONS_MAX = 256
/**
 * A connection older than this is closed when its request is over. What is asked for again and again would otherwise keep
 * a connection, and with it an address, that the origin's name has not had for a long time. Milliseconds.
 */
const CONNECTION_MS = 60_000
/** Pools that no request has used are closed when there are more of them than this. */
const POOLS_MAX = 1_000

type Client = Pick<typeof import('undici'), 'Pool'>
let client: Client | null = null
let loading: Promise<Client> | null = null

/**
 * Loads undici. That takes 100 ms of CPU, two thirds of what a worker needs to load; so a worker listens first and calls
 * this then. A request that comes earlier waits for it.
 */
export function loadOriginClient(): Promise<Client> {
  loading ??= import('undici').then((loaded) => {
    client = loaded
    return loaded
  })
  return loading
}

/** What the connections of a worker need besides the origin's own settings. */
export interface OriginParts extends ConnectParts {
  readonly tls: OriginTls
  /** Milliseconds after which a connection takes no more requests; CONNECTION_MS unless told otherwise. */
  readonly connectionMs?: number
}

/** The connections of one set of settings. */
interface Connections {
  readonly connector: OriginConnector
  /** Null until undici is here and a request has needed it. */
  pool: Pool | null
  /** HTTP/2, which gRPC is spoken over; null for HTTP/1.1. */
  readonly sessions: Http2Sessions | null
}

export class Origins {
  readonly #parts: OriginParts
  readonly #connections = new Map<string, Connections>()

  constructor(parts: OriginParts) {
    this.#parts = parts
  }

  /** Sends the request; never throws. */
  send(request: OriginRequest, sink: OriginSink): SourceControl {
    const attempt = new Attempts(request, sink)
    const connections = this.#connectionsOf(request)
    if (connections.sessions !== null) {
      attempt.start(connections.sessions)
      return attempt
    }
    if (request.trailers !== null) {
      attempt.start(new TrailingDispatcher(connections.connector, RESPONSE_HEADER_BYTES_MAX, request.trailers))
      return attempt
    }
    const begin = (loaded: Client): void => attempt.start(this.#poolOf(loaded, request, connections))
    if (client !== null) begin(client)
    else loadOriginClient().then(begin, (error) => attempt.fail(error))
    return attempt
  }

  async close(): Promise<void> {
    const all = [...this.#connections.values()]
    this.#connections.clear()
    for (const { sessions } of all) sessions?.destroy()
    await Promise.all(all.map(({ pool }) => pool?.destroy()))
  }

  #connectionsOf(request: OriginRequest): Connections {
    const { origin, scheme } = request
    const alpn: OriginAlpn = request.grpc ? 'h2' : 'http/1.1'
    const servername = scheme === 'https' ? nameOf(request) : ''
    const ipAddressType = origin.ipAddressType ?? 'ipv4'
    const name = [
      `${scheme}://${origin.domainName} ${portOf(request)} ${alpn}`,
      `${ipAddressType} ${origin.connectionTimeoutMs} ${origin.keepaliveTimeoutMs}`,
      // A connection on which we have shown who we are is for the origin of that identity alone.
      ...(scheme === 'https' ? [servername, origin.sslProtocols, identityOf(origin.clientCertificate)] : []),
    ].join(' ')
    const known = this.#connections.get(name)
    if (known !== undefined) return known
    if (this.#connections.size >= POOLS_MAX) this.#closeOldest()
    const { domainName, sslProtocols: protocols, clientCertificate = null, connectionTimeoutMs: timeoutMs } = origin
    const secured = { protocols, servername, domainName, alpn, clientCertificate }
    const tls = scheme === 'https' ? this.#parts.tls.speaker(secured) : null
    const target = { hostname: domainName, port: portOf(request), ipAddressType, tls, timeoutMs }
    const connector = originConnector(this.#parts, target)
    const sessions = request.grpc ? this.#sessionsOf(request, connector) : null
    const connections = { connector, pool: null, sessions }
    this.#connections.set(name, connections)
    return connections
  }

  #sessionsOf(request: OriginRequest, connector: OriginConnector): Http2Sessions {
    return new Http2Sessions({
      connector,
      authority: authorityOf(request),
      keepaliveMs: request.origin.keepaliveTimeoutMs,
      lifetimeMs: this.#parts.connectionMs ?? CONNECTION_MS,
    })
  }

  #poolOf(loaded: Client, request: OriginRequest, connections: Connections): Pool {
    const { origin, scheme } = request
    connections.pool ??= new loaded.Pool(`${scheme}://${authorityOf(request)}`, {
      connections: CONNECTIONS_MAX,
      pipelining: 1,
      keepAliveTimeout: origin.keepaliveTimeoutMs,
      keepAliveMaxTimeout: origin.keepaliveTimeoutMs,
      maxHeaderSize: RESPONSE_HEADER_BYTES_MAX,
      clientTtl: this.#parts.connectionMs ?? CONNECTION_MS,
      connect: connections.connector,
    })
    return connections.pool
  }

  #closeOldest(): void {
    const oldest = this.#connections.entries().next()
    if (oldest.done) return
    this.#connections.delete(oldest.value[0])
    oldest.value[1].pool?.close().catch(() => {})
    // HTTP/2 connections end by themselves once they are idle.
  }
}

const fingerprints = new WeakMap<ServerCertificateDoc, string>()

/** The certificate that is shown, by its hash; empty for none. Another one (a renewed one) is another identity. */
function identityOf(certificate: ServerCertificateDoc | undefined): string {
  if (certificate === undefined) return ''
  let fingerprint = fingerprints.get(certificate)
  if (fingerprint === undefined) {
    fingerprint = hash('sha256', certificate.chain)
    fingerprints.set(certificate, fingerprint)
  }
  return fingerprint
}

function authorityOf(request: OriginRequest): string {
  const { domainName } = request.origin
  return `${domainName.includes(':') ? `[${domainName}]` : domainName}:${portOf(request)}`
}

const portOf = ({ origin, scheme }: OriginRequest): number => (scheme === 'https' ? origin.httpsPort : origin.httpPort)

/** The certificate must be for the origin's name or for the forwarded Host (spec 7.4), so that Host is the SNI. */
function nameOf({ origin, headers }: OriginRequest): string {
  const host = headers[1] ?? origin.domainName
  return /^\[(.*)\]/.exec(host)?.[1] ?? host.replace(/:\d+$/, '')
}
