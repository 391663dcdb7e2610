//! Keeps a pool of connections for each origin (spec/cloudfront.md 2.2, 7.4) and sends requests by it; a request with
//! trailers by a connection of its own.
import type { Pool } from 'undici'
import { Attempts, type OriginRequest, type OriginSink, type SourceControl } from './attempts.ts'
import { originConnector } from './connect.ts'
import type { AddressGuard } from './guard.ts'
import { TrailingDispatcher, type TrailingOrigin } from './trailing-request.ts'

/** Connections to one origin; more requests than these wait. */
const CONNECTIONS_MAX = 256
/** Bytes of an origin's response header; a bigger one is a 502. */
const RESPONSE_HEADER_BYTES_MAX = 32 * 1024
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

export class Origins {
  readonly #guard: AddressGuard
  readonly #pools = new Map<string, Pool>()

  constructor(guard: AddressGuard) {
    this.#guard = guard
  }

  /** Sends the request; never throws. */
  send(request: OriginRequest, sink: OriginSink): SourceControl {
    const attempt = new Attempts(request, sink)
    if (request.trailers !== null) {
      attempt.start(this.#trailing(request, request.trailers))
      return attempt
    }
    const begin = (loaded: Client): void => attempt.start(this.#poolOf(loaded, request))
    if (client !== null) begin(client)
    else loadOriginClient().then(begin, (error) => attempt.fail(error))
    return attempt
  }

  #trailing(request: OriginRequest, trailers: () => readonly string[]): TrailingDispatcher {
    const { origin, scheme } = request
    const target: TrailingOrigin = {
      hostname: origin.domainName,
      port: portOf(request),
      protocol: `${scheme}:`,
      servername: nameOf(request),
      maxHeaderSize: RESPONSE_HEADER_BYTES_MAX,
    }
    return new TrailingDispatcher(target, originConnector(this.#guard, origin.connectionTimeoutMs), trailers)
  }

  /** Requests under way, or waiting for a connection; those with trailers not counted. */
  get busy(): number {
    let busy = 0
    for (const { stats } of this.#pools.values()) busy += stats.running + stats.queued
    return busy
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()]
    this.#pools.clear()
    await Promise.all(pools.map((pool) => pool.destroy()))
  }

  #poolOf(loaded: Client, request: OriginRequest): Pool {
    const { origin, scheme } = request
    const host = origin.domainName.includes(':') ? `[${origin.domainName}]` : origin.domainName
    const url = `${scheme}://${host}:${portOf(request)}`
    const servername = nameOf(request)
    const name = `${url} ${origin.connectionTimeoutMs} ${origin.keepaliveTimeoutMs} ${scheme === 'https' ? servername : ''}`
    const known = this.#pools.get(name)
    if (known !== undefined) return known
    if (this.#pools.size >= POOLS_MAX) this.#closeOldest()
    const connector = originConnector(this.#guard, origin.connectionTimeoutMs)
    const pool = new loaded.Pool(url, {
      connections: CONNECTIONS_MAX,
      pipelining: 1,
      keepAliveTimeout: origin.keepaliveTimeoutMs,
      keepAliveMaxTimeout: origin.keepaliveTimeoutMs,
      maxHeaderSize: RESPONSE_HEADER_BYTES_MAX,
      connect: (options, callback) => connector(scheme === 'https' ? { ...options, servername } : options, callback),
    })
    this.#pools.set(name, pool)
    return pool
  }

  #closeOldest(): void {
    const oldest = this.#pools.entries().next()
    if (oldest.done) return
    this.#pools.delete(oldest.value[0])
    oldest.value[1].close().catch(() => {})
  }
}

const portOf = ({ origin, scheme }: OriginRequest): number => (scheme === 'https' ? origin.httpsPort : origin.httpPort)

/** The certificate must be for the origin's name or for the forwarded Host (spec 7.4), so that Host is the SNI. */
const nameOf = ({ origin, headers }: OriginRequest): string => (headers[1] ?? origin.domainName).replace(/:\d+$/, '')
