//! Faults of field-level encryption (spec 1.5, 1.7, 2.3, 12.3).
import type {
  ContentTypeProfile,
  DefaultCacheBehavior,
  EncryptionEntity,
  FieldLevelEncryptionConfig,
  FieldLevelEncryptionProfileConfig,
  QueryArgProfile,
} from '@aws-sdk/client-cloudfront'
import type { Quotas } from '../../../src/domain/quotas.ts'
import { type FaultRow, type FaultSite, listed, many } from '../../support/fault-site.ts'
import { FORM } from '../../support/field-encryption.ts'
import {
  addFieldConfig,
  addFieldEncryption,
  addProfile,
  encrypting,
  encryptionEntity,
  fieldConfig,
  profileConfig,
} from '../../support/field-encryption-api.ts'
import { addPublicKey, ecKey, rsaKey } from '../../support/signing-keys.ts'

const NO_PROFILE = 'P0000000000000'
const NO_CONFIG = 'C0000000000000'
const STALE = 'E00000000000AA'

const row = (
  code: string,
  status: number,
  when: string,
  provoke: FaultRow['provoke'],
  quotas: Partial<Quotas> = {},
): FaultRow => ({ code, status, section: '12.3', when, provoke, quotas })

const invalid = (when: string, provoke: FaultRow['provoke']): FaultRow => row('InvalidArgument', 400, when, provoke)

const addKey = async ({ client }: FaultSite) => (await addPublicKey(client, rsaKey().publicKey)).id

/** A new profile whose one entity encrypts `card`, with these changes. */
const newProfile =
  (
    changes: (
      key: string,
    ) => Partial<FieldLevelEncryptionProfileConfig> | { readonly entities: readonly EncryptionEntity[] },
  ) =>
  async (site: FaultSite) => {
    const key = await addKey(site)
    const { entities = [encryptionEntity(key, 'card')], ...rest } = changes(key) as {
      entities?: EncryptionEntity[]
    }
    return () => addProfile(site.client, { ...profileConfig('mine', ...entities), ...rest })
  }

const patterns = (...texts: string[]) => newProfile((key) => ({ entities: [encryptionEntity(key, ...texts)] }))

/** A new configuration that names a profile, with these changes. */
const newConfig =
  (changes: (profile: string) => Partial<FieldLevelEncryptionConfig>) =>
  async ({ client }: FaultSite) => {
    const { profile } = await addFieldEncryption(client, 'first', 'card')
    return () => addFieldConfig(client, fieldConfig('mine', profile.id, changes(profile.id)))
  }

const types = (make: (profile: string) => readonly ContentTypeProfile[]) =>
  newConfig((profile) => ({
    ContentTypeProfileConfig: {
      ForwardWhenContentTypeIsUnknown: true,
      ContentTypeProfiles: listed(...make(profile)),
    },
  }))

const args = (make: (profile: string) => readonly QueryArgProfile[]) =>
  newConfig((profile) => ({
    QueryArgProfileConfig: { ForwardWhenQueryArgProfileIsUnknown: true, QueryArgProfiles: listed(...make(profile)) },
  }))

const form = (changes: Partial<ContentTypeProfile>): ContentTypeProfile => ({
  ...{ Format: 'URLEncoded', ContentType: FORM },
  ...changes,
})

/** The site's distribution with a configuration at its default behavior, with these changes. */
const associating =
  (changes: Partial<DefaultCacheBehavior>, plain = false) =>
  async (site: FaultSite) => {
    const { config } = await addFieldEncryption(site.client, 'mine', 'card')
    const wanted = encrypting(site.one.config, config.id, changes)
    return () => site.update(plain ? { ...wanted, Origins: site.one.config.Origins } : wanted)
  }

const inUse = async (site: FaultSite) => {
  const made = await addFieldEncryption(site.client, 'mine', 'card')
  await site.update(encrypting(site.one.config, made.config.id))
  return made
}

const updatingProfile =
  (changes: Partial<FieldLevelEncryptionProfileConfig>, changed: { Id?: string; IfMatch?: string | undefined } = {}) =>
  async ({ client }: FaultSite) => {
    const { key, profile } = await addFieldEncryption(client, 'mine', 'card')
    await addProfile(client, profileConfig('other', encryptionEntity(key.id, 'card')))
    const config = profileConfig('mine', encryptionEntity(key.id, 'card'))
    return () =>
      client.updateFieldLevelEncryptionProfile({
        ...{ Id: profile.id, IfMatch: profile.etag, ...changed },
        FieldLevelEncryptionProfileConfig: { ...config, ...changes },
      })
  }

const updatingConfig =
  (changes: Partial<FieldLevelEncryptionConfig>, changed: { Id?: string; IfMatch?: string | undefined } = {}) =>
  async ({ client }: FaultSite) => {
    const { profile, config } = await addFieldEncryption(client, 'mine', 'card')
    return () =>
      client.updateFieldLevelEncryptionConfig({
        ...{ Id: config.id, IfMatch: config.etag, ...changed },
        FieldLevelEncryptionConfig: fieldConfig('mine', profile.id, changes),
      })
  }

const ILLEGAL = 'IllegalFieldLevelEncryptionConfigAssociationWithCacheBehavior'

export const FIELD_ENCRYPTION_ROWS: readonly FaultRow[] = [
  invalid(
    'a profile without a name',
    newProfile(() => ({ Name: '' })),
  ),
  invalid(
    'a name with a space',
    newProfile(() => ({ Name: 'my profile' })),
  ),
  invalid(
    'a name of 129 characters',
    newProfile(() => ({ Name: 'n'.repeat(129) })),
  ),
  invalid(
    'a profile without a caller reference',
    newProfile(() => ({ CallerReference: '' })),
  ),
  invalid(
    'a comment of 129 characters',
    newProfile(() => ({ Comment: 'c'.repeat(129) })),
  ),
  invalid(
    'a provider with a space',
    newProfile((key) => ({
      entities: [{ ...encryptionEntity(key, 'card'), ProviderId: 'my provider' }],
    })),
  ),
  invalid('a key that is not RSA', async (site) => {
    const { id } = await addPublicKey(site.client, ecKey().publicKey)
    return () => addProfile(site.client, profileConfig('mine', encryptionEntity(id, 'card')))
  }),
  invalid('the pattern *', patterns('*')),
  invalid('a pattern with * in the middle', patterns('a*b')),
  invalid('a pattern with a space', patterns('a b')),
  invalid('a pattern of 129 characters', patterns('p'.repeat(129))),
  invalid('the patterns ABC* and AB*', patterns('ABC*', 'AB*')),
  invalid('a pattern twice', patterns('card', 'card')),
  invalid(
    'a name that a pattern of another entity has',
    newProfile((key) => ({
      entities: [encryptionEntity(key, 'AB*'), encryptionEntity(key, 'ABC')],
    })),
  ),
  row(
    'NoSuchPublicKey',
    404,
    'a key that is not there',
    newProfile(() => ({
      entities: [encryptionEntity('K0000000000000', 'card')],
    })),
  ),
  row(
    'TooManyFieldLevelEncryptionEncryptionEntities',
    400,
    'one entity more than a profile may have',
    newProfile((key) => ({ entities: [encryptionEntity(key, 'a'), encryptionEntity(key, 'b')] })),
    { entitiesPerFieldProfile: 1 },
  ),
  row('TooManyFieldLevelEncryptionFieldPatterns', 400, 'eleven patterns', patterns(...many(11, (at) => `p${at}-`))),
  row('TooManyFieldLevelEncryptionFieldPatterns', 400, 'one pattern more than a quota says', patterns('a', 'b'), {
    patternsPerFieldProfile: 1,
  }),
  row(
    'FieldLevelEncryptionProfileSizeExceeded',
    400,
    'patterns of 4,100 characters',
    patterns(...many(41, (at) => `${at}-`.padEnd(100, 'p'))),
    { patternsPerFieldProfile: 100 },
  ),
  row('FieldLevelEncryptionProfileAlreadyExists', 409, 'a name that is taken', async (site) => {
    const key = await addKey(site)
    await addProfile(site.client, profileConfig('mine', encryptionEntity(key, 'card')))
    return () => addProfile(site.client, { ...profileConfig('mine'), CallerReference: 'other' })
  }),
  row('FieldLevelEncryptionProfileAlreadyExists', 409, 'a caller reference that was used', async (site) => {
    await addProfile(site.client, profileConfig('mine'))
    return () => addProfile(site.client, { ...profileConfig('mine'), Name: 'other' })
  }),
  row(
    'FieldLevelEncryptionProfileAlreadyExists',
    409,
    "an update to another's name",
    updatingProfile({ Name: 'other' }),
  ),
  row(
    'TooManyFieldLevelEncryptionProfiles',
    400,
    'one profile more than the account may have',
    async ({ client }) => {
      await addProfile(client, profileConfig('one'))
      return () => addProfile(client, profileConfig('two'))
    },
    { fieldEncryptionProfiles: 1 },
  ),
  row('IllegalUpdate', 400, 'another caller reference of a profile', updatingProfile({ CallerReference: 'new' })),
  row(
    'InvalidIfMatchVersion',
    400,
    'an update of a profile without If-Match',
    updatingProfile({}, { IfMatch: undefined }),
  ),
  row(
    'PreconditionFailed',
    412,
    'an update of a profile with a stale If-Match',
    updatingProfile({}, { IfMatch: STALE }),
  ),
  row(
    'NoSuchFieldLevelEncryptionProfile',
    404,
    'an update of a profile that is not there',
    updatingProfile({}, { Id: NO_PROFILE }),
  ),
  row(
    'NoSuchFieldLevelEncryptionProfile',
    404,
    'a profile that is not there',
    ({ client }) =>
      () =>
        client.getFieldLevelEncryptionProfileConfig({ Id: NO_PROFILE }),
  ),
  row(
    'FieldLevelEncryptionProfileInUse',
    409,
    'the deletion of a profile that a configuration names',
    async ({ client }) => {
      const { profile } = await addFieldEncryption(client, 'mine', 'card')
      return () => client.deleteFieldLevelEncryptionProfile({ Id: profile.id, IfMatch: profile.etag })
    },
  ),
  row('PublicKeyInUse', 409, 'the deletion of a key that a profile names', async ({ client }) => {
    const { key } = await addFieldEncryption(client, 'mine', 'card')
    return () => client.deletePublicKey({ Id: key.id, IfMatch: key.etag })
  }),
  invalid(
    'a configuration without a caller reference',
    newConfig(() => ({ CallerReference: '' })),
  ),
  invalid(
    'a content type with parameters',
    types(() => [form({ ContentType: `${FORM}; charset=utf-8` })]),
  ),
  invalid(
    'a content type twice',
    types(() => [form({}), form({ ContentType: FORM.toUpperCase() })]),
  ),
  invalid(
    'a profile for JSON',
    types((ProfileId) => [form({ ContentType: 'application/json', ProfileId })]),
  ),
  invalid(
    'another format',
    types(() => [form({ Format: 'JSON' as never })]),
  ),
  invalid(
    'a query argument with a slash',
    args((ProfileId) => [{ QueryArg: 'a/b', ProfileId }]),
  ),
  invalid(
    'a query argument with a percent sign alone',
    args((ProfileId) => [{ QueryArg: 'a%', ProfileId }]),
  ),
  invalid(
    'a query argument twice',
    args((ProfileId) => [
      { QueryArg: 'a', ProfileId },
      { QueryArg: '%61', ProfileId },
    ]),
  ),
  row(
    'QueryArgProfileEmpty',
    400,
    'a query argument without a profile',
    args(() => [{ QueryArg: 'a', ProfileId: '' }]),
  ),
  row(
    'NoSuchFieldLevelEncryptionProfile',
    404,
    'a query argument for a profile that is not there',
    args(() => [{ QueryArg: 'a', ProfileId: NO_PROFILE }]),
  ),
  row(
    'NoSuchFieldLevelEncryptionProfile',
    404,
    'a content type for a profile that is not there',
    types(() => [form({ ProfileId: NO_PROFILE })]),
  ),
  row(
    'TooManyFieldLevelEncryptionQueryArgProfiles',
    400,
    'six query arguments',
    args((ProfileId) => many(6, (at) => ({ QueryArg: `a${at}`, ProfileId }))),
  ),
  row(
    'TooManyFieldLevelEncryptionQueryArgProfiles',
    400,
    'one query argument more than a quota says',
    args((ProfileId) => many(2, (at) => ({ QueryArg: `a${at}`, ProfileId }))),
    { queryArgsPerFieldEncryption: 1 },
  ),
  row(
    'TooManyFieldLevelEncryptionContentTypeProfiles',
    400,
    'one content type more than a quota says',
    types(() => [form({}), form({ ContentType: 'application/json' })]),
    { contentTypesPerFieldEncryption: 1 },
  ),
  row(
    'FieldLevelEncryptionConfigAlreadyExists',
    409,
    'a caller reference that was used',
    newConfig(() => ({
      CallerReference: 'first',
    })),
  ),
  row(
    'TooManyFieldLevelEncryptionConfigs',
    400,
    'one configuration more than the account may have',
    newConfig(() => ({})),
    {
      fieldEncryptionConfigs: 1,
    },
  ),
  row('IllegalUpdate', 400, 'another caller reference of a configuration', updatingConfig({ CallerReference: 'new' })),
  row(
    'InvalidIfMatchVersion',
    400,
    'an update of a configuration without If-Match',
    updatingConfig({}, { IfMatch: undefined }),
  ),
  row(
    'PreconditionFailed',
    412,
    'an update of a configuration with a stale If-Match',
    updatingConfig({}, { IfMatch: STALE }),
  ),
  row(
    'NoSuchFieldLevelEncryptionConfig',
    404,
    'an update of a configuration that is not there',
    updatingConfig({}, { Id: NO_CONFIG }),
  ),
  row(
    'NoSuchFieldLevelEncryptionConfig',
    404,
    'a configuration that is not there',
    ({ client }) =>
      () =>
        client.getFieldLevelEncryption({ Id: NO_CONFIG }),
  ),
  row('FieldLevelEncryptionConfigInUse', 409, 'the deletion of a configuration that a behavior names', async (site) => {
    const { config } = await inUse(site)
    return () => site.client.deleteFieldLevelEncryptionConfig({ Id: config.id, IfMatch: config.etag })
  }),
  row(
    'NoSuchFieldLevelEncryptionConfig',
    404,
    'a behavior with one that is not there',
    (site) => () => site.update(encrypting(site.one.config, NO_CONFIG)),
  ),
  row(ILLEGAL, 400, 'a behavior for plain HTTP', associating({ ViewerProtocolPolicy: 'allow-all' })),
  row(ILLEGAL, 400, 'a behavior that takes no POST', associating({ AllowedMethods: listed('GET', 'HEAD') })),
  row(ILLEGAL, 400, 'an origin that is asked over plain HTTP', associating({}, true)),
  row(
    'TooManyDistributionsAssociatedToFieldLevelEncryptionConfig',
    400,
    'one distribution more than may name it',
    async (site) => {
      const { config } = await inUse(site)
      return () => site.create(encrypting(site.one.config, config.id))
    },
    { distributionsPerFieldEncryption: 1 },
  ),
]
