//! AWS's managed response headers policies by their real ids (spec/cloudfront.md 4.8). The API calls them `Managed-<name>`.
import type { CorsDoc, ResponseHeadersPolicyDoc, SecurityHeadersDoc } from './policy.ts'

export interface ManagedHeadersPolicy {
  readonly name: string
  readonly id: string
  readonly settings: Omit<ResponseHeadersPolicyDoc, 'id'>
}

const SIMPLE: CorsDoc = {
  allowOrigins: ['*'],
  allowHeaders: ['*'],
  allowMethods: ['GET'],
  exposeHeaders: [],
  allowCredentials: false,
  maxAgeSec: null,
  override: false,
}

const PREFLIGHT: CorsDoc = {
  ...SIMPLE,
  allowMethods: ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'],
  exposeHeaders: ['*'],
}

const SECURITY: SecurityHeadersDoc = {
  contentTypeOptions: { override: true },
  frameOptions: { value: 'SAMEORIGIN', override: false },
  referrerPolicy: { value: 'strict-origin-when-cross-origin', override: false },
  strictTransportSecurity: { maxAgeSec: 31_536_000, includeSubdomains: false, preload: false, override: false },
  xssProtection: { protection: true, modeBlock: true, reportUri: '', override: false },
}

const policy = (
  name: string,
  id: string,
  cors: CorsDoc | null,
  security: SecurityHeadersDoc,
): ManagedHeadersPolicy => ({
  name,
  id,
  settings: { cors, security, custom: [], remove: [], serverTimingRate: null },
})

/**
 * Of CORS-With-Preflight the headers that a preflight allows are not in AWS's table, of SimpleCORS neither the methods:
 * the API needs both lists, so that they are `*` and GET here (unconfirmed). The one that says less to a preflight than it
 * should breaks a page, and every one of these is a wildcard for reading already.
 */
export const MANAGED_HEADERS_POLICIES: readonly ManagedHeadersPolicy[] = [
  policy('SimpleCORS', '60669652-455b-4ae9-85a4-c4c02393f86c', SIMPLE, {}),
  policy('CORS-With-Preflight', '5cc3b908-e619-4b99-88e5-2cf7f45965bd', PREFLIGHT, {}),
  policy('SecurityHeadersPolicy', '67f7725c-6f97-4210-82d7-5512b31e9d03', null, SECURITY),
  policy('CORS-and-SecurityHeadersPolicy', 'e61eb60c-9c35-4d20-a928-2b84e02af89c', SIMPLE, SECURITY),
  policy('CORS-with-preflight-and-SecurityHeadersPolicy', 'eaab4381-ed33-4a86-88ca-d9558dc6cd63', PREFLIGHT, SECURITY),
]

const byId = new Map(MANAGED_HEADERS_POLICIES.map((one) => [one.id, one]))

export const managedHeadersPolicy = (id: string): ManagedHeadersPolicy | undefined => byId.get(id)
