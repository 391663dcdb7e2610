//! A request to a bucket, of an exchange: what it takes of the viewer, and what explains it (origin/s3-request.ts).
import type { Edge } from './edge.ts'
import type { Exchange } from './exchange.ts'
import type { OriginRequest } from './origin/attempts.ts'
import type { ReachedOrigin } from './origin/reached.ts'
import { s3Request, signsByViewer } from './origin/s3-request.ts'

/** The viewer's own signature counts where the viewer waits: what the edge asks for itself it signs. */
const viewerSigned = ({ inner, request }: Exchange): boolean =>
  inner === null && request.headers.get('authorization') !== undefined

/** What the bucket says to a viewer that signed for itself is nothing for those whose requests the edge signs. */
export function keepFromOthers(x: Exchange, { bucket }: ReachedOrigin, keyed: ReadonlySet<string>): void {
  if (bucket === null || !x.cacheable || !signsByViewer(bucket, keyed) || !viewerSigned(x)) return
  x.cacheable = false
  x.notStored = 'unkeyed-authorization'
}

/** The request as it is sent: of an origin that is no bucket as it was made. */
export function addressed(x: Exchange, edge: Edge, made: OriginRequest): OriginRequest {
  const { bucket } = made.origin
  if (bucket === null) return made
  explainAccess(x, made.origin)
  return s3Request(made, bucket, {
    keys: edge.s3Keys,
    wall: edge.clock.wall(),
    viewerPath: x.path,
    viewerSigned: viewerSigned(x),
  })
}

function explainAccess({ watcher }: Exchange, { s3, field }: ReachedOrigin): void {
  const access = s3?.access ?? null
  if (watcher === null || access === null) return
  const isControl = access.kind === 'control'
  watcher.decided(`${field}.${isControl ? 'OriginAccessControlId' : 'S3OriginConfig.OriginAccessIdentity'}`, access.id)
  if (isControl) watcher.decided('OriginAccessControlConfig.SigningBehavior', access.signing)
}
