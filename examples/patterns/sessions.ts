//! Sessions: one hash for each, that expires when nobody has used it for a while (sliding expiry). Any server of the
//! application can serve any visitor, and a server that is replaced signs nobody out.
//! Everything goes to the primary endpoint: a replica that lags would sign out who has just signed in.
import { createHash, randomBytes } from 'node:crypto'
import type { Cache } from './support/cache.ts'
import { Script } from './support/script.ts'

const ID_BYTES = 24

/** Writes a field only if the session still lives: a plain HSET would bring an expired one back, without an expiry. */
const WRITE = new Script(`
  if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  return 1`)

/** An id is as good as a password: only its hash is stored, so who can list the keys can be nobody. */
const keyOf = (id: string): string => `session:${createHash('sha256').update(id).digest('base64url')}`
const keyOfUser = (user: string): string => `sessions-of:${user}`

export class Sessions {
  readonly #cache: Cache
  readonly #seconds: number

  /** @param seconds without a visit after which a session ends */
  constructor(cache: Cache, seconds = 1800) {
    this.#cache = cache
    this.#seconds = seconds
  }

  /** @returns the id for the visitor's cookie */
  async start(user: string, values: Readonly<Record<string, string>> = {}): Promise<string> {
    const id = randomBytes(ID_BYTES).toString('base64url')
    const key = keyOf(id)
    await this.#cache.primary
      .multi()
      .hset(key, { user, ...values })
      .expire(key, this.#seconds)
      .sadd(keyOfUser(user), key)
      .expire(keyOfUser(user), this.#seconds, 'GT')
      .expire(keyOfUser(user), this.#seconds, 'NX')
      .exec()
    return id
  }

  /** The session's values, and its time begins anew; null when it has ended. */
  async read(id: string): Promise<Readonly<Record<string, string>> | null> {
    const key = keyOf(id)
    const answers = await this.#cache.primary.multi().hgetall(key).expire(key, this.#seconds).exec()
    const values = answers?.[0]?.[1] as Record<string, string> | undefined
    if (values?.user === undefined) return null
    await this.#cache.primary.expire(keyOfUser(values.user), this.#seconds)
    return values
  }

  /** @returns false when the session has ended meanwhile */
  async write(id: string, field: string, value: string): Promise<boolean> {
    return (await WRITE.run(this.#cache.primary, [keyOf(id)], [field, value, this.#seconds])) === 1
  }

  async end(id: string): Promise<void> {
    await this.#cache.primary.del(keyOf(id))
  }

  /** After a change of password: signs the user out everywhere. @returns how many sessions ended */
  async endAllOf(user: string): Promise<number> {
    const keys = await this.#cache.primary.smembers(keyOfUser(user))
    return this.#cache.primary.del(keyOfUser(user), ...keys).then((gone) => Math.max(0, gone - 1))
  }
}

export async function demo(cache: Cache, say: (line: string) => void): Promise<void> {
  const sessions = new Sessions(cache)
  const id = await sessions.start('ada', { theme: 'dark' })
  say(`signed in: ${JSON.stringify(await sessions.read(id))}`)
  say(`theme changed: ${await sessions.write(id, 'theme', 'light')}`)
  const laptop = await sessions.start('ada')
  say(`a second device; signed out everywhere: ${await sessions.endAllOf('ada')} sessions ended`)
  say(`the first: ${await sessions.read(id)}, the second: ${await sessions.read(laptop)}`)
}
