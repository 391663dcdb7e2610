//! Field-level encryption in tests: a key pair, configurations for it, and the AWS Encryption SDK's own decryptor.
import { generateKeyPairSync } from 'node:crypto'
import { buildClient, CommitmentPolicy, RawRsaKeyringNode } from '@aws-crypto/client-node'
import type { EncryptionEntityDoc, FieldEncryptionDoc, FieldProfileDoc } from '../../src/domain/field-encryption.ts'

export const KEY_NAME = 'payments-2026'
export const PROVIDER_ID = 'payments:provider'
export const FORM = 'application/x-www-form-urlencoded'

export interface RsaPair {
  readonly publicKey: string
  readonly privateKey: string
}

export const rsaPair = (modulusLength = 2048): RsaPair =>
  generateKeyPairSync('rsa', {
    modulusLength,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })

export const entityDoc = (publicKey: string, patterns: readonly string[]): EncryptionEntityDoc => ({
  providerId: PROVIDER_ID,
  keyName: KEY_NAME,
  publicKey,
  patterns,
})

export const profileDoc = (publicKey: string, patterns: readonly string[], id = 'P1PROFILE'): FieldProfileDoc => ({
  id,
  name: `profile-${id}`,
  entities: [entityDoc(publicKey, patterns)],
})

/** Forms are encrypted by `profile`; everything else is refused, unless told otherwise. */
export const fieldEncryptionDoc = (
  profile: FieldProfileDoc | null,
  changes: Partial<FieldEncryptionDoc> = {},
): FieldEncryptionDoc => ({
  id: 'C1CONFIG',
  contentTypes: [{ contentType: FORM, profile }],
  forwardsUnknownType: false,
  queryArgs: null,
  ...changes,
})

const { decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT)

/** What the holder of the private key reads in a value that came out of a form. */
export async function decryptField(value: string, { privateKey }: Pick<RsaPair, 'privateKey'>): Promise<Buffer> {
  const keyring = new RawRsaKeyringNode({
    keyNamespace: PROVIDER_ID,
    keyName: KEY_NAME,
    rsaKey: { privateKey },
    oaepHash: 'sha256',
  })
  return (await decrypt(keyring, Buffer.from(value, 'base64'))).plaintext
}
