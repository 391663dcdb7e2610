//! Whether a request came over a connection that was not made for its Host (RFC 9110 15.5.20, spec/cloudfront.md 14 domain
//! fronting): under another certificate, or under other terms, than the Host's own connections have. PURE.
import { meets } from './listen/tls/client-met.ts'
import { speaksHttp2 } from './listen/tls/offers.ts'
import type { ViewerTls } from './listen/viewer.ts'
import { ownNames } from './snapshot/assemble.ts'
import { type DistributionPlan, OWN_CERTIFICATE } from './snapshot/snapshot.ts'

/**
 * `plan` is the distribution of `host`. The same certificate and terms may serve several names: browsers then use one
 * connection for all of them (RFC 9113 9.1.1). A name of the installation and an alias with a certificate never share one.
 * `now` in milliseconds, wall clock.
 */
export function isMisdirected(tls: ViewerTls | null, host: string, plan: DistributionPlan, now: number): boolean {
  if (tls === null || tls.terms === null) return false
  // A certificate that the distribution has begun to ask for, or no longer trusts: the viewer is to connect anew.
  if (!meets(tls, plan.tls.client, now)) return true
  // What else was changed while a connection lasts is for the next ones: it goes on with the name that it was made for.
  if (host === tls.serverName) return false
  // Browsers put names of one certificate onto one connection; this one's HttpVersion does not have what that speaks.
  if (tls.alpn === 'h2' && !speaksHttp2(plan.doc.httpVersion)) return true
  const isOwn = plan.certificate === null || ownNames(plan.doc).includes(host)
  const terms = isOwn ? plan.ownTls : plan.tls
  const certificate = isOwn ? OWN_CERTIFICATE : plan.certificate.id
  // By address, which loopback listeners take, a viewer asks for no name: the default certificate is for nobody then.
  const isNobodys = tls.serverName === null && tls.certificate === OWN_CERTIFICATE
  return tls.terms !== terms || (tls.certificate !== certificate && !isNobodys)
}
