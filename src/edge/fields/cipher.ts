//! Encrypts single values with the AWS Encryption SDK, so that its decryptors in other languages read them
//! (spec/cloudfront.md 12.3). The library is loaded when the first value is to be encrypted: most workers never need it.
import type { EncryptionEntityDoc } from '../../domain/field-encryption.ts'

/** What of the library is used. */
interface Library {
  readonly encrypt: typeof import('@aws-crypto/encrypt-node')
  readonly keyring: typeof import('@aws-crypto/raw-rsa-keyring-node')
  readonly materials: typeof import('@aws-crypto/material-management-node')
}

/** Three of its packages: the whole of it brings the clients of KMS and DynamoDB too, and takes three times the memory. */
export async function loadLibrary(): Promise<Library> {
  const [encrypt, keyring, materials] = await Promise.all([
    import('@aws-crypto/encrypt-node'),
    import('@aws-crypto/raw-rsa-keyring-node'),
    import('@aws-crypto/material-management-node'),
  ])
  return { encrypt, keyring, materials }
}

/** The AWS Encryption SDK's message with `value`, encrypted for the holder of the entity's private key. */
type EncryptFor = (entity: EncryptionEntityDoc, value: Uint8Array) => Promise<Uint8Array>

export class FieldCipher {
  readonly #load: () => Promise<Library>
  #ready: Promise<EncryptFor> | null = null

  constructor(load: () => Promise<Library> = loadLibrary) {
    this.#load = load
  }

  /** @throws Error when the library cannot be loaded, or the key is none: the caller must not send the value then. */
  async encrypt(entity: EncryptionEntityDoc, value: Uint8Array): Promise<Uint8Array> {
    if (this.#ready === null) {
      const ready = this.#load().then(encryptorOf)
      this.#ready = ready
      // The next request tries again.
      ready.catch(() => {
        this.#ready = null
      })
    }
    return (await this.#ready)(entity, value)
  }
}

/** node:crypto, RSA_PKCS1_OAEP_PADDING. */
const OAEP = 4

/**
 * The suite has neither key commitment nor a signature. Every version of the SDK reads it: 1.x as it is, 2.x and later
 * under the commitment policies that allow it (FORBID_ENCRYPT_ALLOW_DECRYPT and REQUIRE_ENCRYPT_ALLOW_DECRYPT), which
 * decryptors of CloudFront's own fields are reported to need; one with commitment would be unreadable before 1.7. Which
 * suite CloudFront takes is unconfirmed. A signature would prove nothing, for its key comes with the message, and costs five times the rest.
 */
function encryptorOf({ encrypt: { buildEncrypt }, keyring: { RawRsaKeyringNode }, materials }: Library): EncryptFor {
  const { encrypt } = buildEncrypt(materials.CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)
  const suiteId = materials.AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA256
  const keyrings = new WeakMap<EncryptionEntityDoc, InstanceType<typeof RawRsaKeyringNode>>()
  const keyringOf = (entity: EncryptionEntityDoc) => {
    const known = keyrings.get(entity)
    if (known !== undefined) return known
    const made = new RawRsaKeyringNode({
      keyNamespace: entity.providerId,
      keyName: entity.keyName,
      rsaKey: { publicKey: entity.publicKey },
      padding: OAEP,
      oaepHash: 'sha256',
    })
    keyrings.set(entity, made)
    return made
  }
  return async (entity, value) => (await encrypt(keyringOf(entity), value, { suiteId })).result
}
