//! Who may come into the engines of a group: the keeper with its own user, and the users of the wish.
import { ADMIN_USER, type Door, newPassword, sha256Of } from '../door.ts'
import type { EngineUser } from '../engine.ts'
import type { Ledger } from '../ledger.ts'
import type { GroupWish } from '../protocol.ts'
import { defaultUserAtStart, engineUsers } from '../users.ts'

/** Of memcached, which knows none. */
const NO_USERS: readonly EngineUser[] = []

export class GroupCredentials {
  /** Password of the keeper's user in all its engines; null for memcached. */
  readonly #password: string | null
  /** What the front of IAM users logs them in with; empty for memcached. */
  readonly iamPassword: string
  #usersOf: { readonly wish: GroupWish; readonly users: readonly EngineUser[] } | null = null

  constructor({ engine, id }: GroupWish, ledger: Ledger) {
    this.#password = engine === 'memcached' ? null : ownPassword(ledger, id, 'admin')
    this.iamPassword = engine === 'memcached' ? '' : ownPassword(ledger, id, 'iam')
  }

  /** False of memcached. */
  get hasUsers(): boolean {
    return this.#password !== null
  }

  /** What the keeper comes in with. */
  get own(): Pick<Door, 'username' | 'password'> {
    return { username: this.#password === null ? null : ADMIN_USER, password: this.#password }
  }

  /** One list for each wish. */
  users(wish: GroupWish): readonly EngineUser[] {
    if (!this.hasUsers) return NO_USERS
    if (this.#usersOf?.wish !== wish) this.#usersOf = { wish, users: engineUsers(wish, sha256Of(this.iamPassword)) }
    return this.#usersOf.users
  }

  /** The default user of an engine that starts. */
  defaultUser(wish: GroupWish): EngineUser | null {
    return this.hasUsers ? defaultUserAtStart(wish) : null
  }
}

/** A password of the keeper in a group, made when it is first needed and kept as long as the group. */
function ownPassword(ledger: Ledger, group: string, name: 'admin' | 'iam'): string {
  const known = ledger.secret(group, name)
  if (known !== null) return known
  const password = newPassword()
  ledger.setSecret(group, name, password)
  return password
}
