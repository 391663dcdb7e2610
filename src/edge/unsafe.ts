//! What a request that may have changed something at the origin makes stale (RFC 9111 4.4): its own URI, and those that
//! Location and Content-Location of a successful answer name, when they are of the same origin. Strict mode only.
import { firstValue } from '../http/headers.ts'
import { invalidationUri } from './cache/key.ts'
import type { Exchange } from './exchange.ts'
import { type BehaviorPlan, behaviorOf, type DistributionPlan } from './snapshot/snapshot.ts'

/** RFC 9110 9.2.1; every other method, known or not, may change something. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** True for a 2xx or 3xx to a method that is not safe. */
export const mayHaveChanged = (method: string, status: number): boolean =>
  !SAFE.has(method) && status >= 200 && status < 400

/** URIs as ObjectMeta.uri has them. `headers` are those of the answer: name, value, name, value. */
export function changedUris(x: Exchange, headers: readonly string[]): string[] {
  const target = targetOf(x)
  const own = invalidationUri((x.behavior as BehaviorPlan).key, x.path, x.request.query)
  const uris = new Set([own])
  for (const name of ['location', 'content-location'] as const) {
    const value = firstValue(headers, name)
    const named = value === undefined || target === null ? null : resolved(value, target)
    if (named !== null && named.origin === target?.origin) uris.add(uriOf(named, x))
  }
  return [...uris]
}

/**
 * True for an answer to POST that later GETs of the same URI may have, if it says for how long (RFC 9110 9.3.3): its
 * Content-Location names that URI. `headers` are those of the answer.
 */
export function mayServeGets(x: Exchange, status: number, headers: readonly string[]): boolean {
  const { strict, caching } = x.behavior as BehaviorPlan
  const asked = strict && caching && x.request.method === 'POST' && x.notStored === 'method-not-cached'
  return asked && status === 200 && describesTarget(x, headers)
}

function describesTarget(x: Exchange, headers: readonly string[]): boolean {
  const value = firstValue(headers, 'content-location')
  const target = targetOf(x)
  return value !== undefined && target !== null && resolved(value, target)?.href === target.href
}

/** The URI as the viewer has it. */
function targetOf({ request }: Exchange): URL | null {
  const { scheme } = request.connection
  const query = request.query === null ? '' : `?${request.query}`
  return resolved(
    `${scheme}://${request.headers.get('host') ?? request.headers.host}${request.path}${query}`,
    undefined,
  )
}

function resolved(value: string, base: URL | undefined): URL | null {
  try {
    const url = new URL(value, base)
    url.hash = ''
    return url
  } catch {
    return null
  }
}

function uriOf(url: URL, x: Exchange): string {
  const plan = x.distribution as DistributionPlan
  const path = url.pathname === '/' && plan.rootPath !== '' ? plan.rootPath : url.pathname
  return invalidationUri(behaviorOf(plan, path).key, path, url.search === '' ? null : url.search.slice(1))
}
