//! Which fields of an origin decided how it is asked, and for how long; for traces.
import type { OriginDoc } from '../domain/distribution.ts'
import type { OriginFailureKind } from '../domain/outcomes.ts'
import type { Exchange } from './exchange.ts'
import type { ReachedOrigin } from './origin/reached.ts'

/** What of its own fields is in each request to it, besides the name; access to a bucket tells bucket-request.ts. */
export function explainOrigin({ watcher, distribution }: Exchange, { id, field }: ReachedOrigin): void {
  // As it is configured: a bucket is reached below a path of its own.
  const doc = distribution?.doc.origins.find((origin) => origin.id === id)
  if (watcher === null || doc === undefined) return
  if (doc.s3 === undefined) watcher.decided(`${field}.CustomOriginConfig.OriginProtocolPolicy`, doc.protocolPolicy)
  const { clientCertificate: own } = doc
  if (own !== undefined) {
    watcher.decided(`${field}.CustomOriginConfig.OriginMtlsConfig.ClientCertificateArn`, own.arn)
  }
  if (doc.path !== '') watcher.decided(`${field}.OriginPath`, doc.path)
}

/** The field that ended the wait for an origin; none when the origin failed in another way. */
export function explainTimeout({ watcher }: Exchange, origin: ReachedOrigin, kind: OriginFailureKind): void {
  const timeout = timeoutOf(origin, kind)
  if (timeout !== null) watcher?.decided(`${origin.field}.${timeout.name}`, timeout.ms / 1_000)
}

function timeoutOf(origin: OriginDoc, kind: OriginFailureKind): { name: string; ms: number } | null {
  const { connectionTimeoutMs, readTimeoutMs, responseCompletionTimeoutMs } = origin
  switch (kind) {
    case 'connect-timeout':
      return { name: 'ConnectionTimeout', ms: connectionTimeoutMs }
    case 'read-timeout': {
      const config = origin.s3 === undefined ? 'CustomOriginConfig' : 'S3OriginConfig'
      return { name: `${config}.OriginReadTimeout`, ms: readTimeoutMs }
    }
    case 'completion-timeout':
      return { name: 'ResponseCompletionTimeout', ms: responseCompletionTimeoutMs ?? 0 }
    default:
      return null
  }
}
