//! An index of a bucket, fed by its event notifications: keys in a sorted set (all with the score 0, so that the engine
//! sorts them by their bytes, as S3 lists them), and what is known of each object in a hash. Prefix lookups, pages and
//! "folders" then cost microseconds and no ListObjects request.
//! Notifications come late, twice and out of order: each carries a `sequencer`, and an object only takes a later one. A
//! removed object leaves its sequencer for a while, so that a late notification of its creation does not bring it back.
import type { Cache } from './support/cache.ts'
import { Script } from './support/script.ts'

/** Seconds that the sequencer of a removed object is remembered. */
const REMOVED_KEPT_SECONDS = 24 * 3600

/** A record of an S3 event notification: the members that are used here. */
export interface S3EventRecord {
  readonly eventName: string
  readonly s3: {
    readonly bucket: { readonly name: string }
    readonly object: {
      /** URL-encoded, a space as `+`. */
      readonly key: string
      readonly size?: number
      readonly eTag?: string
      /** Hexadecimal; the longer of two is padded on the left to compare. */
      readonly sequencer: string
    }
  }
}

export interface IndexedObject {
  readonly key: string
  readonly size: number
  readonly etag: string
}

const APPLY = new Script(`
  local function later(a, b)
    local width = math.max(#a, #b)
    return string.rep('0', width - #a) .. a > string.rep('0', width - #b) .. b
  end
  local key, sequencer, size, etag = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
  local present = redis.call('HGET', KEYS[2], 'sequencer')
  if present and not later(sequencer, present) then return 0 end
  if size == '' then
    redis.call('ZREM', KEYS[1], key)
    redis.call('DEL', KEYS[2])
    redis.call('HSET', KEYS[2], 'sequencer', sequencer)
    redis.call('EXPIRE', KEYS[2], ARGV[5])
  else
    redis.call('ZADD', KEYS[1], 0, key)
    redis.call('HSET', KEYS[2], 'sequencer', sequencer, 'size', size, 'etag', etag)
    redis.call('PERSIST', KEYS[2])
  end
  return 1`)

export class S3Index {
  readonly #cache: Cache
  readonly #bucket: string

  constructor(cache: Cache, bucket: string) {
    this.#cache = cache
    this.#bucket = bucket
  }

  get #keys(): string {
    return `s3:{${this.#bucket}}:keys`
  }

  #object(key: string): string {
    return `s3:{${this.#bucket}}:object:${key}`
  }

  /** @returns false when a later one had come before it, or it is of another bucket */
  async apply({ eventName, s3 }: S3EventRecord): Promise<boolean> {
    if (s3.bucket.name !== this.#bucket) return false
    const key = decodeURIComponent(s3.object.key.replaceAll('+', ' '))
    const removed = /^(s3:)?(ObjectRemoved|LifecycleExpiration):/.test(eventName)
    const { sequencer, size, eTag } = s3.object
    const args = [key, sequencer.toLowerCase(), removed ? '' : (size ?? 0), eTag ?? '', REMOVED_KEPT_SECONDS]
    return (await APPLY.run(this.#cache.primary, [this.#keys, this.#object(key)], args)) === 1
  }

  /** Keys that begin with `prefix`, in S3's order; `after` is the last key of the page before. */
  list(prefix: string, { after = '', limit = 1_000 } = {}): Promise<readonly string[]> {
    const from = after > prefix ? `(${after}` : `[${prefix}`
    return this.#cache.reader.zrange(this.#keys, from, beyond(prefix), 'BYLEX', 'LIMIT', 0, limit)
  }

  /** What ListObjectsV2 calls CommonPrefixes: one step for each of them, however many objects they hold. */
  async folders(prefix: string, delimiter = '/'): Promise<readonly string[]> {
    const found: string[] = []
    let from: string | Buffer = `[${prefix}`
    for (;;) {
      const [key]: string[] = await this.#cache.reader.zrange(
        ...([this.#keys, from, beyond(prefix), 'BYLEX', 'LIMIT', 0, 1] as const),
      )
      if (key === undefined) return found
      const end = key.indexOf(delimiter, prefix.length)
      if (end < 0) from = `(${key}`
      else {
        const folder = key.slice(0, end + delimiter.length)
        found.push(folder)
        from = beyond(folder)
      }
    }
  }

  async object(key: string): Promise<IndexedObject | null> {
    const [size, etag] = await this.#cache.reader.hmget(this.#object(key), 'size', 'etag')
    return size == null ? null : { key, size: Number(size), etag: etag ?? '' }
  }
}

/** After everything that begins with `prefix`: no UTF-8 text contains the byte ff. */
const beyond = (prefix: string): Buffer => Buffer.concat([Buffer.from(`(${prefix}`), Buffer.from([0xff])])

export async function demo(cache: Cache, say: (line: string) => void): Promise<void> {
  const index = new S3Index(cache, 'photos')
  const event = (eventName: string, key: string, sequencer: string): S3EventRecord => ({
    eventName,
    s3: { bucket: { name: 'photos' }, object: { key, size: 1_024, eTag: 'abc', sequencer } },
  })
  for (const [n, key] of ['2025/12/a.jpg', '2026/01/b.jpg', '2026/01/c.jpg', '2026/02/d.jpg'].entries()) {
    await index.apply(event('ObjectCreated:Put', key, `00${n}`))
  }
  await index.apply(event('ObjectRemoved:Delete', '2026/01/c.jpg', '0a0'))
  say(
    `a late notification of a removed object: taken ${await index.apply(event('ObjectCreated:Put', '2026/01/c.jpg', '002'))}`,
  )
  await cache.primary.wait(1, 1_000)
  say(`2026/: ${(await index.list('2026/')).join(', ')}`)
  say(`folders: ${(await index.folders('2026/')).join(', ')}`)
}
