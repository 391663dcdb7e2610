//! Requests that the edge makes of a viewer's: the refresh of a stale object, the fetch of a custom error page.
import { unframedHeaders } from './listen/header-block.ts'
import type { HeaderBlock, ViewerRequest } from './listen/viewer.ts'
import { headerOrder, keepHeaderOrder } from './viewer/header-order.ts'

/** Lower-case names of header fields by which a viewer wants less than the whole object, now. */
export const OF_ONE_DELIVERY = [
  'expect',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
] as const

/** The block without the header fields of these lower-case names; headers that tell of the viewer's own still do. */
export function withoutFields(block: HeaderBlock, without: ReadonlySet<string>): HeaderBlock {
  const { raw, host } = block
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    if (!without.has((raw[i] as string).toLowerCase())) kept.push(raw[i] as string, raw[i + 1] as string)
  }
  const headers = unframedHeaders(kept, host)
  keepHeaderOrder(headers, headerOrder(block))
  return headers
}

/** The request with another target: without a body, and without the header fields in `without` (lower-case names). */
export function ownRequest(
  request: ViewerRequest,
  target: Pick<ViewerRequest, 'method' | 'path' | 'query' | 'errorOf'>,
  without: ReadonlySet<string>,
): ViewerRequest {
  return {
    ...target,
    httpVersion: request.httpVersion,
    headers: withoutFields(request.headers, without),
    body: null,
    connection: request.connection,
    reused: request.reused,
    startedAt: request.startedAt,
  }
}
