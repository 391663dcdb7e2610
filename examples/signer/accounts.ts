//! Who may log in, and sessions. The accounts stand for your user database; the session is a cookie that says who it is and
//! until when, with a seal that only this program can make.
import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify<string, Buffer, number, Buffer>(scrypt)
const KEY_BYTES = 32
/** Wrong passwords of one name within a minute, after which it has to wait. */
const ATTEMPTS_MAX = 5
const ATTEMPTS_MS = 60_000
/** Names with wrong passwords that are remembered. */
const NAMES_MAX = 1_000

interface Account {
  readonly salt: Buffer
  readonly key: Buffer
  /** What its owner may ask signed cookies for. */
  readonly resources: readonly string[]
}

export interface Member {
  readonly name: string
  readonly resources: readonly string[]
}

export type LoginOutcome = Member | 'refused' | 'too-many-attempts'

export class Accounts {
  readonly #accounts = new Map<string, Account>()
  readonly #failures = new Map<string, { count: number; since: number }>()
  readonly #now: () => number
  readonly #secret = randomBytes(KEY_BYTES)

  /** `now`: milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now
  }

  async add(name: string, password: string, resources: readonly string[]): Promise<void> {
    const salt = randomBytes(KEY_BYTES)
    this.#accounts.set(name, { salt, key: await derive(password, salt, KEY_BYTES), resources })
  }

  async login(name: string, password: string): Promise<LoginOutcome> {
    if (this.#hasToWait(name)) return 'too-many-attempts'
    // Before the work, or many at a time would all be let in before the first is counted.
    this.#count(name)
    const account = this.#accounts.get(name)
    // A name that there is not takes as long as a wrong password.
    const key = await derive(password, account?.salt ?? this.#secret, KEY_BYTES)
    if (account !== undefined && timingSafeEqual(key, account.key)) {
      this.#failures.delete(name)
      return { name, resources: account.resources }
    }
    return 'refused'
  }

  #count(name: string): void {
    const failures = this.#failures.get(name) ?? { count: 0, since: this.#now() }
    failures.count++
    if (this.#failures.size >= NAMES_MAX) this.#failures.clear()
    this.#failures.set(name, failures)
  }

  #hasToWait(name: string): boolean {
    const failures = this.#failures.get(name)
    if (failures === undefined) return false
    if (this.#now() - failures.since < ATTEMPTS_MS) return failures.count >= ATTEMPTS_MAX
    this.#failures.delete(name)
    return false
  }

  /** Value of a session cookie that is good for so many seconds. */
  session({ name }: Member, seconds: number): string {
    const said = `${encodeURIComponent(name)}.${Math.floor(this.#now() / 1000) + seconds}`
    return `${said}.${this.#seal(said).toString('base64url')}`
  }

  /** Whose session it is; null for a false one and for one that is over. */
  memberOf(session: string): Member | null {
    const [, said = '', name = '', until = '', seal = ''] = /^(([^.]+)\.(\d+))\.([\w-]+)$/.exec(session) ?? []
    const given = Buffer.from(seal, 'base64url')
    const right = this.#seal(said)
    if (given.length !== right.length || !timingSafeEqual(given, right)) return null
    if (Number(until) * 1000 <= this.#now()) return null
    const account = this.#accounts.get(decodeURIComponent(name))
    return account === undefined ? null : { name: decodeURIComponent(name), resources: account.resources }
  }

  #seal(said: string): Buffer {
    return createHmac('sha256', this.#secret).update(said).digest()
  }
}
