//! Faults of public keys, key groups and of whom behaviors trust (spec 1.5, 1.7, 1.8, 2.3, 2.7, 9.2).
import type { DefaultCacheBehavior, KeyGroupConfig, PublicKeyConfig } from '@aws-sdk/client-cloudfront'
import { type FaultRow, type FaultSite, listed, many, row } from '../../support/fault-site.ts'
import { addKeyGroup, addPublicKey, ecKey, rsaKey } from '../../support/signing-keys.ts'

const KEY: PublicKeyConfig = { CallerReference: 'mine', Name: 'mine', EncodedKey: rsaKey().publicKey }

const newKey =
  (changes: Partial<PublicKeyConfig>) =>
  ({ client }: FaultSite) =>
  () =>
    client.createPublicKey({ PublicKeyConfig: { ...KEY, ...changes } })

const key = ({ client }: FaultSite, of = rsaKey()) => addPublicKey(client, of.publicKey)

/** An update of the key that KEY says, with these changes. */
const updatingKey =
  (changes: Partial<PublicKeyConfig>, changed: { Id?: string; IfMatch?: string | undefined } = {}) =>
  async ({ client }: FaultSite) => {
    const { PublicKey, ETag } = await client.createPublicKey({ PublicKeyConfig: KEY })
    return () =>
      client.updatePublicKey({
        ...{ Id: PublicKey?.Id, IfMatch: ETag, ...changed },
        PublicKeyConfig: { ...KEY, ...changes },
      })
  }

const newGroup = (changes: (id: string) => Partial<KeyGroupConfig>) => async (site: FaultSite) => {
  const { id } = await key(site)
  const KeyGroupConfig = { Name: 'mine', Items: [id], ...changes(id) }
  return () => site.client.createKeyGroup({ KeyGroupConfig })
}

const group = async (site: FaultSite) => {
  const one = await key(site)
  return { key: one, ...(await addKeyGroup(site.client, one.id)) }
}

const updatingGroup =
  (changes: (id: string) => Partial<KeyGroupConfig>, changed: { Id?: string; IfMatch?: string | undefined } = {}) =>
  async (site: FaultSite) => {
    const made = await group(site)
    const KeyGroupConfig = { Name: 'mine', Items: [made.key.id], ...changes(made.key.id) }
    return () => site.client.updateKeyGroup({ Id: made.id, IfMatch: made.etag, KeyGroupConfig, ...changed })
  }

const trusting = (site: FaultSite, changes: Partial<DefaultCacheBehavior>) => () =>
  site.update({ DefaultCacheBehavior: { ...site.one.config.DefaultCacheBehavior, ...changes } as DefaultCacheBehavior })
const groups = (...Items: string[]) => ({ TrustedKeyGroups: { Enabled: true, ...listed(...Items) } })
const signers = (...Items: string[]) => ({ TrustedSigners: { Enabled: true, ...listed(...Items) } })

const NOBODY = 'K00000000000000'
const NO_GROUP = '00000000-0000-4000-8000-000000000000'
const STALE = 'E00000000000AA'

export const SIGNING_ROWS: readonly FaultRow[] = [
  row('InvalidArgument', 400, '9.2', 'a public key without a name', newKey({ Name: '' })),
  row('InvalidArgument', 400, '9.2', 'a name of 129 characters', newKey({ Name: 'x'.repeat(129) })),
  row('InvalidArgument', 400, '9.2', 'a public key without a caller reference', newKey({ CallerReference: '' })),
  row('InvalidArgument', 400, '9.2', 'a comment of 129 characters', newKey({ Comment: 'x'.repeat(129) })),
  row('InvalidArgument', 400, '9.2', 'a key that is no PEM', newKey({ EncodedKey: 'ssh-rsa AAAA' })),
  row('InvalidArgument', 400, '9.2', 'a private key', newKey({ EncodedKey: rsaKey().privateKey })),
  row('InvalidArgument', 400, '9.2', 'two keys', newKey({ EncodedKey: rsaKey().publicKey + rsaKey().publicKey })),
  row('InvalidArgument', 400, '9.2', 'RSA with 1024 bits', newKey({ EncodedKey: rsaKey('short', 1_024).publicKey })),
  row('InvalidArgument', 400, '9.2', 'another curve', newKey({ EncodedKey: ecKey('other', 'secp384r1').publicKey })),
  row('PublicKeyAlreadyExists', 409, '1.7', 'a caller reference that was used', async (site) => {
    await newKey({ Name: 'other' })(site)()
    return newKey({})(site)
  }),
  row('PublicKeyAlreadyExists', 409, '1.7', 'a name that is taken', async (site) => {
    await newKey({ CallerReference: 'other' })(site)()
    return newKey({})(site)
  }),
  row(
    'TooManyPublicKeys',
    400,
    '2.7',
    'one more than the account may have',
    async (site) => {
      await key(site)
      return newKey({})(site)
    },
    { publicKeys: 1 },
  ),
  row('CannotChangeImmutablePublicKeyFields', 400, '1.8', 'another name', updatingKey({ Name: 'other' })),
  row('CannotChangeImmutablePublicKeyFields', 400, '1.8', 'another reference', updatingKey({ CallerReference: 'o' })),
  row(
    'CannotChangeImmutablePublicKeyFields',
    400,
    '1.8',
    'another key',
    updatingKey({ EncodedKey: ecKey().publicKey }),
  ),
  row(
    'InvalidIfMatchVersion',
    400,
    '1.2',
    'an update of a key without If-Match',
    updatingKey({}, { IfMatch: undefined }),
  ),
  row(
    'PreconditionFailed',
    412,
    '1.2',
    'an update of a key with a stale If-Match',
    updatingKey({}, { IfMatch: STALE }),
  ),
  row('NoSuchPublicKey', 404, '1.5', 'an update of a key that is not there', updatingKey({}, { Id: NOBODY })),
  row(
    'NoSuchPublicKey',
    404,
    '1.5',
    'a key that is not there',
    ({ client }) =>
      () =>
        client.getPublicKey({ Id: NOBODY }),
  ),
  row(
    'NoSuchPublicKey',
    404,
    '1.5',
    'the configuration of a key that is not there',
    ({ client }) =>
      () =>
        client.getPublicKeyConfig({ Id: NOBODY }),
  ),
  row('PublicKeyInUse', 409, '1.8', 'the deletion of a key in a key group', async (site) => {
    const { key: one } = await group(site)
    return () => site.client.deletePublicKey({ Id: one.id, IfMatch: one.etag })
  }),
  row(
    'InvalidArgument',
    400,
    '9.2',
    'a key group without a name',
    newGroup(() => ({ Name: '' })),
  ),
  row(
    'InvalidArgument',
    400,
    '9.2',
    'a key group without keys',
    newGroup(() => ({ Items: [] })),
  ),
  row(
    'InvalidArgument',
    400,
    '9.2',
    'a key that is not there',
    newGroup((id) => ({ Items: [id, NOBODY] })),
  ),
  row(
    'InvalidArgument',
    400,
    '9.2',
    'a key twice',
    newGroup((id) => ({ Items: [id, id] })),
  ),
  row(
    'TooManyPublicKeysInKeyGroup',
    400,
    '2.7',
    'one more than a group may have',
    async (site) => newGroup((id) => ({ Items: [id, NOBODY] }))(site),
    { publicKeysPerKeyGroup: 1 },
  ),
  row('KeyGroupAlreadyExists', 409, '1.7', 'a name that is taken', async (site) => {
    const { id } = await key(site)
    await site.client.createKeyGroup({ KeyGroupConfig: { Name: 'mine', Items: [id] } })
    return () => site.client.createKeyGroup({ KeyGroupConfig: { Name: 'mine', Items: [id] } })
  }),
  row('KeyGroupAlreadyExists', 409, '1.7', 'an update to a name that is taken', async (site) => {
    const update = await updatingGroup(() => ({}))(site)
    const { id } = await key(site, ecKey())
    await site.client.createKeyGroup({ KeyGroupConfig: { Name: 'mine', Items: [id] } })
    return update
  }),
  row(
    'TooManyKeyGroups',
    400,
    '2.7',
    'one more than the account may have',
    async (site) => {
      const { key: one } = await group(site)
      return () => site.client.createKeyGroup({ KeyGroupConfig: { Name: 'mine', Items: [one.id] } })
    },
    { keyGroups: 1 },
  ),
  row(
    'NoSuchResource',
    404,
    '1.5',
    'a key group that is not there',
    ({ client }) =>
      () =>
        client.getKeyGroup({ Id: NO_GROUP }),
  ),
  row(
    'NoSuchResource',
    404,
    '1.5',
    'an update of a key group that is not there',
    updatingGroup(() => ({}), { Id: NO_GROUP }),
  ),
  row(
    'NoSuchResource',
    404,
    '1.9',
    'the distributions of a key group that is not there',
    ({ client }) =>
      () =>
        client.listDistributionsByKeyGroup({ KeyGroupId: NO_GROUP }),
  ),
  row(
    'PreconditionFailed',
    412,
    '1.2',
    'an update of a key group with a stale If-Match',
    updatingGroup(() => ({}), { IfMatch: STALE }),
  ),
  row('InvalidArgument', 400, '2.3', 'key groups enabled without any', (site) =>
    trusting(site, { TrustedKeyGroups: { Enabled: true, Quantity: 0 } }),
  ),
  row('InvalidArgument', 400, '2.3', 'key groups listed and not enabled', (site) =>
    trusting(site, { TrustedKeyGroups: { Enabled: false, ...listed(NO_GROUP) } }),
  ),
  row('TrustedKeyGroupDoesNotExist', 400, '1.5', 'a key group that is not there', (site) =>
    trusting(site, groups(NO_GROUP)),
  ),
  row(
    'TooManyKeyGroupsAssociatedToDistribution',
    400,
    '2.7',
    'two key groups at a behavior that may have one',
    (site) => trusting(site, groups('one', 'two')),
    { keyGroupsPerBehavior: 1 },
  ),
  row('TooManyKeyGroupsAssociatedToDistribution', 400, '2.7', 'five key groups at a behavior', (site) =>
    trusting(site, groups(...many(5, (at) => `group-${at}`))),
  ),
  row(
    'TooManyDistributionsAssociatedToKeyGroup',
    400,
    '2.7',
    'one more than a key group may sign for',
    async (site) => trusting(site, groups((await group(site)).id)),
    { distributionsPerKeyGroup: 0 },
  ),
  row('TrustedSignerDoesNotExist', 400, '1.5', 'an account without a key pair', (site) =>
    trusting(site, signers('210987654321')),
  ),
  row(
    'TooManyTrustedSigners',
    400,
    '2.7',
    'two accounts at a behavior that may have one',
    (site) => trusting(site, signers('self', '210987654321')),
    { trustedSignersPerBehavior: 1 },
  ),
  row('TooManyTrustedSigners', 400, '2.7', 'six accounts at a behavior', (site) =>
    trusting(site, signers(...many(6, (at) => `21098765432${at}`))),
  ),
]
