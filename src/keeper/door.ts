//! How the keeper itself reaches an engine: where it listens, as whom, and by which transport. Clients have no say in it:
//! whatever users, tokens and restricted commands a group has, this door stays open to the keeper and to nobody else.
import { createHash, randomBytes } from 'node:crypto'

/** The user of the keeper in every redis and valkey engine: its admin link, replication, snapshots. */
export const ADMIN_USER = 'cachefront-admin'
/** Random bytes in an admin password. */
const PASSWORD_BYTES = 32

export interface DoorTls {
  /** SHA-256 fingerprints (`AB:CD:...`) of the certificates that the keeper gave the engine: it shows one of them. */
  readonly pins: readonly string[]
}

export interface Door {
  /** Dotted IPv4 address of the node itself. */
  readonly address: string
  readonly port: number
  /** Null for memcached, which has no users. */
  readonly username: string | null
  /** Secret: it goes to the engine as `sha256Of` and as masterauth, on standard input, and nowhere else. */
  readonly password: string | null
  /** Null where the engine is reached in plain text. `dial` (dial.ts) opens either. */
  readonly tls: DoorTls | null
}

/** A password that nobody could guess, in characters that need no quotes in a configuration. */
export const newPassword = (): string => randomBytes(PASSWORD_BYTES).toString('base64url')

/** A password as an engine's ACL takes it after `#`: 64 hexadecimal digits. */
export const sha256Of = (password: string): string => createHash('sha256').update(password).digest('hex')

/** The rules that make the keeper's user, in the words of ACL SETUSER; they hold for a user that exists, too. */
export const adminRules = (password: string): readonly string[] => [
  'reset',
  'on',
  `#${sha256Of(password)}`,
  '~*',
  '&*',
  '+@all',
]
