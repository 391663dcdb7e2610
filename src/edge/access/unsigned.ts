//! A request without what signs it, for what is asked in its place.
import type { ViewerRequest } from '../listen/viewer.ts'
import { signedQuery } from './signed-material.ts'
import { withoutSigning } from './signing-header.ts'

/** The request itself when nothing signs it. */
export function unsigned(request: ViewerRequest): ViewerRequest {
  const signed = signedQuery(request.query)
  const headers = withoutSigning(request.headers)
  if (signed === null && headers === request.headers) return request
  return { ...request, query: signed === null ? request.query : signed.rest, headers }
}
