//! A stored configuration of field-level encryption, its profiles and their keys to what edges encrypt by. PURE.
import type { FieldLevelEncryptionConfig, FieldLevelEncryptionProfileConfig } from '@aws-sdk/client-cloudfront'
import type { FieldEncryptionDoc, FieldProfileDoc } from '../../domain/field-encryption.ts'
import type { FieldEncryptionRecord, PublicKeyRecord } from '../../domain/records.ts'

/** All that there are, by id. */
export interface FieldEncryptionSources {
  readonly configs: ReadonlyMap<string, FieldEncryptionRecord>
  readonly profiles: ReadonlyMap<string, FieldEncryptionRecord>
  readonly publicKeys: ReadonlyMap<string, PublicKeyRecord>
}

/**
 * Null when there is no such configuration.
 * @throws Error when it names something that is not there: services keep what is in use
 */
export function fieldEncryptionDoc(id: string, sources: FieldEncryptionSources): FieldEncryptionDoc | null {
  const record = sources.configs.get(id)
  if (record === undefined) return null
  const { ContentTypeProfileConfig: types, QueryArgProfileConfig: args } = record.config as FieldLevelEncryptionConfig
  return {
    id,
    contentTypes: (types?.ContentTypeProfiles?.Items ?? []).map(({ ContentType, ProfileId }) => ({
      contentType: (ContentType ?? '').toLowerCase(),
      profile: ProfileId ? profileDoc(ProfileId, sources) : null,
    })),
    forwardsUnknownType: types?.ForwardWhenContentTypeIsUnknown ?? false,
    queryArgs:
      args === undefined
        ? null
        : {
            forwardsUnknown: args.ForwardWhenQueryArgProfileIsUnknown ?? false,
            profiles: (args.QueryArgProfiles?.Items ?? []).map(({ QueryArg, ProfileId }) => ({
              queryArg: QueryArg ?? '',
              profile: profileDoc(ProfileId ?? '', sources),
            })),
          },
  }
}

function profileDoc(id: string, { profiles, publicKeys }: FieldEncryptionSources): FieldProfileDoc {
  const config = profiles.get(id)?.config as FieldLevelEncryptionProfileConfig | undefined
  if (config === undefined) throw new Error(`the profile "${id}" is not there`)
  return {
    id,
    name: config.Name ?? '',
    entities: (config.EncryptionEntities?.Items ?? []).map(({ PublicKeyId, ProviderId, FieldPatterns }) => {
      const key = publicKeys.get(PublicKeyId ?? '')
      if (key === undefined) throw new Error(`the public key "${PublicKeyId}" of the profile ${id} is not there`)
      return {
        providerId: ProviderId ?? '',
        keyName: key.name,
        publicKey: key.encodedKey,
        patterns: FieldPatterns?.Items ?? [],
      }
    }),
  }
}
