//! What every viewer connection knows of its two ends, and what it and its listener know of each other.
import type { Socket } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import type { Admitted } from './admission.ts'
import type { ViewerEnds } from './ends.ts'
import type { Http2LimitName } from './http2/limits.ts'
import type { ListenLimits } from './limits.ts'
import type { RefusalCause, RefusedLine } from './refusal.ts'
import type { Standing } from './relief.ts'
import type { ViewerConnection, ViewerHandler, ViewerTls } from './viewer.ts'

/** What a connection needs of its listener. */
export interface ConnectionHost {
  readonly clock: Clock
  readonly limits: ListenLimits
  readonly handler: ViewerHandler
  readonly draining: boolean
  /** `line` as of Refusal. */
  refuse(
    connection: ViewerConnection,
    cause: RefusalCause,
    line: RefusedLine | 'told' | null,
  ): { head: string; body: Uint8Array }
  closed(connection: ViewerSocket): void
  /** An HTTP/2 connection went over a limit (http2/limits.ts). */
  limited(limit: Http2LimitName): void
}

export abstract class ViewerSocket implements ViewerConnection {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  readonly loopback: boolean
  readonly proxied: boolean
  readonly scheme: 'http' | 'https'
  readonly tls: ViewerTls | null
  readonly pop: number
  logParts: ViewerConnection['logParts'] = null
  budget: ViewerConnection['budget'] = null
  /** Its place among the connections that a worker takes; given back when it is closed for others. */
  place: Admitted | null = null
  readonly socket: Socket
  /** Clock.monotonic() at which what is awaited is overdue. */
  abstract deadline: number

  constructor(socket: Socket, pop: number, tls: ViewerTls | null, ends: ViewerEnds) {
    this.socket = socket
    this.scheme = tls === null ? 'http' : 'https'
    this.tls = tls
    this.pop = pop
    this.remoteAddress = ends.remoteAddress
    this.remotePort = ends.remotePort
    this.localAddress = ends.localAddress
    this.localPort = ends.localPort
    this.loopback = ends.loopback
    this.proxied = ends.proxied
  }

  /** Called by the listener's sweep when `deadline` has passed. */
  abstract overdue(): void
  /** What may be closed for a new viewer, and since when it has been so; null for a connection that works. */
  abstract standing(now: number): Standing | null
  /** Ends it for a new viewer. */
  abstract relieve(): void
  abstract shun(): void
  /** Ends the connection now when no request is under way; otherwise after its answers. */
  abstract drain(): void
}
