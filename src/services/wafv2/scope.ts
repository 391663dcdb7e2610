//! Scope: CLOUDFRONT is all there is here, as no load balancer or API gateway is.
import { notImplemented } from '../../domain/faults.ts'
import { invalidParameter } from '../../domain/waf/faults.ts'

/** @throws NotImplemented for REGIONAL, WAFInvalidParameterException for what is no scope */
export function requireScope(scope: string | undefined): void {
  if (scope === 'CLOUDFRONT') return
  if (scope === 'REGIONAL') throw notImplemented('Scope REGIONAL (Cachefront has CloudFront distributions alone)')
  throw invalidParameter('SCOPE_VALUE', scope ?? '', 'The scope is not valid: it is CLOUDFRONT or REGIONAL.')
}
