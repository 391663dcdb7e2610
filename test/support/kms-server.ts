//! A small KMS over HTTP for tests, the calls that snapshots need in AWS's JSON protocol: keys that never leave it, the
//! encryption context authenticated, signatures verified. Neither npm nor Debian has one to run.
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readAuthorization } from '../../src/aws/authorization.ts'
import type { KeyPair } from '../../src/aws/sigv4.ts'
import { verifySignature } from '../../src/aws/verify-signature.ts'
import { systemClock } from '../../src/lib/clock.ts'

export const KMS_KEYS: KeyPair = { accessKeyId: 'KMSTESTKEY', secretAccessKey: 'a secret of the test' }

interface Key {
  readonly arn: string
  readonly secret: Buffer
  enabled: boolean
}

interface Asked {
  readonly KeyId?: string
  readonly Plaintext?: string
  readonly CiphertextBlob?: string
  readonly EncryptionContext?: Readonly<Record<string, string>>
}

class KmsFault extends Error {
  constructor(name: string, message: string) {
    super(message)
    this.name = name
  }
}

export class KmsServer {
  readonly #keys = new Map<string, Key>()
  readonly #server = createServer((request, response) => void this.#serve(request, response))
  /** Names of the calls that were answered, with the names of those refused in front: `AccessDenied Decrypt`. */
  readonly calls: string[] = []

  static async start(): Promise<KmsServer> {
    const kms = new KmsServer()
    await new Promise<void>((resolve) => kms.#server.listen(0, '127.0.0.1', resolve))
    return kms
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** ARN of a new key. */
  createKey(): string {
    const id = randomUUID()
    const arn = `arn:aws:kms:us-east-1:123456789012:key/${id}`
    this.#keys.set(id, { arn, secret: randomBytes(32), enabled: true })
    return arn
  }

  setEnabled(arn: string, enabled: boolean): void {
    this.#key(arn).enabled = enabled
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const call = String(request.headers['x-amz-target']).replace('TrentService.', '')
    const answer = (status: number, value: unknown): void => {
      response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(value))
    }
    try {
      await this.#authenticate(request, body)
      const result = this.#answer(call, JSON.parse(body.toString()) as Asked)
      this.calls.push(call)
      answer(200, result)
    } catch (error) {
      const { name, message } = error as Error
      this.calls.push(`${name} ${call}`)
      answer(400, { __type: name, message })
    }
  }

  async #authenticate(request: IncomingMessage, body: Buffer): Promise<void> {
    const headers = new Map(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const reading = readAuthorization(headers, '')
    if (reading.found !== 'authorization') throw new KmsFault('MissingAuthenticationTokenException', 'no signature')
    const wire = { method: request.method!, rawPath: request.url!, rawQuery: '', headers, body }
    const { authorization } = reading
    if (authorization.accessKeyId !== KMS_KEYS.accessKeyId)
      throw new KmsFault('UnrecognizedClientException', 'unknown key')
    const { verdict } = verifySignature(wire, authorization, [KMS_KEYS.secretAccessKey], [], systemClock.wall())
    if (verdict !== 'valid') throw new KmsFault('InvalidSignatureException', verdict)
  }

  #key(name: string | undefined): Key {
    const key = this.#keys.get(String(name).split('/').at(-1)!)
    if (key === undefined) throw new KmsFault('NotFoundException', `Key '${name}' does not exist`)
    return key
  }

  #answer(call: string, asked: Asked): unknown {
    if (call === 'Decrypt') return this.#decrypt(asked)
    const key = this.#key(asked.KeyId)
    if (call === 'DescribeKey') return { KeyMetadata: { KeyId: key.arn, Arn: key.arn, Enabled: key.enabled } }
    if (!key.enabled) throw new KmsFault('DisabledException', `${key.arn} is disabled.`)
    const plaintext = call === 'GenerateDataKey' ? randomBytes(32) : Buffer.from(asked.Plaintext!, 'base64')
    const blob = { KeyId: key.arn, CiphertextBlob: encrypt(key, plaintext, asked).toString('base64') }
    if (call === 'Encrypt') return blob
    if (call === 'GenerateDataKey') return { ...blob, Plaintext: plaintext.toString('base64') }
    throw new KmsFault('UnknownOperationException', call)
  }

  #decrypt(asked: Asked): unknown {
    const blob = Buffer.from(asked.CiphertextBlob!, 'base64')
    const key = this.#key(blob.toString('latin1', 0, 36))
    if (asked.KeyId !== undefined && this.#key(asked.KeyId) !== key)
      throw new KmsFault('IncorrectKeyException', key.arn)
    if (!key.enabled) throw new KmsFault('DisabledException', `${key.arn} is disabled.`)
    const decipher = createDecipheriv('aes-256-gcm', key.secret, blob.subarray(36, 48))
    decipher.setAAD(contextOf(asked)).setAuthTag(blob.subarray(-16))
    try {
      const plaintext = Buffer.concat([decipher.update(blob.subarray(48, -16)), decipher.final()])
      return { KeyId: key.arn, Plaintext: plaintext.toString('base64') }
    } catch {
      throw new KmsFault('InvalidCiphertextException', '')
    }
  }
}

const contextOf = (asked: Asked): Buffer => Buffer.from(JSON.stringify(asked.EncryptionContext ?? {}))

/** Key id (36), nonce (12), ciphertext, tag (16). */
function encrypt(key: Key, plaintext: Buffer, asked: Asked): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key.secret, nonce)
  cipher.setAAD(contextOf(asked))
  const id = Buffer.from(key.arn.slice(-36), 'latin1')
  return Buffer.concat([id, nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}
