//! The installation's own paths on the API port, `/_cachefront/*` and `/console*`: a table that main.ts hands in
//! (services/cachefront/ writes the rows), and how a request finds its row.
import { cachefrontFault } from '../domain/faults.ts'

export interface LocalRequest {
  /** Percent-decoded `:name` parts of the path. */
  readonly params: Readonly<Record<string, string>>
  /** What a final `*` of the path stands for, decoded; empty when the route has none. */
  readonly rest: string
  readonly query: URLSearchParams
  /** The parsed JSON body of a change; undefined when there is none. */
  readonly body: unknown
}

export interface LocalAnswer {
  readonly status: number
  readonly contentType: string
  /** Pieces are sent as they come, at the client's pace; the iteration is ended when the client goes away. */
  readonly body: string | AsyncIterable<string>
}

export interface LocalRoute {
  /** `GET` answers HEAD as well. Every other method is a change: it needs `application/json`. */
  readonly method: string
  /** Absolute. `:name` stands for one part of the path, so does a final `*`; neither may be empty. */
  readonly path: string
  /** Beyond loopback, changes always need a valid signature (service `cachefront`); reads only with this. */
  readonly readsNeedSignature?: boolean
  /** @throws Fault for every error that the caller is to see; anything else becomes a 500 without detail. */
  run(request: LocalRequest): Promise<LocalAnswer>
}

export interface MatchedRoute {
  readonly route: LocalRoute
  readonly params: Readonly<Record<string, string>>
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
    const params = matchPath(route.path, path)
    if (params === null) continue
    if (route.method === wanted) return { route, params, rest: params['*'] ?? '' }
    methods.add(route.method)
  }
  if (methods.size === 0) throw cachefrontFault('NotFound', `There is nothing at ${path.slice(0, 200)}.`)
  throw cachefrontFault('MethodNotAllowed', `${path.slice(0, 200)} takes ${[...methods].join(', ')}, not ${method}.`)
}

/** Values of the `:name` parts, and of `*` under that name; null when the path is another. */
function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return null
  const params: Record<string, string> = {}
  for (const [at, part] of wanted.entries()) {
    const value = given[at]!
    const name = part === '*' ? part : part.startsWith(':') ? part.slice(1) : null
    if (name === null ? part !== value : value === '') return null
    if (name !== null) params[name] = decode(value)
  }
  return params
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw cachefrontFault('NotFound', 'The path is not percent-encoded UTF-8.')
  }
}
