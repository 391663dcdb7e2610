//! PURE: the users of a group as its engines are to have them: each with its own rules, and behind them the denial of
//! restricted and of blocked commands. The keeper's own user is not among them (door.ts).
import { accessRules, parseAccess } from '../domain/acl/access-string.ts'
import { commandSince } from '../domain/acl/commands.ts'
import { denials } from '../domain/acl/restricted.ts'
import type { EngineUser } from './engine.ts'
import type { GroupWish, UserWish } from './protocol.ts'

/** Who comes without a name; every engine has this user. */
export const DEFAULT_USER = 'default'
const CLOSED: EngineUser = { name: DEFAULT_USER, rules: ['reset', 'off'] }

/**
 * All users of the group's engines, `default` always among them: closed when the wish has users without it.
 * `iamPassword`: what a front logs a user in with whose token it has verified.
 */
export function engineUsers(wish: GroupWish, iamPassword: string): readonly EngineUser[] {
  const denied = [...denials(wish.engine, wish.engineVersion), ...blocked(wish)]
  if (!wish.access) {
    return [{ name: DEFAULT_USER, rules: ['reset', 'on', 'nopass', '~*', '&*', '+@all', ...denied] }]
  }
  const users = wish.access.users.map((user) => ({
    name: user.name,
    rules: ['reset', ...credentials(user, iamPassword), ...accessRules(parseAccess(user.access), denied)],
  }))
  return users.some((user) => user.name === DEFAULT_USER) ? users : [CLOSED, ...users]
}

/** Denials of what is blocked by wish; an engine refuses rules with commands that it does not have. */
const blocked = ({ blockedCommands, engineVersion }: GroupWish): readonly string[] =>
  (blockedCommands ?? [])
    .filter((name) => Number.parseFloat(commandSince(name) ?? 'NaN') <= Number.parseFloat(engineVersion))
    .map((name) => `-${name}`)

function credentials(user: UserWish, iamPassword: string): readonly string[] {
  if (user.iam) return [`#${iamPassword}`]
  if (user.noPassword) return ['nopass']
  return user.passwords.map((hash) => `#${hash}`)
}

/**
 * The default user in the configuration that an engine starts with. One that is not simply open is closed until the
 * keeper has come in and given the engine its users: no rule of a user can then keep an engine from starting.
 */
export function defaultUserAtStart(wish: GroupWish): EngineUser {
  return wish.access ? CLOSED : engineUsers(wish, '')[0]!
}
