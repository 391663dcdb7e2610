//! The trace of a request that is to be explained, from its beginning.
import { TraceBuilder } from '../observe/trace.ts'
import type { Edge } from './edge.ts'
import type { ViewerRequest } from './listen/viewer.ts'

export function beginTrace(edge: Edge, request: ViewerRequest): TraceBuilder {
  const query = request.query === null ? '' : `?${request.query}`
  return new TraceBuilder(
    edge.ids.next().slice(0, 24),
    edge.clock.now(),
    () => edge.clock.monotonic() - request.startedAt,
    {
      method: request.method,
      url: `${request.connection.scheme}://${request.headers.get('host') ?? request.headers.host}${request.path}${query}`,
      headers: request.headers.raw,
    },
  )
}
