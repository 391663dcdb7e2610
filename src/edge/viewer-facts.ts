//! What the stages ask of a header block on every request, found once for a block and remembered with it.
import { isIP } from 'node:net'
import type { Conditions } from '../http/conditional.ts'
import { parseRange, type RangeSpec } from '../http/range.ts'
import type { HeaderBlock } from './listen/viewer.ts'

/** What a viewer wants of an object other than all of it, whenever. */
export interface Selection extends Conditions {
  /** Null when no range is asked for, or in a way that is to be ignored. */
  readonly range: readonly RangeSpec[] | null
  readonly ifRange: string | null
}

export interface ExplainWish {
  /** Nothing says that the request passed a proxy. */
  readonly direct: boolean
  /** `x-cachefront-explain` came. */
  readonly explain: boolean
  /** Its value, when it is more than `1`: what an admin was given for this request (lib/request-token.ts). */
  readonly token: string | null
  /** Of `x-cachefront-viewer-address`; null for none. */
  readonly viewerAddress: string | null
}

export interface ViewerFacts {
  /** Null unless it asks to be explained, or says who the viewer is to be (DESIGN 6, explain). */
  readonly wish: ExplainWish | null
  /** It asks for a WebSocket (RFC 6455 4.1): not of every method and version. */
  readonly webSocket: boolean
  /** Its Content-Type is one of gRPC (spec/cloudfront.md 13.5); gRPC-Web, which is for HTTP/1.1, is another protocol. */
  readonly grpc: boolean
  /** Null for a request with neither a range nor a condition. */
  readonly selection: Selection | null
}

const KEY = {}
/** `application/grpc`, `application/grpc+proto` */
const GRPC = /^application\/grpc(?:\+[^;\s]+)?[\t ]*(?:;|$)/i

export function viewerFacts(headers: HeaderBlock): ViewerFacts {
  const known = headers.derived.get(KEY)
  if (known !== undefined) return known as ViewerFacts
  const facts: ViewerFacts = {
    wish: wishOf(headers),
    webSocket: lists(headers, 'upgrade', 'websocket') && lists(headers, 'connection', 'upgrade'),
    grpc: GRPC.test(headers.get('content-type') ?? ''),
    selection: selectionIn(headers),
  }
  headers.derived.set(KEY, facts)
  return facts
}

function wishOf(headers: HeaderBlock): ExplainWish | null {
  const value = headers.get('x-cachefront-explain')
  const address = headers.get('x-cachefront-viewer-address')
  if (value === undefined && address === undefined) return null
  return {
    direct: ['via', 'forwarded', 'x-forwarded-for'].every((name) => headers.get(name) === undefined),
    explain: value !== undefined,
    token: value === undefined || value === '1' ? null : value,
    viewerAddress: address !== undefined && isIP(address) !== 0 ? address : null,
  }
}

/** Whether a header field with a list of tokens has this one. */
const lists = (headers: HeaderBlock, name: string, token: string): boolean =>
  headers.getAll(name).some((value) => value.split(',').some((one) => one.trim().toLowerCase() === token))

function selectionIn(headers: HeaderBlock): Selection | null {
  const joined = (name: string) => {
    const values = headers.getAll(name)
    return values.length === 0 ? null : values.join(', ')
  }
  const selection: Selection = {
    ifMatch: joined('if-match'),
    ifUnmodifiedSince: headers.get('if-unmodified-since') ?? null,
    ifNoneMatch: joined('if-none-match'),
    ifModifiedSince: headers.get('if-modified-since') ?? null,
    range: parseRange(headers.getAll('range')),
    ifRange: headers.get('if-range') ?? null,
  }
  const { ifMatch, ifUnmodifiedSince, ifNoneMatch, ifModifiedSince, range } = selection
  return (ifMatch ?? ifUnmodifiedSince ?? ifNoneMatch ?? ifModifiedSince ?? range) === null ? null : selection
}
