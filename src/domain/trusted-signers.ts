//! Whom a cache behavior trusts to sign for its viewers (spec/cloudfront.md 2.3, 9.1): key groups, and accounts with key
//! pairs of the older kind. PURE: over AWS's own shape, without the SDK.

interface Trust {
  readonly Enabled?: boolean | undefined
  readonly Items?: readonly string[] | undefined
}

export interface TrustingBehavior {
  readonly TrustedKeyGroups?: Trust | undefined
  readonly TrustedSigners?: Trust | undefined
}

/** What is listed where Enabled is false signs for nobody. */
const enabled = (trust: Trust | undefined): readonly string[] => (trust?.Enabled === true ? (trust.Items ?? []) : [])

/** Ids of the key groups that sign for a behavior. */
export const keyGroupsOf = (behavior: TrustingBehavior): readonly string[] => enabled(behavior.TrustedKeyGroups)

/** Accounts whose key pairs sign for a behavior; `self` is that of the distribution. */
export const accountsOf = (behavior: TrustingBehavior, own: string): readonly string[] => [
  ...new Set(enabled(behavior.TrustedSigners).map((account) => (account === 'self' ? own : account))),
]

/** Every request of a private behavior needs a signature: also one that nobody can give any more. */
export const isPrivate = ({ TrustedKeyGroups, TrustedSigners }: TrustingBehavior): boolean =>
  TrustedKeyGroups?.Enabled === true || TrustedSigners?.Enabled === true
