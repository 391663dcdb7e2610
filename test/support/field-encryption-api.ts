//! Configurations and profiles of field-level encryption through AWS's SDK.
import type {
  CloudFront,
  DefaultCacheBehavior,
  DistributionConfig,
  EncryptionEntity,
  FieldLevelEncryptionConfig,
  FieldLevelEncryptionProfileConfig,
  Origin,
} from '@aws-sdk/client-cloudfront'
import { FORM, PROVIDER_ID } from './field-encryption.ts'
import { addPublicKey, rsaKey } from './signing-keys.ts'

export interface Made {
  readonly id: string
  readonly etag: string
}

export const encryptionEntity = (PublicKeyId: string, ...patterns: string[]): EncryptionEntity => ({
  ...{ PublicKeyId, ProviderId: PROVIDER_ID },
  FieldPatterns: { Quantity: patterns.length, Items: patterns },
})

/** `name` is its caller reference too. */
export const profileConfig = (name: string, ...entities: EncryptionEntity[]): FieldLevelEncryptionProfileConfig => ({
  ...{ Name: name, CallerReference: name, Comment: '' },
  EncryptionEntities: { Quantity: entities.length, Items: entities },
})

/** Forms are encrypted by the profile. */
export const fieldConfig = (
  reference: string,
  ProfileId: string,
  changes: Partial<FieldLevelEncryptionConfig> = {},
): FieldLevelEncryptionConfig => ({
  CallerReference: reference,
  Comment: '',
  ContentTypeProfileConfig: {
    ForwardWhenContentTypeIsUnknown: false,
    ContentTypeProfiles: { Quantity: 1, Items: [{ Format: 'URLEncoded', ContentType: FORM, ProfileId }] },
  },
  ...changes,
})

export async function addProfile(
  client: CloudFront,
  FieldLevelEncryptionProfileConfig: FieldLevelEncryptionProfileConfig,
): Promise<Made> {
  const made = await client.createFieldLevelEncryptionProfile({ FieldLevelEncryptionProfileConfig })
  return { id: made.FieldLevelEncryptionProfile?.Id as string, etag: made.ETag as string }
}

export async function addFieldConfig(
  client: CloudFront,
  FieldLevelEncryptionConfig: FieldLevelEncryptionConfig,
): Promise<Made> {
  const made = await client.createFieldLevelEncryptionConfig({ FieldLevelEncryptionConfig })
  return { id: made.FieldLevelEncryption?.Id as string, etag: made.ETag as string }
}

/** A key, a profile that encrypts the fields of these patterns with it, and a configuration that names the profile. */
export async function addFieldEncryption(client: CloudFront, name: string, ...patterns: string[]) {
  const key = await addPublicKey(client, rsaKey().publicKey)
  const profile = await addProfile(client, profileConfig(name, encryptionEntity(key.id, ...patterns)))
  const config = await addFieldConfig(client, fieldConfig(name, profile.id))
  return { key, profile, config }
}

/** What a distribution needs so that its default behavior may have field-level encryption, and that. */
export function encrypting(
  { Origins, DefaultCacheBehavior: standard }: DistributionConfig,
  FieldLevelEncryptionId: string,
  changes: Partial<DefaultCacheBehavior> = {},
): Partial<DistributionConfig> {
  const [origin] = Origins?.Items ?? []
  const CustomOriginConfig = { ...origin?.CustomOriginConfig, OriginProtocolPolicy: 'match-viewer' }
  const methods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'] as const
  return {
    Origins: { Quantity: 1, Items: [{ ...origin, CustomOriginConfig } as Origin] },
    DefaultCacheBehavior: {
      ...(standard as DefaultCacheBehavior),
      ViewerProtocolPolicy: 'https-only',
      AllowedMethods: { Quantity: methods.length, Items: [...methods] },
      FieldLevelEncryptionId,
      ...changes,
    },
  }
}
