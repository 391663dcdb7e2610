//! What a distribution asks of connections to its names, apart from the certificate that it shows them.
import { type SecurityPolicy, securityPolicy } from '../../../domain/security-policies.ts'

/** One object for each distinct set of terms: who compares them compares objects. */
export interface TlsTerms {
  /** The same text for the same terms, in all workers and after a restart. */
  readonly key: string
  readonly policy: SecurityPolicy
}

const ALL = new Map<string, TlsTerms>()

/** @throws Error for a policy that nobody knows */
export function tlsTerms(policyName: string): TlsTerms {
  const known = ALL.get(policyName)
  if (known !== undefined) return known
  const policy = securityPolicy(policyName)
  if (policy === undefined) throw new Error(`there is no security policy ${policyName}`)
  const terms: TlsTerms = { key: policy.name, policy }
  ALL.set(policyName, terms)
  return terms
}
