//! Who signs for the viewers of a behavior, with the keys themselves (spec/cloudfront.md 9.1, 9.2). PURE.
import type { CacheBehavior } from '@aws-sdk/client-cloudfront'
import type { SignerKeyDoc, SignersDoc } from '../../domain/distribution.ts'
import type { KeyGroupRecord, PublicKeyRecord, SignerKeyPairRecord } from '../../domain/records.ts'
import { accountsOf, isPrivate, keyGroupsOf } from '../../domain/trusted-signers.ts'

/** Whose keys there are. */
export interface Signers {
  readonly keyGroups: ReadonlyMap<string, KeyGroupRecord>
  readonly publicKeys: ReadonlyMap<string, PublicKeyRecord>
  readonly keyPairs: readonly SignerKeyPairRecord[]
}

/**
 * `own`: the account of the distribution. Null for a public behavior.
 * @throws Error for a key group or key that is not there: services keep what is in use
 */
export function signersDoc(field: string, behavior: CacheBehavior, own: string, signers: Signers): SignersDoc | null {
  if (!isPrivate(behavior)) return null
  return {
    keyGroups: keyGroupsOf(behavior).map((id) => {
      const group = signers.keyGroups.get(id)
      if (group === undefined) throw new Error(`${field}.TrustedKeyGroups names "${id}", which is not there`)
      return { id, keys: group.publicKeys.map((key) => keyDoc(field, key, signers)) }
    }),
    accounts: accountsOf(behavior, own).map((account) => ({
      account,
      keys: signers.keyPairs
        .filter((pair) => pair.account === account)
        .map(({ id, encodedKey }) => ({ id, pem: encodedKey })),
    })),
  }
}

function keyDoc(field: string, id: string, { publicKeys }: Signers): SignerKeyDoc {
  const key = publicKeys.get(id)
  if (key === undefined) throw new Error(`A key group of ${field} has the public key "${id}", which is not there`)
  return { id, pem: key.encodedKey }
}
