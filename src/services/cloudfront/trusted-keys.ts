//! Whose signatures a distribution trusts: key groups, and accounts with key pairs of the older kind (spec/cloudfront.md
//! 2.3, 2.7, 9.1, 9.2).
import type {
  ActiveTrustedKeyGroups,
  ActiveTrustedSigners,
  DefaultCacheBehavior,
  DistributionConfig,
} from '@aws-sdk/client-cloudfront'
import { accountOf } from '../../domain/arn.ts'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import type { Quotas } from '../../domain/quotas.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import { accountsOf, keyGroupsOf } from '../../domain/trusted-signers.ts'
import type { Reader } from '../../state/state.ts'
import { counted } from './distribution-defaults.ts'

const behaviorsOf = (config: DistributionConfig): (readonly [field: string, behavior: DefaultCacheBehavior])[] => [
  ...(config.CacheBehaviors?.Items ?? []).map((behavior, at) => [`CacheBehaviors.Items[${at}]`, behavior] as const),
  ...(config.DefaultCacheBehavior === undefined
    ? []
    : [['DefaultCacheBehavior', config.DefaultCacheBehavior] as const]),
]

const groupsIn = (config: DistributionConfig): readonly string[] => [
  ...new Set(behaviorsOf(config).flatMap(([, behavior]) => keyGroupsOf(behavior))),
]

const accountsIn = (config: DistributionConfig, own: string): readonly string[] => [
  ...new Set(behaviorsOf(config).flatMap(([, behavior]) => accountsOf(behavior, own))),
]

/** The distributions whose behaviors trust a key group, or an account. */
export const distributionsTrusting = (
  records: readonly DistributionRecord[],
  whom: { readonly keyGroup: string } | { readonly account: string },
): DistributionRecord[] =>
  records.filter(({ arn, config }) =>
    'keyGroup' in whom
      ? groupsIn(config as DistributionConfig).includes(whom.keyGroup)
      : accountsIn(config as DistributionConfig, accountOf(arn)).includes(whom.account),
  )

/**
 * Checks whom the behaviors trust.
 * @param others the account's other distributions
 * @throws InvalidArgument; TrustedKeyGroupDoesNotExist, TrustedSignerDoesNotExist, TooMany...
 */
export async function checkTrustedKeys(
  reader: Reader,
  config: DistributionConfig,
  others: readonly DistributionRecord[],
  quotas: Quotas,
): Promise<void> {
  for (const [field, { TrustedKeyGroups: groups, TrustedSigners: signers }] of behaviorsOf(config)) {
    checkList(`${field}.TrustedKeyGroups`, groups)
    checkList(`${field}.TrustedSigners`, signers)
    if ((groups?.Items ?? []).length > quotas.keyGroupsPerBehavior) {
      throw cloudfrontFault(
        'TooManyKeyGroupsAssociatedToDistribution',
        `A cache behavior trusts at most ${quotas.keyGroupsPerBehavior} key groups: ${field}.`,
      )
    }
    if ((signers?.Items ?? []).length > quotas.trustedSignersPerBehavior) {
      throw cloudfrontFault(
        'TooManyTrustedSigners',
        `A cache behavior trusts at most ${quotas.trustedSignersPerBehavior} accounts: ${field}.`,
      )
    }
    for (const account of signers?.Items ?? []) await checkSigner(reader, `${field}.TrustedSigners`, account)
  }
  for (const id of groupsIn(config)) {
    if ((await reader.get('key-group', id)) === undefined) {
      throw cloudfrontFault('TrustedKeyGroupDoesNotExist', `The key group ${quoted(id)} does not exist.`)
    }
    if (distributionsTrusting(others, { keyGroup: id }).length >= quotas.distributionsPerKeyGroup) {
      throw cloudfrontFault(
        'TooManyDistributionsAssociatedToKeyGroup',
        `A key group signs for at most ${quotas.distributionsPerKeyGroup} distributions.`,
      )
    }
  }
}

/** What AWS makes of a list beside Enabled false is unconfirmed: its guide wants none, and nobody could know what is meant. */
function checkList(field: string, list: { Enabled?: boolean | undefined; Items?: string[] | undefined } | undefined) {
  const { Enabled = false, Items = [] } = list ?? {}
  if (Enabled && Items.length === 0) throw invalidArgument(field, 'Enabled is true, and it has no Items')
  if (!Enabled && Items.length > 0) throw invalidArgument(field, 'it has Items, and Enabled is false')
  if (new Set(Items).size < Items.length) throw invalidArgument(field, 'an item is given twice')
}

/** `self` always is; another account is known by the key pairs that an operator has entered for it (signer-key-pairs.ts). */
async function checkSigner(reader: Reader, field: string, account: string): Promise<void> {
  if (account === 'self') return
  const known = (await reader.list('signer-key-pair')).some(({ doc }) => doc.account === account)
  if (known) return
  throw cloudfrontFault(
    'TrustedSignerDoesNotExist',
    `${field}: no CloudFront key pair of the account ${quoted(account)} is known; "cachefront trusted-signers add" enters one.`,
  )
}

export interface ActiveSigners {
  readonly ActiveTrustedKeyGroups: ActiveTrustedKeyGroups
  readonly ActiveTrustedSigners: ActiveTrustedSigners
}

/** Whose keys a distribution's viewers may be signed by now, as the API shows it. */
export async function activeSigners(reader: Reader, { arn, config }: DistributionRecord): Promise<ActiveSigners> {
  const own = accountOf(arn)
  const groups = groupsIn(config as DistributionConfig)
  const accounts = accountsIn(config as DistributionConfig, own)
  const pairs = accounts.length === 0 ? [] : (await reader.list('signer-key-pair')).map(({ doc }) => doc)
  const keysOf = async (id: string): Promise<string[]> => [
    ...((await reader.get('key-group', id))?.doc.publicKeys ?? []),
  ]
  return {
    ActiveTrustedKeyGroups: {
      Enabled: groups.length > 0,
      ...counted(
        await Promise.all(groups.map(async (id) => ({ KeyGroupId: id, KeyPairIds: counted(await keysOf(id)) }))),
      ),
    },
    ActiveTrustedSigners: {
      Enabled: accounts.length > 0,
      ...counted(
        accounts.map((account) => ({
          AwsAccountNumber: account === own ? 'self' : account,
          KeyPairIds: counted(pairs.filter((pair) => pair.account === account).map(({ id }) => id)),
        })),
      ),
    },
  }
}
