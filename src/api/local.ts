//! The installation's own paths on the API port, `/_cachefront/*` and `/console*`: a table that main.ts hands in
//! (services/cachefront/ writes the rows), and how a request finds its row.
import { cachefrontFault } from '../domain/faults.ts'
import type { LocalRoute } from '../services/cachefront/local-route.ts'

export interface MatchedRoute {
  readonly route: LocalRoute
  /** As of LocalRequest. */
  readonly rest: string
}

/** Whether the path belongs to the local routes, known or not. */
export function isLocalPath(path: string): boolean {
  return /^\/(?:_cachefront|console)(?:\/|$)/.test(path)
}

/** @throws Fault NotFound or MethodNotAllowed */
export function findLocalRoute(routes: readonly LocalRoute[], method: string, path: string): MatchedRoute {
  const wanted = method === 'HEAD' ? 'GET' : method
  const methods = new Set<string>()
  for (const route of routes) {
    const rest = restOf(route.path, path)
    if (rest === null) continue
    if (route.method === wanted) return { route, rest }
    methods.add(route.method)
  }
  if (methods.size === 0) throw cachefrontFault('NotFound', `There is nothing at ${path.slice(0, 200)}.`)
  throw cachefrontFault('MethodNotAllowed', `${path.slice(0, 200)} takes ${[...methods].join(', ')}, not ${method}.`)
}

/** What the final `*` of the pattern stands for, empty without one; null when the path is another. */
function restOf(pattern: string, path: string): string | null {
  if (!pattern.endsWith('/*')) return pattern === path ? '' : null
  const before = pattern.slice(0, -1)
  const rest = path.slice(before.length)
  return path.startsWith(before) && rest !== '' && !rest.includes('/') ? decode(rest) : null
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw cachefrontFault('NotFound', 'The path is not percent-encoded UTF-8.')
  }
}
