//! PURE: the parameter `rename-commands` (spec/elasticache.md 5.3): pairs of a command and its new name, or `blocked`.
//! Blocked commands are denied to every user by ACL (keeper/users.ts). Other names are refused: an engine sends what a
//! command did to its replicas by the command's new name, which only an engine that renames alike understands, and it
//! takes `rename-command` only when it starts, so that no group could be brought from one to the other without loss.
import { commandSince } from '../acl/commands.ts'
import { isRestricted } from '../acl/restricted.ts'
import { invalidValue } from '../elasticache-faults.ts'
import { notImplemented } from '../faults.ts'
import type { Overrides } from './directives.ts'

export const RENAME_COMMANDS = 'rename-commands'

const BLOCKED = 'blocked'
const NEW_NAME = /^[a-z0-9]{1,20}$/i
/** Commands by which a client becomes somebody, or leaves: no ACL can deny them (CMD_NO_AUTH), and no client is without. */
const ALWAYS_ALLOWED: ReadonlySet<string> = new Set(['auth', 'hello', 'quit', 'reset'])

/**
 * The commands that the value blocks, in lower case and its order. Names are in any case.
 * @throws InvalidParameterValue naming the word that is wrong; NotImplemented for a pair that is right and gives a name
 */
export function blockedCommands(value: string): readonly string[] {
  const words = value.split(' ').filter(Boolean)
  if (words.length % 2 !== 0) {
    throw invalidValue(
      `${RENAME_COMMANDS} has pairs of a command and its new name, or ${BLOCKED}: ${words.at(-1)} is alone.`,
    )
  }
  const pairs = Array.from({ length: words.length / 2 }, (_, at) => [words[2 * at]!, words[2 * at + 1]!] as const)
  const commands = pairs.map(([name, to]) => checkedPair(name, to))
  const twice = commands.find((name, at) => commands.indexOf(name) !== at)
  if (twice !== undefined) throw invalidValue(`${RENAME_COMMANDS} names ${twice} more than once.`)
  const named = pairs.find(([, to]) => !isBlocked(to))
  if (named === undefined) return commands
  throw notImplemented(
    `Renaming ${named[0]} to ${named[1]} (replicas do not know a command by its new name; block it: ${named[0]} ${BLOCKED})`,
  )
}

const isBlocked = (to: string): boolean => to.toLowerCase() === BLOCKED

/** The command in lower case. */
function checkedPair(given: string, to: string): string {
  const name = given.toLowerCase()
  if (commandSince(name) === null || name.includes('|')) {
    throw invalidValue(`${RENAME_COMMANDS}: ${given.slice(0, 40)} is no command.`)
  }
  if (isRestricted(name))
    throw invalidValue(`${RENAME_COMMANDS}: ${given} is a restricted command, which no client has.`)
  if (ALWAYS_ALLOWED.has(name)) {
    throw invalidValue(`${RENAME_COMMANDS}: ${given} can be neither renamed nor blocked: clients log in and out by it.`)
  }
  if (isBlocked(to)) return name
  if (!NEW_NAME.test(to)) {
    throw invalidValue(`${RENAME_COMMANDS}: a new name has 1 to 20 letters and digits, not ${to.slice(0, 40)}.`)
  }
  if (commandSince(to.toLowerCase()) !== null) {
    throw invalidValue(`${RENAME_COMMANDS}: ${to} is the name of a command already.`)
  }
  return name
}

/** Commands that a parameter group blocks. */
export const blockedBy = (overrides: Overrides): readonly string[] => blockedCommands(overrides[RENAME_COMMANDS] ?? '')
