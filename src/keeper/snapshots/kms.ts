//! Keys in a KMS-compatible service: the calls of AWS KMS (GenerateDataKey, Encrypt, Decrypt, DescribeKey) at any
//! endpoint. The key itself never comes here; what is wrapped says which key it was.
import type { KMSClient } from '@aws-sdk/client-kms'
import { KeyError } from './key-file.ts'

export interface KmsSettings {
  /** Null for AWS itself. */
  readonly endpoint: string | null
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Key for what names none; null when such a thing is to use the key file. */
  readonly keyId: string | null
}

export interface KmsWrapped {
  readonly provider: 'kms'
  /** ARN as the service gave it. */
  readonly keyId: string
  readonly wrapped: string
}

/** Longest that one call may take, attempts included. Milliseconds. */
const TIMEOUT_MS = 10_000

export class Kms {
  readonly #settings: KmsSettings
  #client: Promise<KMSClient> | null = null

  constructor(settings: KmsSettings) {
    this.#settings = settings
  }

  get settings(): KmsSettings {
    return this.#settings
  }

  /** Loaded when it is wanted: an installation without a KMS does not pay for it. */
  async #send<T>(
    keyId: string,
    call: (client: KMSClient, sdk: typeof import('@aws-sdk/client-kms')) => Promise<T>,
  ): Promise<T> {
    const sdk = await import('@aws-sdk/client-kms')
    const { endpoint, region, accessKeyId, secretAccessKey } = this.#settings
    this.#client ??= Promise.resolve(
      new sdk.KMSClient({
        region,
        credentials: { accessKeyId, secretAccessKey },
        requestHandler: { connectionTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS },
        maxAttempts: 2,
        ...(endpoint === null ? {} : { endpoint }),
      }),
    )
    try {
      return await call(await this.#client, sdk)
    } catch (error) {
      throw new KeyError(`The key ${keyId} cannot be used at ${this.#where}: ${adviceOn(error as Error)}`)
    }
  }

  get #where(): string {
    return this.#settings.endpoint ?? `AWS KMS in ${this.#settings.region}`
  }

  async generate(keyId: string, use: string): Promise<{ readonly dataKey: Buffer; readonly wrapped: KmsWrapped }> {
    const made = await this.#send(keyId, (client, sdk) =>
      client.send(
        new sdk.GenerateDataKeyCommand({ KeyId: keyId, KeySpec: 'AES_256', EncryptionContext: contextOf(use) }),
      ),
    )
    if (!made.Plaintext || !made.CiphertextBlob) throw this.#incomplete(keyId)
    return { dataKey: Buffer.from(made.Plaintext), wrapped: wrappedBy(made.KeyId ?? keyId, made.CiphertextBlob) }
  }

  async wrap(dataKey: Buffer, keyId: string, use: string): Promise<KmsWrapped> {
    const made = await this.#send(keyId, (client, sdk) =>
      client.send(new sdk.EncryptCommand({ KeyId: keyId, Plaintext: dataKey, EncryptionContext: contextOf(use) })),
    )
    if (!made.CiphertextBlob) throw this.#incomplete(keyId)
    return wrappedBy(made.KeyId ?? keyId, made.CiphertextBlob)
  }

  async unwrap({ keyId, wrapped }: KmsWrapped, use: string): Promise<Buffer> {
    const CiphertextBlob = Buffer.from(wrapped, 'base64')
    const made = await this.#send(keyId, (client, sdk) =>
      client.send(new sdk.DecryptCommand({ KeyId: keyId, CiphertextBlob, EncryptionContext: contextOf(use) })),
    )
    if (!made.Plaintext) throw this.#incomplete(keyId)
    return Buffer.from(made.Plaintext)
  }

  /** ARN of the key. @throws KeyError when there is none, or it is not enabled. */
  async find(keyId: string): Promise<string> {
    const { KeyMetadata: key } = await this.#send(keyId, (client, sdk) =>
      client.send(new sdk.DescribeKeyCommand({ KeyId: keyId })),
    )
    if (key?.Arn === undefined) throw this.#incomplete(keyId)
    if (key.Enabled === false) throw new KeyError(`The key ${key.Arn} is disabled at ${this.#where}: enable it there.`)
    return key.Arn
  }

  #incomplete(keyId: string): KeyError {
    return new KeyError(`The answer of ${this.#where} about the key ${keyId} lacks what was asked for.`)
  }
}

/** Shown in a KMS's audit log beside the call, and authenticated: another snapshot's data key does not pass for this one's. */
const contextOf = (use: string): Record<string, string> => ({ 'cachefront:snapshot': use })

const wrappedBy = (keyId: string, blob: Uint8Array): KmsWrapped => ({
  provider: 'kms',
  keyId,
  wrapped: Buffer.from(blob).toString('base64'),
})

/** What to do, by the service's error; the text of anything else. */
const ADVICE: Readonly<Record<string, string>> = {
  NotFoundException: 'there is no such key; check its id and region',
  DisabledException: 'the key is disabled; enable it there',
  KMSInvalidStateException: 'the key is being deleted or not ready; cancel its deletion there',
  AccessDeniedException:
    'the credentials given (kms-access-key-id) may not use it; grant them GenerateDataKey, Encrypt, Decrypt and DescribeKey',
  InvalidCiphertextException: 'it is not the key that wrapped this, or what was wrapped has been changed',
  IncorrectKeyException: 'it is not the key that wrapped this',
  UnrecognizedClientException: 'the credentials given (kms-access-key-id) are not known there',
  InvalidSignatureException: 'the secret given (kms-secret-access-key) is not the right one',
}

const adviceOn = (error: Error): string => ADVICE[error.name] ?? `${error.name}: ${error.message}`
