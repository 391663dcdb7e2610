//! Finds the restXml operation of a request. Routes are compiled once from the model's URI templates
//! (`/2020-05-31/distribution/{Id}/config`, `/2020-05-31/tagging?Operation=Tag`).

import type { FormPairs } from './form-reader.ts'
import { readForm } from './form-reader.ts'
import type { OperationModel, ServiceModel } from './model.ts'
import type { Matched } from './protocol.ts'
import { WireError } from './wire-error.ts'

interface Route {
  readonly operation: OperationModel
  readonly segments: readonly Segment[]
  /** Query parameters that must be there; null for any value. */
  readonly literals: readonly (readonly [name: string, value: string | null])[]
}

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'label'; readonly name: string }
  /** Takes the rest of the path, slashes included; the last one always. */
  | { readonly kind: 'greedy'; readonly name: string }

export interface RestRoutes {
  find(method: string, rawPath: string, query: FormPairs): Matched
}

const compiled = new WeakMap<ServiceModel, RestRoutes>()

export function restRoutes(model: ServiceModel): RestRoutes {
  let routes = compiled.get(model)
  if (routes === undefined) {
    routes = compileRoutes(model)
    compiled.set(model, routes)
  }
  return routes
}

function compileRoutes(model: ServiceModel): RestRoutes {
  const byMethod = new Map<string, Route[]>()
  for (const operation of model.operations.values()) {
    if (operation.http === null) continue
    const of = byMethod.get(operation.http.method) ?? []
    byMethod.set(operation.http.method, [...of, routeOf(operation, operation.http.uri)])
  }
  // More literals first, in path and query: `/x?WithTags` before `/x`, `/x/list` before `/x/{Id}`.
  for (const routes of byMethod.values()) routes.sort((a, b) => weight(b) - weight(a))
  return {
    find(method, rawPath, query) {
      const segments = rawPath.split('/').slice(1)
      for (const route of byMethod.get(method) ?? []) {
        const labels = matchPath(route.segments, segments)
        if (labels === null || !matchLiterals(route.literals, query)) continue
        return { operation: route.operation, labels }
      }
      throw new WireError('no-operation', '', `${method} of this path is not an operation.`)
    },
  }
}

function routeOf(operation: OperationModel, uri: string): Route {
  const [path = '', literals = ''] = uri.split('?')
  return {
    operation,
    segments: path.split('/').slice(1).map(segmentOf),
    literals: literals
      .split('&')
      .filter((literal) => literal !== '')
      .map((literal) => {
        const [name = '', value] = literal.split('=')
        return [name, value ?? null] as const
      }),
  }
}

function segmentOf(text: string): Segment {
  const label = /^\{([^+}]+)(\+?)\}$/.exec(text)
  if (label === null) return { kind: 'literal', text }
  return { kind: label[2] === '+' ? 'greedy' : 'label', name: label[1]! }
}

function weight(route: Route): number {
  const literals = route.segments.filter((segment) => segment.kind === 'literal').length
  const greedy = route.segments.some((segment) => segment.kind === 'greedy')
  return 100 * literals + 10 * route.literals.length - (greedy ? 1 : 0)
}

/** Values of the labels, or null when the path is another. @throws WireError `malformed` */
function matchPath(route: readonly Segment[], path: readonly string[]): Record<string, string> | null {
  const greedy = route.at(-1)?.kind === 'greedy'
  if (greedy ? path.length < route.length : path.length !== route.length) return null
  const labels: Record<string, string> = {}
  for (const [at, segment] of route.entries()) {
    const raw = segment.kind === 'greedy' ? path.slice(at).join('/') : path[at]!
    if (segment.kind === 'literal') {
      if (raw !== segment.text) return null
    } else {
      if (raw === '') return null
      labels[segment.name] = decodeSegment(raw)
    }
  }
  return labels
}

function decodeSegment(raw: string): string {
  try {
    return decodeURIComponent(raw)
  } catch {
    throw new WireError('malformed', '', 'The path is not percent-encoded UTF-8.')
  }
}

function matchLiterals(literals: Route['literals'], query: FormPairs): boolean {
  return literals.every(([name, value]) => query.some(([n, v]) => n === name && (value === null || v === value)))
}

/** Names of the query literals of an operation: part of its address, not of its input. */
export function literalNames(operation: OperationModel): ReadonlySet<string> {
  const literals = operation.http?.uri.split('?')[1] ?? ''
  return new Set(readForm(literals).map(([name]) => name))
}
