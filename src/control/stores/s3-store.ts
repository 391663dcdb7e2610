//! A bucket at an S3 endpoint, or at AWS, spoken to by AWS's SDK: nobody else's client knows all its errors.
import type { Readable } from 'node:stream'
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import { STORE_PROBLEMS } from '../../services/elasticache/snapshot-stores.ts'
import type { Store } from './store.ts'

/** Least size of a part, and how many there may be: AWS allows 10,000. Bytes. */
const PART_BYTES_MIN = 16 * 1024 * 1024
const PARTS_MAX = 9_000

export interface S3StoreSettings {
  /** Null for AWS itself. */
  readonly endpoint: string | null
  readonly region: string
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string } | null
}

export class S3Store implements Store {
  readonly #bucket: string
  readonly #settings: S3StoreSettings
  #client: Promise<S3Client> | null = null

  constructor(bucket: string, settings: S3StoreSettings) {
    this.#bucket = bucket
    this.#settings = settings
  }

  async exportProblem(key: string): Promise<string | null> {
    if (this.#settings.keys === null) return NO_KEYS
    const { ListObjectsV2Command, GetBucketAclCommand } = await sdk()
    const client = await this.#connect()
    const Bucket = this.#bucket
    try {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: key, MaxKeys: 1 }))
      if (Contents.some((object) => object.Key === key)) return STORE_PROBLEMS.taken(Bucket, key)
    } catch (error) {
      return this.#problem(error, 'READ')
    }
    try {
      await client.send(new GetBucketAclCommand({ Bucket }))
    } catch (error) {
      // Many servers that speak S3 have no access control lists: only a refusal says something.
      if (isRefused(error)) return STORE_PROBLEMS.refused('READ_ACP', Bucket)
    }
    return this.#tryWriting(key)
  }

  /** Begins an upload and takes it back: nothing is seen of it in the bucket. */
  async #tryWriting(key: string): Promise<string | null> {
    const { CreateMultipartUploadCommand, AbortMultipartUploadCommand } = await sdk()
    const client = await this.#connect()
    const of = { Bucket: this.#bucket, Key: key }
    try {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(of))
      await client.send(new AbortMultipartUploadCommand({ ...of, UploadId })).catch(() => {})
      return null
    } catch (error) {
      return this.#problem(error, 'WRITE')
    }
  }

  async importProblem(key: string): Promise<string | null> {
    const { HeadObjectCommand } = await sdk()
    const client = await this.#connect()
    try {
      await client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key }))
      return null
    } catch (error) {
      if (isRefused(error)) return STORE_PROBLEMS.refused('READ', this.#bucket)
      if (statusOf(error) === 404) return STORE_PROBLEMS.noObject(this.#bucket, key)
      return this.#problem(error, 'READ')
    }
  }

  async write(key: string, pieces: AsyncIterable<Buffer>, bytes: number, signal: AbortSignal): Promise<void> {
    const { PutObjectCommand } = await sdk()
    const client = await this.#connect()
    const of = { Bucket: this.#bucket, Key: key }
    const abort = { abortSignal: signal }
    const partBytes = Math.max(PART_BYTES_MIN, Math.ceil(bytes / PARTS_MAX))
    if (bytes > partBytes) return this.#writeParts(client, of, parts(pieces, partBytes), signal)
    for await (const Body of parts(pieces, partBytes)) await client.send(new PutObjectCommand({ ...of, Body }), abort)
  }

  async #writeParts(
    client: S3Client,
    of: { readonly Bucket: string; readonly Key: string },
    bodies: AsyncIterable<Buffer>,
    signal: AbortSignal,
  ): Promise<void> {
    const s3 = await sdk()
    const abort = { abortSignal: signal }
    const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand(of), abort)
    const done: { PartNumber: number; ETag: string | undefined }[] = []
    try {
      for await (const Body of bodies) {
        const PartNumber = done.length + 1
        const { ETag } = await client.send(new s3.UploadPartCommand({ ...of, UploadId, PartNumber, Body }), abort)
        done.push({ PartNumber, ETag })
      }
      const whole = new s3.CompleteMultipartUploadCommand({ ...of, UploadId, MultipartUpload: { Parts: done } })
      await client.send(whole, abort)
    } catch (error) {
      await client.send(new s3.AbortMultipartUploadCommand({ ...of, UploadId })).catch(() => {})
      throw error
    }
  }

  async read(key: string, signal: AbortSignal, version?: string): Promise<AsyncIterable<Buffer>> {
    const { GetObjectCommand } = await sdk()
    const client = await this.#connect()
    const wanted = { Bucket: this.#bucket, Key: key, VersionId: version }
    const { Body } = await client.send(new GetObjectCommand(wanted), { abortSignal: signal })
    return Body as Readable
  }

  #connect(): Promise<S3Client> {
    const { endpoint, region, keys } = this.#settings
    const config: S3ClientConfig = {
      region,
      maxAttempts: 3,
      ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
      // Servers that speak S3 know the older way, and the RDB has a checksum of its own.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(keys === null ? { signer: UNSIGNED, credentials: NOBODY } : { credentials: keys }),
    }
    this.#client ??= sdk().then(({ S3Client }) => new S3Client(config))
    return this.#client
  }

  #problem(error: unknown, what: 'READ' | 'WRITE'): string {
    const { name, message } = error as Error
    if (name === 'NoSuchBucket' || statusOf(error) === 404) return STORE_PROBLEMS.noBucket(this.#bucket)
    if (name === 'PermanentRedirect' || name === 'AuthorizationHeaderMalformed' || statusOf(error) === 301) {
      return STORE_PROBLEMS.elsewhere(this.#bucket)
    }
    if (isRefused(error)) return STORE_PROBLEMS.refused(what, this.#bucket)
    return `The S3 bucket ${this.#bucket} cannot be reached: ${message}.`
  }
}

const NO_KEYS =
  'The authenticated user does not have sufficient permissions to perform the desired activity: there are no keys for ' +
  'S3. Set CACHEFRONT_S3_ACCESS_KEY_ID and CACHEFRONT_S3_SECRET_ACCESS_KEY.'

/** Without keys only what is public can be read. */
const UNSIGNED: NonNullable<S3ClientConfig['signer']> = { sign: async (request) => request }
const NOBODY = { accessKeyId: '', secretAccessKey: '' }

const sdk = () => import('@aws-sdk/client-s3')

const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode

const isRefused = (error: unknown): boolean => statusOf(error) === 403

/** The same bytes in parts of one size; the last may be shorter. */
async function* parts(pieces: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer, void> {
  let held: Buffer[] = []
  let bytes = 0
  for await (const piece of pieces) {
    held.push(piece)
    bytes += piece.length
    while (bytes >= size) {
      const all = Buffer.concat(held)
      yield all.subarray(0, size)
      held = [all.subarray(size)]
      bytes -= size
    }
  }
  if (bytes > 0) yield Buffer.concat(held)
}
