//! The kinds of documents in the state, each with its type. A new kind is one line here and its noun in domain/.
import type { DistributionRecord, InvalidationRecord, PolicyRecord } from '../domain/records.ts'

/** Document type by kind; the id of each is in the comment. */
export interface Documents {
  /** Id of the distribution. */
  distribution: DistributionRecord
  /** `<distribution id>/<invalidation id>`. */
  invalidation: InvalidationRecord
  /** Policy id (UUID); custom policies only, the managed ones are a table in domain/. */
  'cache-policy': PolicyRecord
  'origin-request-policy': PolicyRecord
  /** ARN of the tagged resource. */
  tags: { readonly tags: Readonly<Record<string, string>> }
}

export type Kind = keyof Documents
