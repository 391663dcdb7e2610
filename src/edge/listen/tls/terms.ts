//! What a distribution asks of connections to its names, apart from the certificate that it shows them.
import { type SecurityPolicy, securityPolicy } from '../../../domain/security-policies.ts'
import type { ClientTerms } from './client-terms.ts'

/** One object for each distinct set of terms: who compares them compares objects. */
export interface TlsTerms {
  /** The same text for the same terms, in all workers and after a restart. */
  readonly key: string
  readonly policy: SecurityPolicy
  /** Null where viewers are not asked for certificates. */
  readonly client: ClientTerms | null
}

/** By the name of the policy: without client certificates, and with them for as long as anybody has those terms. */
const ALL = new Map<string, TlsTerms>()
const WITH_CLIENTS = new WeakMap<ClientTerms, Map<string, TlsTerms>>()

/** @throws Error for a policy that nobody knows */
export function tlsTerms(policyName: string, client: ClientTerms | null = null): TlsTerms {
  const all = client === null ? ALL : withClients(client)
  const known = all.get(policyName)
  if (known !== undefined) return known
  const policy = securityPolicy(policyName)
  if (policy === undefined) throw new Error(`there is no security policy ${policyName}`)
  const terms: TlsTerms = { key: client === null ? policy.name : `${policy.name}\n${client.key}`, policy, client }
  all.set(policyName, terms)
  return terms
}

function withClients(client: ClientTerms): Map<string, TlsTerms> {
  const known = WITH_CLIENTS.get(client)
  if (known !== undefined) return known
  const made = new Map<string, TlsTerms>()
  WITH_CLIENTS.set(client, made)
  return made
}
