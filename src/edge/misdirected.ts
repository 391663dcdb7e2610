//! Whether a request came over a connection that was not made for its Host (RFC 9110 15.5.20, spec/cloudfront.md 14 domain
//! fronting): under another certificate, or under other terms, than the Host's own connections have. PURE.
import { DEFAULT_POLICY } from '../domain/security-policies.ts'
import { tlsTerms } from './listen/tls/terms.ts'
import type { ViewerTls } from './listen/viewer.ts'
import { ownNames } from './snapshot/assemble.ts'
import { type DistributionPlan, OWN_CERTIFICATE } from './snapshot/snapshot.ts'

/**
 * `plan` is the distribution of `host`. The same certificate and terms may serve several names: browsers then use one
 * connection for all of them (RFC 9113 9.1.1). A name of the installation and an alias with a certificate never share one.
 */
export function isMisdirected(tls: ViewerTls | null, host: string, plan: DistributionPlan): boolean {
  // What was changed while a connection lasts is for the next ones: it goes on with the name that it was made for.
  if (tls === null || tls.terms === null || host === tls.serverName) return false
  const isOwn = plan.certificate === null || ownNames(plan.doc).includes(host)
  const terms = isOwn ? tlsTerms(DEFAULT_POLICY) : plan.tls
  const certificate = isOwn ? OWN_CERTIFICATE : plan.certificate.id
  // By address, which only loopback listeners take, a viewer asks for no name: what it was shown was for none.
  return tls.terms !== terms || (tls.serverName !== null && tls.certificate !== certificate)
}
