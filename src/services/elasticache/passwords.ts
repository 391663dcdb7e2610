//! Passwords of users: checked, and turned into hashes before anything else sees them (spec/elasticache.md 6.2).
import { createHash } from 'node:crypto'
import type { Authentication } from '../../domain/access.ts'
import { invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'

/** Passwords of one user. */
const PASSWORDS_MAX = 2
/** Printable ASCII without `,` `"` `/` `@` and the space. */
const PASSWORD = /^[!#-+\--.0-?A-~]{16,128}$/

/** SHA-256 as an engine takes it: 64 hexadecimal digits. */
export const secretHash = (secret: string): string => createHash('sha256').update(secret).digest('hex')

export interface Credentials {
  readonly authentication: Authentication
  /** Hashes. */
  readonly passwords: readonly string[]
}

interface CredentialInput {
  readonly Passwords?: readonly string[] | undefined
  readonly NoPasswordRequired?: boolean | undefined
  readonly AuthenticationMode?: {
    readonly Type?: string | undefined
    readonly Passwords?: readonly string[] | undefined
  }
}

/**
 * The one way that is given; null when none is.
 * @throws InvalidParameterValue, InvalidParameterCombination for more than one
 */
export function credentialsOf(input: CredentialInput): Credentials | null {
  const { Passwords: passwords, NoPasswordRequired: none, AuthenticationMode: mode } = input
  const ways = [passwords !== undefined && passwords.length > 0, none === true, mode !== undefined]
  if (ways.filter(Boolean).length > 1) {
    throw invalidCombination('Give one of Passwords, NoPasswordRequired and AuthenticationMode.')
  }
  if (mode !== undefined) return ofMode(mode)
  if (none === true) return { authentication: 'no-password', passwords: [] }
  return passwords === undefined || passwords.length === 0 ? null : withPasswords(passwords)
}

function ofMode({ Type, Passwords }: NonNullable<CredentialInput['AuthenticationMode']>): Credentials {
  const passwords = Passwords ?? []
  switch (Type) {
    case 'password':
      return withPasswords(passwords)
    case 'no-password-required':
    case 'iam':
      if (passwords.length > 0) throw invalidCombination(`A user of the type ${Type} has no Passwords.`)
      return { authentication: Type === 'iam' ? 'iam' : 'no-password', passwords: [] }
    default:
      throw invalidValue('AuthenticationMode.Type is password, no-password-required or iam.')
  }
}

/** No message holds a password, not even a wrong one. */
function withPasswords(passwords: readonly string[]): Credentials {
  if (passwords.length < 1 || passwords.length > PASSWORDS_MAX) {
    throw invalidValue(`A user has 1 or ${PASSWORDS_MAX} passwords, not ${passwords.length}.`)
  }
  if (!passwords.every((password) => PASSWORD.test(password))) {
    throw invalidValue(
      'A password has 16 to 128 characters of printable ASCII, without the space, the comma, the quotation mark, the slash and the at sign.',
    )
  }
  return { authentication: 'password', passwords: [...new Set(passwords.map(secretHash))] }
}
