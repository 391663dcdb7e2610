//! The last thing that happens to a request: counters, the access log, the trace, and a line for people when an origin
//! failed.
import type { CompressionOutcome } from '../domain/outcomes.ts'
import type { BreakOff, ResultType } from '../domain/result-types.ts'
import type { AccessLog, LoggedConnection } from '../observe/access-log.ts'
import { COUNTER, type Counters } from '../observe/counters.ts'
import type { TraceRing } from '../observe/trace.ts'
import type { Edge, PassedOver } from './edge.ts'
import type { Exchange } from './exchange.ts'
import { askedOrigin, explain } from './explain.ts'
import type { ViewerConnection } from './listen/viewer.ts'
import type { OriginHealth } from './origin/health.ts'

/** Milliseconds between two lines about the same origin. */
const PROBLEM_EVERY_MS = 1_000
const ORIGINS_MAX = 1_000

export interface RecorderParts {
  readonly counters: Counters
  readonly accessLog: AccessLog
  readonly traces: TraceRing
  readonly problem: (message: string) => void
  readonly originHealth: OriginHealth
}

const RESULT_COUNTER = {
  Hit: COUNTER.hits,
  RefreshHit: COUNTER.refreshHits,
  Miss: COUNTER.misses,
  Error: COUNTER.errors,
  Redirect: COUNTER.redirects,
  LimitExceeded: COUNTER.limitExceeded,
  CapacityExceeded: COUNTER.capacityExceeded,
} as const satisfies Readonly<Record<ResultType, number>>

const COMPRESSION_COUNTER = {
  br: COUNTER.compressedBr,
  gzip: COUNTER.compressedGzip,
  'coded-already': COUNTER.uncompressedCoded,
  'no-length': COUNTER.uncompressedNoLength,
  type: COUNTER.uncompressedType,
  'too-small': COUNTER.uncompressedSmall,
  'too-large': COUNTER.uncompressedLarge,
  'no-transform': COUNTER.uncompressedNoTransform,
  busy: COUNTER.uncompressedBusy,
} as const satisfies Readonly<Record<CompressionOutcome, number>>

const STATUS_COUNTER = [
  COUNTER.responses1xx,
  COUNTER.responses1xx,
  COUNTER.responses2xx,
  COUNTER.responses3xx,
  COUNTER.responses4xx,
  COUNTER.responses5xx,
] as const

export interface Recorder {
  /** A finished request; its last fetch included. */
  request(x: Exchange, edge: Edge): void
  /** A fetch that another one follows. */
  fetch(x: Exchange, edge: Edge): void
  /** A fetch from the primary of an origin group that the secondary's follows. */
  failover(x: Exchange, primary: PassedOver, edge: Edge): void
}

/** A connection that went on as a WebSocket has another name for its protocol; it has no further requests. */
const asWebSocket = ({ scheme, tls }: ViewerConnection): LoggedConnection => ({
  scheme: scheme === 'https' ? 'wss' : 'ws',
  tls,
  logParts: null,
})

/** The calls of a connection under gRPC's name for its protocol; other requests of it may be none. */
const callsOf = new WeakMap<ViewerConnection, LoggedConnection>()

function asCalls(connection: ViewerConnection): LoggedConnection {
  let calls = callsOf.get(connection)
  if (calls === undefined) {
    calls = { scheme: 'grpcs', tls: connection.tls, logParts: null }
    callsOf.set(connection, calls)
  }
  return calls
}

function loggedConnection({ status, grpc }: Exchange, connection: ViewerConnection): LoggedConnection {
  if (status === 101) return asWebSocket(connection)
  return grpc ? asCalls(connection) : connection
}

/** Why it ended early; null when it did not. A refusal stays one, also when nobody is there to read it. */
function brokeOffBy({ brokeOff, viewerRequest, result }: Exchange, unanswered: boolean): BreakOff | null {
  if (!unanswered || result === 'LimitExceeded') return brokeOff
  return viewerRequest.body?.complete === false ? 'ClientHungUpRequest' : 'ClientCommError'
}

/** Of fle-status: answered with 400. */
const REFUSED = /ClientError$|^Rejected/

/** "The origin server returned an error", as AWS's guide says of the fle-status ServerError; or it gave no answer. */
const originFailed = ({ fault, flight }: Exchange): boolean => fault?.origin != null || (flight?.status ?? 0) >= 500

export function createRecorder(parts: RecorderParts): Recorder {
  const { counters } = parts
  const lastProblem = new Map<string, number>()

  /** Why an origin failed is for the operator, not for the viewer; once a second for an origin is enough. */
  const tellProblem = (x: Exchange, edge: Edge): void => {
    const failure = x.flight?.failure
    if (failure !== null && failure !== undefined) tell(x, edge, `${failure.kind}: ${failure.message}`)
  }

  const tell = (x: Exchange, edge: Edge, what: string): void => {
    const origin = x.originRequest?.origin
    if (origin === undefined) return
    const now = edge.clock.monotonic()
    if (now - (lastProblem.get(origin.named) ?? Number.NEGATIVE_INFINITY) < PROBLEM_EVERY_MS) return
    if (lastProblem.size >= ORIGINS_MAX) lastProblem.clear()
    lastProblem.set(origin.named, now)
    parts.problem(`${x.distribution?.id}: origin ${origin.id} (${origin.named}): ${what}`)
  }

  /** A fetch that nobody wanted to its end says nothing of the origin. */
  const recordHealth = ({ distribution, originRequest, flight }: Exchange, edge: Edge): void => {
    if (distribution === null || originRequest === null || flight === null || flight.abandoned) return
    const trouble =
      flight.failure ?? (flight.status >= 500 ? { kind: '5xx' as const, message: `status ${flight.status}` } : null)
    parts.originHealth.record(distribution.id, originRequest.origin.id, edge.clock.now(), trouble)
  }

  const fetch = (x: Exchange, edge: Edge): void => {
    if (x.fieldStatus === 'Processed' && x.page === null && originFailed(x)) x.fieldStatus = 'ServerError'
    if (x.tier === 'origin') {
      counters.add(COUNTER.originRequests)
      if (x.stale !== null) counters.add(COUNTER.originRevalidations)
      if (x.fault?.origin != null) {
        counters.add(COUNTER.originErrors)
        tellProblem(x, edge)
      }
      recordHealth(x, edge)
      if (x.flight !== null) counters.add(COUNTER.bytesFromOrigins, x.flight.received)
      if (x.answer !== null) {
        const kept = x.notStored === null && x.flight?.abandoned !== true
        counters.add(kept ? COUNTER.stored : COUNTER.notStored)
      }
      if (x.compression !== null) counters.add(COMPRESSION_COUNTER[x.compression])
    }
    if (x.variantsDropped > 0) counters.add(COUNTER.variantsDropped, x.variantsDropped)
    if (x.missReason === 'invalidated') counters.add(COUNTER.invalidated)
    if (x.tier === 'owner') counters.add(COUNTER.peerRequests)
    if (x.tier === 'regional') counters.add(COUNTER.regionalRequests)
    if (x.tier === 'shield') counters.add(COUNTER.shieldRequests)
    if (x.tier === 'collapsed') counters.add(COUNTER.collapsed)
  }

  const failover = (x: Exchange, primary: PassedOver, edge: Edge): void => {
    const { status, failure } = primary
    counters.add(COUNTER.originRequests)
    counters.add(COUNTER.originFailovers)
    if (x.stale !== null) counters.add(COUNTER.originRevalidations)
    if (failure !== null) counters.add(COUNTER.originErrors)
    const { groupId, secondary } = x.behavior?.failover ?? {}
    const what = failure === null ? `status ${status}` : `${failure.kind}: ${failure.message}`
    tell(x, edge, `${what}; ${secondary?.origin.id} of the origin group ${groupId} is asked instead`)
    if (x.originRequest === null) return
    askedOrigin(x, edge, x.originRequest, primary)
    const trouble = failure ?? (status >= 500 ? { kind: '5xx' as const, message: what } : null)
    const { origin } = x.originRequest
    if (x.distribution !== null)
      parts.originHealth.record(x.distribution.id, origin.id, edge.clock.now(), trouble, true)
  }

  const request = (x: Exchange, edge: Edge): void => {
    fetch(x, edge)
    if (x.inner === 'refresh' && x.peer === null) counters.add(COUNTER.refreshes)
    // The log belongs to the worker that the viewer is connected to.
    if (x.peer !== null || x.inner !== null) return
    const { viewerRequest: request, reply } = x
    const unanswered = reply.gone && reply.bytesSent === 0
    const refused = reply.refused ?? null
    const status = unanswered ? 0 : (refused?.status ?? x.status)
    const brokeOff = brokeOffBy(x, unanswered)
    const isError = brokeOff !== null || refused !== null
    const result = isError ? 'Error' : x.result
    counters.add(COUNTER.requests)
    if (x.primary !== null) counters.add(COUNTER.toStaging)
    counters.add(RESULT_COUNTER[result])
    if (x.fieldStatus !== null) {
      counters.add(COUNTER.fieldsEncrypted, x.fieldsEncrypted)
      if (REFUSED.test(x.fieldStatus)) counters.add(COUNTER.fieldRequestsRefused)
    }
    if (x.staleReason !== null) counters.add(COUNTER.staleHits)
    if (status !== 0) counters.add(STATUS_COUNTER[(status / 100) | 0] ?? COUNTER.responses5xx)
    if (reply.gone) counters.add(COUNTER.viewersGone)
    counters.add(COUNTER.bytesToViewers, reply.bytesSent)
    counters.add(COUNTER.bytesFromViewers, request.headers.bytes + (request.body?.length ?? 0) + x.tunnelBytes)
    const now = edge.clock.monotonic()
    parts.accessLog.record({
      connection: loggedConnection(x, request.connection),
      viewerAddress: x.viewerAddress,
      viewerPort: x.viewerPort,
      forwardedFor: x.forwardedFor,
      headers: request.headers,
      method: request.method,
      path: request.path,
      query: request.query,
      httpVersion: request.httpVersion,
      domainName: x.distribution?.doc.domainName ?? request.headers.host,
      pop: x.place.name,
      status,
      resultType: result,
      // Of what never began nobody can say what it would have been.
      responseResultType: unanswered || refused !== null ? result : x.result,
      detailedResultType: refused?.detailed ?? brokeOff ?? x.detailed,
      requestId: x.requestId,
      bytesSent: reply.bytesSent,
      bodyBytesReceived: (request.body?.length ?? 0) + x.tunnelBytes,
      takenMs: now - request.startedAt,
      firstByteMs: Math.max(0, x.firstByteAt - request.startedAt),
      fieldStatus: x.fieldStatus,
      fieldsEncrypted: x.fieldsEncrypted,
      contentType: x.contentType,
      contentLength: x.contentLength,
      range: x.range,
    })
    if (x.watcher !== null) {
      explain(x, edge)
      parts.traces.add(x.watcher.build())
    }
  }
  return { request, fetch, failover }
}
