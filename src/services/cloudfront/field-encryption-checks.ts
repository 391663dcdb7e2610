//! What AWS refuses of field-level encryption (spec/cloudfront.md 1.5, 2.3, 12.3): in a profile, in a configuration, and at
//! a behavior. An accepted one has every field, so that Get -> edit -> Update round-trips.
import type {
  ContentTypeProfile,
  DefaultCacheBehavior,
  DistributionConfig,
  EncryptionEntity,
  FieldLevelEncryptionConfig,
  FieldLevelEncryptionProfileConfig,
  Origin,
  QueryArgProfile,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { FORM_FORMAT, FORM_TYPE, isFieldPattern, overlap } from '../../domain/field-encryption.ts'
import { QUOTAS, type Quotas } from '../../domain/quotas.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import type { Reader } from '../../state/state.ts'
import { counted } from './distribution-defaults.ts'
import { findPublicKey } from './public-keys.ts'

const NAME = /^[A-Za-z0-9_-]+$/
const PROVIDER = /^[A-Za-z0-9:_-]+$/
const QUERY_ARG = /^(?:[A-Za-z0-9._*+-]|%[0-9A-Fa-f]{2})+$/
/** A media type without parameters (RFC 9110 8.3.1). */
const MEDIA_TYPE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

function checkCommon({ CallerReference, Comment = '' }: FieldLevelEncryptionConfig): void {
  if (!CallerReference) throw invalidArgument('CallerReference', 'it is required')
  if (Comment.length > QUOTAS.commentChars) {
    throw invalidArgument('Comment', `it has at most ${QUOTAS.commentChars} characters`)
  }
}

/** A text of this form, of at most 128 characters. */
function checkText(field: string, text: string | undefined, form: RegExp, of: string): void {
  if (text === undefined || !form.test(text) || text.length > QUOTAS.fieldEncryptionTextChars) {
    throw invalidArgument(
      field,
      `it is 1 to ${QUOTAS.fieldEncryptionTextChars} of ${of}, and not ${quoted(text ?? '')}`,
    )
  }
}

/** The profile with every field. @throws the fault of the first thing that is wrong */
export async function acceptedProfile(
  reader: Reader,
  given: FieldLevelEncryptionProfileConfig | undefined,
  quotas: Quotas,
): Promise<FieldLevelEncryptionProfileConfig> {
  if (given === undefined)
    throw cloudfrontFault('MissingBody', 'The request needs a FieldLevelEncryptionProfileConfig.')
  checkCommon(given)
  checkText('Name', given.Name, NAME, 'letters, digits, _ and -')
  const entities = given.EncryptionEntities?.Items ?? []
  if (entities.length > quotas.entitiesPerFieldProfile) {
    throw cloudfrontFault(
      'TooManyFieldLevelEncryptionEncryptionEntities',
      `A profile has at most ${quotas.entitiesPerFieldProfile} encryption entities.`,
    )
  }
  for (const entity of entities) await checkEntity(reader, entity)
  checkPatterns(entities, quotas)
  const size = entities.reduce((sum, entity) => sum + charsOf(entity), 0)
  if (size > QUOTAS.fieldProfileChars) {
    throw cloudfrontFault(
      'FieldLevelEncryptionProfileSizeExceeded',
      `The patterns and providers of a profile have at most ${QUOTAS.fieldProfileChars} characters together, not ${size}.`,
    )
  }
  return {
    Name: given.Name,
    CallerReference: given.CallerReference,
    Comment: given.Comment ?? '',
    EncryptionEntities: counted(
      entities.map(({ PublicKeyId, ProviderId, FieldPatterns }) => ({
        ...{ PublicKeyId, ProviderId, FieldPatterns: counted(FieldPatterns?.Items) },
      })),
    ),
  }
}

async function checkEntity(reader: Reader, entity: EncryptionEntity): Promise<void> {
  const key = await findPublicKey(reader, entity.PublicKeyId)
  if (key.kind !== 'rsa-2048') {
    throw invalidArgument('PublicKeyId', `fields are encrypted with RSA of 2048 bits, and ${key.id} is no such key`)
  }
  checkText('ProviderId', entity.ProviderId, PROVIDER, 'letters, digits, :, _ and -')
}

function checkPatterns(entities: readonly EncryptionEntity[], quotas: Quotas): void {
  const patterns = entities.flatMap(({ FieldPatterns }) => FieldPatterns?.Items ?? [])
  if (patterns.length > quotas.patternsPerFieldProfile) {
    throw cloudfrontFault(
      'TooManyFieldLevelEncryptionFieldPatterns',
      `A profile has at most ${quotas.patternsPerFieldProfile} field patterns.`,
    )
  }
  for (const [at, pattern] of patterns.entries()) {
    if (!isFieldPattern(pattern) || pattern.length > QUOTAS.fieldEncryptionTextChars) {
      throw invalidArgument(
        'FieldPatterns',
        `${quoted(pattern)} is not the name of a field, or its beginning and a *: 1 to ${QUOTAS.fieldEncryptionTextChars} of letters, digits, [, ], ., _ and -`,
      )
    }
    const other = patterns.slice(0, at).find((earlier) => overlap(earlier, pattern))
    if (other !== undefined) {
      throw invalidArgument('FieldPatterns', `${quoted(other)} and ${quoted(pattern)} overlap: a field may have both`)
    }
  }
}

const charsOf = ({ ProviderId = '', FieldPatterns }: EncryptionEntity): number =>
  ProviderId.length + (FieldPatterns?.Items ?? []).join('').length

/** The configuration with every field. @throws the fault of the first thing that is wrong */
export async function acceptedFieldConfig(
  reader: Reader,
  given: FieldLevelEncryptionConfig | undefined,
  quotas: Quotas,
): Promise<FieldLevelEncryptionConfig> {
  if (given === undefined) throw cloudfrontFault('MissingBody', 'The request needs a FieldLevelEncryptionConfig.')
  checkCommon(given)
  const { QueryArgProfileConfig: args, ContentTypeProfileConfig: types } = given
  const argProfiles = args?.QueryArgProfiles?.Items ?? []
  const typeProfiles = types?.ContentTypeProfiles?.Items ?? []
  await checkQueryArgs(reader, argProfiles, quotas)
  await checkContentTypes(reader, typeProfiles, quotas)
  return {
    CallerReference: given.CallerReference,
    Comment: given.Comment ?? '',
    ...(args === undefined
      ? {}
      : {
          QueryArgProfileConfig: {
            ForwardWhenQueryArgProfileIsUnknown: args.ForwardWhenQueryArgProfileIsUnknown ?? false,
            QueryArgProfiles: counted(argProfiles),
          },
        }),
    ...(types === undefined
      ? {}
      : {
          ContentTypeProfileConfig: {
            ForwardWhenContentTypeIsUnknown: types.ForwardWhenContentTypeIsUnknown ?? false,
            ContentTypeProfiles: counted(typeProfiles),
          },
        }),
  }
}

async function checkQueryArgs(reader: Reader, profiles: readonly QueryArgProfile[], quotas: Quotas): Promise<void> {
  if (profiles.length > quotas.queryArgsPerFieldEncryption) {
    throw cloudfrontFault(
      'TooManyFieldLevelEncryptionQueryArgProfiles',
      `A configuration has at most ${quotas.queryArgsPerFieldEncryption} query argument profiles.`,
    )
  }
  const seen = new Set<string>()
  for (const { QueryArg, ProfileId } of profiles) {
    checkText('QueryArg', QueryArg, QUERY_ARG, 'letters, digits, -, ., _, *, + and %xx')
    // Requests are compared decoded.
    const meant = decodeLatin1(QueryArg ?? '')
    if (seen.has(meant)) throw invalidArgument('QueryArg', `${quoted(QueryArg ?? '')} is given twice`)
    seen.add(meant)
    if (!ProfileId) {
      throw cloudfrontFault(
        'QueryArgProfileEmpty',
        `No profile is specified for the query argument ${quoted(QueryArg ?? '')}.`,
      )
    }
    await findProfileRecord(reader, ProfileId)
  }
}

const decodeLatin1 = (text: string): string =>
  text.replaceAll('+', ' ').replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))

async function checkContentTypes(reader: Reader, profiles: readonly ContentTypeProfile[], quotas: Quotas) {
  if (profiles.length > quotas.contentTypesPerFieldEncryption) {
    throw cloudfrontFault(
      'TooManyFieldLevelEncryptionContentTypeProfiles',
      `A configuration has at most ${quotas.contentTypesPerFieldEncryption} content type profiles.`,
    )
  }
  const seen = new Set<string>()
  for (const { ContentType = '', Format, ProfileId } of profiles) {
    const type = ContentType.toLowerCase()
    if (!MEDIA_TYPE.test(type)) {
      throw invalidArgument('ContentType', `${quoted(ContentType)} is not a media type like ${FORM_TYPE}`)
    }
    if (seen.has(type)) throw invalidArgument('ContentType', `${quoted(ContentType)} is given twice`)
    seen.add(type)
    if (Format !== FORM_FORMAT) throw invalidArgument('Format', `${quoted(Format ?? '')} is not ${FORM_FORMAT}`)
    if (!ProfileId) continue
    // Nothing else is in that format; a type without a profile may be any, for its bodies go on as they are.
    if (type !== FORM_TYPE) throw invalidArgument('ContentType', `a profile is for bodies of the type ${FORM_TYPE}`)
    await findProfileRecord(reader, ProfileId)
  }
}

/** @throws NoSuchFieldLevelEncryptionProfile */
export async function findProfileRecord(reader: Reader, id: string | undefined) {
  const stored = id ? await reader.get('field-encryption-profile', id) : undefined
  if (stored === undefined) {
    throw cloudfrontFault(
      'NoSuchFieldLevelEncryptionProfile',
      `The specified profile for field-level encryption does not exist: ${quoted(id ?? '')}.`,
    )
  }
  return stored.doc
}

/** @throws NoSuchFieldLevelEncryptionConfig */
export async function findFieldConfigRecord(reader: Reader, id: string | undefined) {
  const stored = id ? await reader.get('field-encryption-config', id) : undefined
  if (stored === undefined) {
    throw cloudfrontFault(
      'NoSuchFieldLevelEncryptionConfig',
      `The specified configuration for field-level encryption does not exist: ${quoted(id ?? '')}.`,
    )
  }
  return stored.doc
}

/** Ids of the profiles that a configuration names. */
export const profilesNamed = (config: FieldLevelEncryptionConfig): ReadonlySet<string> =>
  new Set(
    [
      ...(config.QueryArgProfileConfig?.QueryArgProfiles?.Items ?? []),
      ...(config.ContentTypeProfileConfig?.ContentTypeProfiles?.Items ?? []),
    ].flatMap(({ ProfileId }) => ProfileId || []),
  )

const behaviorsOf = (config: DistributionConfig): (readonly [field: string, behavior: DefaultCacheBehavior])[] => [
  ...(config.CacheBehaviors?.Items ?? []).map((behavior, at) => [`CacheBehaviors.Items[${at}]`, behavior] as const),
  ...(config.DefaultCacheBehavior === undefined
    ? []
    : [['DefaultCacheBehavior', config.DefaultCacheBehavior] as const]),
]

/** The distributions with a behavior that names one of these configurations. */
export const distributionsEncrypting = (
  records: readonly DistributionRecord[],
  ids: ReadonlySet<string>,
): DistributionRecord[] =>
  records.filter(({ config }) =>
    behaviorsOf(config as DistributionConfig).some(([, behavior]) => ids.has(behavior.FieldLevelEncryptionId ?? '')),
  )

/**
 * Checks the FieldLevelEncryptionId of each behavior.
 * @param others the account's other distributions
 * @throws NoSuchFieldLevelEncryptionConfig, IllegalFieldLevelEncryptionConfigAssociationWithCacheBehavior,
 * TooManyDistributionsAssociatedToFieldLevelEncryptionConfig
 */
export async function checkFieldEncryption(
  reader: Reader,
  config: DistributionConfig,
  others: readonly DistributionRecord[],
  quotas: Quotas,
): Promise<void> {
  for (const [field, behavior] of behaviorsOf(config)) {
    const id = behavior.FieldLevelEncryptionId
    if (!id) continue
    await findFieldConfigRecord(reader, id)
    checkAssociation(field, behavior, config)
    if (distributionsEncrypting(others, new Set([id])).length >= quotas.distributionsPerFieldEncryption) {
      throw cloudfrontFault(
        'TooManyDistributionsAssociatedToFieldLevelEncryptionConfig',
        `A configuration for field-level encryption serves at most ${quotas.distributionsPerFieldEncryption} distributions.`,
      )
    }
  }
}

/** HTTPS on both sides, and POST and PUT (AWS's guide, "Add a configuration to a cache behavior"). */
function checkAssociation(field: string, behavior: DefaultCacheBehavior, config: DistributionConfig): void {
  const refuse = (what: string) =>
    cloudfrontFault(
      'IllegalFieldLevelEncryptionConfigAssociationWithCacheBehavior',
      `The configuration for field-level encryption cannot be associated with ${field}: ${what}.`,
    )
  if (behavior.ViewerProtocolPolicy === 'allow-all') {
    throw refuse('its ViewerProtocolPolicy must be https-only or redirect-to-https')
  }
  const methods = behavior.AllowedMethods?.Items ?? []
  if (!methods.includes('POST') || !methods.includes('PUT')) {
    throw refuse('its AllowedMethods must be GET, HEAD, OPTIONS, PUT, POST, PATCH, DELETE')
  }
  const plain = originsOf(behavior.TargetOriginId, config).find(
    (origin) => origin.CustomOriginConfig?.OriginProtocolPolicy === 'http-only',
  )
  if (plain !== undefined) {
    throw refuse(`the OriginProtocolPolicy of ${quoted(plain.Id ?? '')} must be https-only or match-viewer`)
  }
}

/** The origin, or both of an origin group. */
function originsOf(id: string | undefined, { Origins, OriginGroups }: DistributionConfig): readonly Origin[] {
  const group = OriginGroups?.Items?.find((one) => one.Id === id)
  const ids = group === undefined ? [id] : (group.Members?.Items ?? []).map(({ OriginId }) => OriginId)
  return Origins?.Items?.filter((origin) => ids.includes(origin.Id)) ?? []
}
