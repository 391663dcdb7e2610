//! Distributions as origins of distributions (DESIGN 4, which origins): what a connection to ourselves would bring, without
//! the connection. The request enters as a viewer's, with its own cache key, log line and X-Cache; CDN-Loop ends a chain
//! (forward.ts). The guard refuses every other way to our own listeners.

import { firstValue } from '../../../http/headers.ts'
import type { Clock } from '../../../lib/clock.ts'
import { unframedHeaders } from '../../listen/header-block.ts'
import { UNLIMITED, type ViewerBody, type ViewerHandler, type ViewerRequest } from '../../listen/viewer.ts'
import type { Places } from '../../places.ts'
import type { Snapshot } from '../../snapshot/snapshot.ts'
import type { OriginRequest, OriginSink, SourceControl } from '../attempts.ts'
import type { OriginSource } from '../sources.ts'
import { HopReply } from './hop-reply.ts'

/** What it needs of the edge that it serves from. */
export interface HopsInto {
  readonly snapshot: Snapshot
  readonly places: Places
  readonly clock: Clock
}

export interface DistributionsOptions {
  readonly edge: () => HopsInto
  readonly handler: ViewerHandler
  /** Our own, which the distribution behind sees its viewer at. */
  readonly address: string
}

export class Distributions implements OriginSource {
  readonly #options: DistributionsOptions

  constructor(options: DistributionsOptions) {
    this.#options = options
  }

  /**
   * Names and aliases as they are. A wildcard alias does not count: `*.example.com` is often served from an origin whose
   * name it covers. Nor does one that is the name of a bucket or of the S3 endpoint: what is signed for that is for nobody else.
   */
  serves({ origin }: OriginRequest): boolean {
    return (
      origin.bucket === null && this.#options.edge().snapshot.exactHosts.get(origin.named.toLowerCase()) !== undefined
    )
  }

  send(request: OriginRequest, sink: OriginSink): SourceControl {
    const reply = new HopReply(request, sink)
    queueMicrotask(() => {
      if (!reply.gone) this.#options.handler(this.#viewerRequest(request), reply)
    })
    return reply
  }

  #viewerRequest(request: OriginRequest): ViewerRequest {
    const { origin, scheme, method, target, headers } = request
    const { places, clock, snapshot } = this.#options.edge()
    const mark = target.indexOf('?')
    const { address } = this.#options
    return {
      method,
      path: mark < 0 ? target : target.slice(0, mark),
      query: mark < 0 ? null : target.slice(mark + 1),
      // Calls of gRPC are told by it.
      httpVersion: request.grpc ? '2.0' : '1.1',
      headers: unframedHeaders(request.upgrade === undefined ? headers : [...headers, ...UPGRADE], headers[1] ?? ''),
      body: bodyOf(request),
      reused: false,
      connection: {
        ...{ remoteAddress: address, remotePort: 0, localAddress: address },
        localPort: scheme === 'https' ? origin.httpsPort : origin.httpPort,
        ...{ loopback: false, scheme, tls: null, logParts: null, budget: UNLIMITED },
        proxied: false,
        pop: popOf(places, snapshot.down, request.place),
      },
      startedAt: clock.monotonic(),
    }
  }
}

/** What the client of a connection would add. */
const UPGRADE = ['Connection', 'Upgrade', 'Upgrade', 'websocket'] as const

/** The POP that asks, or one of those whose regional edge cache asks: one that is not down, where there is one. */
function popOf({ pops }: Places, down: ReadonlySet<string>, place: string | undefined): number {
  const own = pops.findIndex(({ name }) => name === place)
  if (own >= 0) return own
  const below = pops.findIndex(({ name, regional }) => regional?.name === place && !down.has(name))
  return Math.max(0, below >= 0 ? below : pops.findIndex(({ name }) => !down.has(name)))
}

function bodyOf({ body, headers, trailers }: OriginRequest): ViewerBody | null {
  if (body === null) return null
  const length = firstValue(headers, 'content-length')
  return {
    length: length === undefined ? null : Number(length),
    stream: () => body,
    get complete() {
      return body.readableEnded
    },
    get trailers() {
      return trailers?.() ?? []
    },
  }
}
