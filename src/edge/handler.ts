//! From a listener's request to the table, and the net under it: whatever throws on the way ends as an error page or a
//! cut connection, never as a request without an end.
import { REASONS } from '../http/error-page.ts'
import { tokenHolds } from '../lib/request-token.ts'
import { beginTrace } from './begin-trace.ts'
import type { Edge } from './edge.ts'
import { Exchange, type PeerAnswer } from './exchange.ts'
import type { RequestBudget, ViewerHandler, ViewerReply, ViewerRequest } from './listen/viewer.ts'
import type { PeerQuestion } from './peers/protocol.ts'
import { runPipeline, runPipelineFrom } from './pipeline.ts'
import type { Place } from './places.ts'
import type { Running } from './running.ts'
import type { Step } from './stage.ts'
import { errorPage } from './stages/error-page.ts'
import { record } from './stages/record.ts'
import type { SeenViewer, TrustedProxies } from './viewer/trusted-proxies.ts'
import type { ExplainWish } from './viewer-facts.ts'

export interface HandlerOptions {
  /** `loopback`: the explain header is honoured when both ends are loopback and no proxy was passed (DESIGN 6). */
  readonly explain: 'loopback' | 'off'
  /** What tokens of admins are verified with, which are honoured everywhere; null for none. */
  readonly explainKey: Uint8Array | null
  /** Proxies in front whose word on the viewer is taken; null for none. */
  readonly proxies: TrustedProxies | null
  /** Hears of every request that has to wait. */
  readonly running: Running
  /** Something of ours broke: for the log. */
  readonly problem: (message: string) => void
}

export function viewerHandler(edge: Edge, options: HandlerOptions): ViewerHandler {
  return (request, reply) => {
    const x = new Exchange(request, reply, edge.snapshot, edge.places.pops[request.connection.pop] as Place, null)
    const seen = options.proxies?.viewerOf(request) ?? null
    if (seen !== null) x.seenAs(seen)
    x.budget = budgetOf(x, edge, seen)
    const { wish } = x.facts
    if (wish !== null && mayWish(wish, request, edge, options)) {
      if (wish.explain) x.watcher = beginTrace(edge, request)
      if (wish.viewerAddress !== null) x.viewerAddress = wish.viewerAddress
    }
    process(x, edge, options)
  }
}

/** On loopback anybody may, elsewhere whoever was given a token for this very request. */
function mayWish(
  { direct, token }: ExplainWish,
  request: ViewerRequest,
  edge: Edge,
  { explain, explainKey }: HandlerOptions,
): boolean {
  if (token === null) return direct && explain === 'loopback' && request.connection.loopback
  if (explainKey === null) return false
  const target = request.query === null ? request.path : `${request.path}?${request.query}`
  const line = { method: request.method, host: request.headers.get('host') ?? request.headers.host, target }
  return tokenHolds(explainKey, token, line, edge.clock.wall())
}

/** A connection keeps that of its address; behind a proxy that is trusted each request may be another viewer's. */
function budgetOf({ request }: Exchange, edge: Edge, seen: SeenViewer | null): RequestBudget {
  const { connection, startedAt } = request
  if (seen !== null) return edge.shield.budgetOf(seen.address, startedAt)
  connection.budget ??= edge.shield.budgetOf(connection.remoteAddress, startedAt)
  return connection.budget
}

/** Runs a request that came from a peer worker. */
export function handlePeer(
  request: ViewerRequest,
  reply: ViewerReply & PeerAnswer,
  asked: PeerQuestion,
  place: Place,
  edge: Edge,
  options: HandlerOptions,
): void {
  const x = new Exchange(request, reply, edge.snapshot, place, reply, asked.inner, asked.slice)
  x.requestId = asked.requestId
  x.foundBefore = asked.distributionId
  x.goneVersion = asked.goneVersion
  if (asked.explain) x.watcher = beginTrace(edge, request)
  x.forwardedFor = asked.forwardedFor
  if (asked.location !== null) x.location = asked.location
  process(x, edge, options)
}

/** Runs what the edge asks of itself, from a step in the middle of the table; resolves at its end, however it ended. */
export async function runInner(x: Exchange, from: Step, edge: Edge, options: HandlerOptions): Promise<void> {
  try {
    await runPipelineFrom(from, x, edge)
  } catch (error) {
    broken(x, edge, options, error)
  }
}

function process(x: Exchange, edge: Edge, options: HandlerOptions): void {
  try {
    const running = runPipeline(x, edge)
    if (running !== undefined) options.running.add(running.catch((error) => broken(x, edge, options, error)))
  } catch (error) {
    broken(x, edge, options, error)
  }
}

function broken(x: Exchange, edge: Edge, { problem }: HandlerOptions, error: unknown): void {
  const { request } = x
  problem(`${request.method} ${request.headers.host}${request.path}: ${error instanceof Error ? error.stack : error}`)
  x.flight?.decide('failed')
  if (x.firstByteAt !== 0) x.reply.abort()
  else {
    x.fault = { status: 500, reason: REASONS.internal, detailed: 'InternalError', origin: null }
    errorPage.run(x, edge)
  }
  // What it held must be let go, or it is held for ever.
  record.run(x, edge)
}
