//! PURE: what the fields of a user may be (spec/elasticache.md 6.2): its name, its engine, its access string, its way to
//! log in, and which engine versions know them.
import { higherVersion, type UserEngine, type UserRecord } from '../../domain/access.ts'
import { AccessStringError, accessText, parseAccess } from '../../domain/acl/access-string.ts'
import { required, shown } from '../../domain/cache-names.ts'
import { invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import { ADMIN_USER } from '../../keeper/door.ts'
import type { Credentials } from './passwords.ts'

/** Unconfirmed; no spaces, case-sensitive. */
const USER_NAME = /^[!-~]{1,120}$/

/** @throws InvalidParameterValue */
export function userEngine(given: string | undefined): UserEngine {
  const engine = required('Engine', given).toLowerCase()
  if (engine === 'redis' || engine === 'valkey') return engine
  throw invalidValue(`Engine is redis or valkey for users and user groups, not ${shown(given)}.`)
}

/** @throws InvalidParameterValue */
export function userName(given: string | undefined): string {
  const name = required('UserName', given)
  if (!USER_NAME.test(name)) {
    throw invalidValue('UserName has 1 to 120 characters of printable ASCII, without spaces.')
  }
  if (name === ADMIN_USER) throw invalidValue(`UserName ${ADMIN_USER} is the service's own.`)
  return name
}

/** The access string in its form, with the lowest version that knows it. @throws InvalidParameterValue */
export function accessOf(text: string): Pick<UserRecord, 'access' | 'minimumVersion'> {
  try {
    const access = parseAccess(text)
    return { access: accessText(access), minimumVersion: access.minimumVersion }
  } catch (error) {
    if (!(error instanceof AccessStringError)) throw error
    throw invalidValue(`The AccessString is not valid: ${error.message}.`)
  }
}

/** Version that a way to log in needs (spec 6.2, unconfirmed). */
const LOG_IN_SINCE = { 'redis iam': '7.0', 'valkey iam': '7.2' } as Readonly<Record<string, string>>

/** @throws InvalidParameterValue, InvalidParameterCombination when a user cannot log in this way */
export function checkWay(engine: UserEngine, id: string, name: string, { authentication }: Credentials): void {
  if (authentication === 'iam') {
    if (id !== name) throw invalidValue('A user of the type iam has the same UserId and UserName.')
  }
  if (engine === 'valkey' && authentication === 'no-password') {
    throw invalidCombination('A user of the engine valkey needs a password or the AuthenticationMode iam.')
  }
}

/** The lowest engine version that knows both the access string, which needs `access`, and the way to log in. */
export const minimumOf = (engine: UserEngine, access: string, authentication: string): string =>
  [LOG_IN_SINCE[`${engine} ${authentication}`], engine === 'valkey' ? '7.2' : undefined]
    .filter((version) => version !== undefined)
    .reduce(higherVersion, access)
