//! A distribution's ViewerCertificate and ViewerMtlsConfig, compiled: the terms of its connections and what they are shown.
import type { DistributionDoc, ServerCertificateDoc } from '../../domain/distribution.ts'
import { DEFAULT_POLICY } from '../../domain/security-policies.ts'
import { clientTerms } from '../listen/tls/client-terms.ts'
import type { ServedCertificate } from '../listen/tls/endpoints.ts'
import { tlsTerms } from '../listen/tls/terms.ts'
import type { DistributionPlan } from './snapshot.ts'

/** By the first document: equal documents are the same one (shared-parts.ts), and what is served by them is there once. */
const SERVED = new WeakMap<ServerCertificateDoc, Served>()

interface Served {
  readonly of: readonly ServerCertificateDoc[]
  readonly certificate: ServedCertificate
}

/** @throws Error for a security policy that nobody knows, or without any certificate */
export function compileTls({
  viewerCertificate: viewer,
  viewerMtls,
}: DistributionDoc): Pick<DistributionPlan, 'tls' | 'ownTls' | 'certificate'> {
  const client = viewerMtls === undefined ? null : clientTerms(viewerMtls)
  const ownTls = tlsTerms(DEFAULT_POLICY, client)
  if (viewer === undefined) return { tls: ownTls, ownTls, certificate: null }
  return { tls: tlsTerms(viewer.securityPolicy, client), ownTls, certificate: served(viewer.certificates) }
}

function served(documents: readonly ServerCertificateDoc[]): ServedCertificate {
  const [first] = documents
  if (first === undefined) throw new Error('its ViewerCertificate has no certificate')
  const known = SERVED.get(first)
  if (known?.of.length === documents.length && known.of.every((part, at) => part === documents[at])) {
    return known.certificate
  }
  const certificate: ServedCertificate = {
    // Of the ARN of the distribution alone: the other one beside it may come and go.
    id: first.arn,
    pairs: documents.map(({ privateKey, chain }) => ({ key: privateKey, chain })),
  }
  SERVED.set(first, { of: documents, certificate })
  return certificate
}
