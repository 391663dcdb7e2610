//! Logins of IAM users: a token that is right is exchanged for the group's internal password, any other for one that
//! nobody has, so that the engine itself refuses it and counts it.
import { randomBytes } from 'node:crypto'
import type { AccessWish } from '../protocol.ts'
import { verifyToken } from './token.ts'

export interface LoginsOptions {
  readonly cacheId: string
  /** Of the moment; null when nobody is to be verified. */
  readonly access: () => AccessWish | null
  readonly password: string
  /** Milliseconds since the epoch on the wall clock. */
  readonly wall: () => number
}

/**
 * What the engine gets instead of the arguments of AUTH or HELLO. `loggedIn` is called when a token was right; whether the
 * engine may refuse it all the same is told with it: AUTH is not possible within MULTI, but a MULTI may have been refused.
 */
export async function exchangeLogin(
  args: readonly string[],
  inTransaction: boolean,
  options: LoginsOptions,
  loggedIn: (mayBeRefused: boolean) => void,
): Promise<readonly string[]> {
  const at = userAt(args)
  const access = options.access()
  const name = at === null ? undefined : args[at]
  const user = access?.users.find((one) => one.iam && one.name === name)
  if (at === null || name === undefined || !user || !access?.iam) return args
  const token = args[at + 1]!
  const verdict = await verifyToken(token, name, options.cacheId, access.iam, options.wall())
  if (verdict === 'valid') loggedIn(inTransaction)
  const password = verdict === 'valid' ? options.password : randomBytes(32).toString('hex')
  return args.with(at + 1, password)
}

/** Where the user's name is: `AUTH user password`, `HELLO 3 AUTH user password [SETNAME name]`; null without one. */
function userAt(args: readonly string[]): number | null {
  if (args[0]?.toUpperCase() === 'AUTH') return args.length === 3 ? 1 : null
  for (let at = 2; at < args.length; at++) {
    const word = args[at]!.toUpperCase()
    if (word === 'AUTH') return at + 2 < args.length ? at + 1 : null
    if (word === 'SETNAME') at++
  }
  return null
}
