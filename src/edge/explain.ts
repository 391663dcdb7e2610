//! What a trace tells of a finished request (DESIGN 6, explain): put together at the end from what the exchange learnt.
import type { Edge, PassedOver } from './edge.ts'
import type { Exchange, Told } from './exchange.ts'
import { headerPairs } from './origin/answer.ts'
import type { OriginRequest } from './origin/attempts.ts'

/** Header line that names the trace to the viewer; empty when the request is not explained. */
function traceLine(x: Exchange): string {
  return x.watcher === null ? '' : `\r\nX-Cachefront-Trace: ${x.watcher.id}`
}

/** Lines of the answer to this viewer alone, each with the end of the line before it. */
export const ownViewerLines = (x: Exchange): string => x.setCookie + traceLine(x)

/** Tells `x.watcher` everything; call once, after the answer. */
export function explain(x: Exchange, edge: Edge): void {
  const trace = x.watcher
  if (trace === null) return
  if (x.distribution !== null) trace.matched(x.distribution.id, x.behavior?.pattern ?? null)
  if (x.key !== '') trace.keyed(x.key)
  const source = x.object ?? x.answer
  if (source !== null && x.fault === null) {
    trace.lives(Math.max(0, Math.round((source.freshUntil - source.bornAt) / 1000)), source.ttlSource)
    // The fraction (cache/as-of.ts) tells a person nothing.
    trace.note('asOf', Math.floor(source.asOf))
  }
  trace.note('tier', x.tier)
  trace.note('revision', x.snapshot.revision)
  if (x.behavior?.strict === true) trace.note('mode', 'strict')
  if (x.missReason !== null) trace.note('missed', x.missReason)
  if (x.staleReason !== null) trace.note('stale', x.staleReason)
  if (x.notStored !== null) trace.note('notStored', x.notStored)
  if (x.range !== null) trace.note('range', `${x.range.first}-${x.range.last}`)
  trace.turnedOut(x.result, outcomeReason(x))
  if (x.originRequest !== null && x.tier === 'origin') askedOrigin(x, edge, x.originRequest, x.flight)
  trace.answered(x.status, headerPairs(trace.head), x.reply.bytesSent)
}

/** Where the viewer is, as far as the behavior depends on it. */
export function explainViewer(x: Exchange): void {
  if (x.behavior?.locates) noteViewer(x)
}

/** Where the viewer is. */
export function noteViewer({ watcher, location, viewerAddress }: Exchange): void {
  if (watcher === null) return
  const { country, region, city, timeZone, asn } = location
  const known = [country, region, city, timeZone, asn === '' ? '' : `AS${asn}`].filter((text) => text !== '')
  watcher.note('viewer', `${viewerAddress}: ${known.length === 0 ? 'in no GeoIP database' : known.join(', ')}`)
}

/** Which policy has each of the headers sent that CloudFront makes; `sent` are those of the origin request. */
export function explainGenerated({ watcher, behavior }: Exchange, sent: readonly string[]): void {
  if (watcher === null || behavior === null || behavior.forward.generated.length === 0) return
  const names = new Set(sent.filter((_, at) => at % 2 === 0))
  const made = behavior.forward.generated.filter(({ name }) => names.has(name))
  const keyed = made.filter((header) => behavior.key.generated.includes(header))
  const listed = made.filter((header) => !keyed.includes(header))
  const tell = (field: string, headers: typeof made) => {
    if (headers.length > 0) watcher.decided(field, headers.map(({ name }) => name).join(', '))
  }
  tell('CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin.HeadersConfig.Headers', keyed)
  const all = behavior.doc.originRequestPolicy?.headers.behavior === 'allExcept'
  tell(`OriginRequestPolicyConfig.HeadersConfig.${all ? 'HeaderBehavior' : 'Headers'}`, listed)
}

/** How the answer of `x` came about, for the peer that asked. */
export function toldOf(x: Exchange, edge: Edge): Told {
  const { result, layer, upstream, watcher } = x
  if (watcher === null) return { result, layer, upstream, trace: null }
  if (x.missReason !== null) watcher.note('missed', x.missReason)
  if (x.staleReason !== null) watcher.note('stale', x.staleReason)
  if (x.originRequest !== null && x.tier === 'origin') askedOrigin(x, edge, x.originRequest, x.flight)
  return { result, layer, upstream, trace: watcher.soFar() }
}

function outcomeReason(x: Exchange): string {
  if (x.fault !== null) return x.fault.origin === null ? x.fault.detailed : `${x.fault.detailed}: ${x.fault.origin}`
  if (x.result === 'Hit') return x.staleReason ?? x.tier
  return x.missReason ?? x.tier
}

/** Adds one request to an origin and what came of it, if anything did. */
export function askedOrigin(x: Exchange, edge: Edge, request: OriginRequest, came: PassedOver | null): void {
  x.watcher?.askedOrigin(
    {
      origin: request.origin.id,
      address: null,
      method: request.method,
      target: request.target,
      headers: request.headers,
      status: came === null || came.status === 0 ? null : came.status,
      responseHeaders: came?.headers ?? [],
      error: came?.failure?.message ?? null,
      tookMs: Math.max(0, edge.clock.now() - x.askedAt),
    },
    new Set(request.origin.customHeaders.map(([name]) => name.toLowerCase())),
  )
}
