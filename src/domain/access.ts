//! Who may come into a replication group: users, user groups and AUTH tokens as they are stored (spec/elasticache.md 6).
//! Passwords and tokens are kept as SHA-256 only, which is what engines take. Times are ISO 8601 strings.

export type UserEngine = 'redis' | 'valkey'
export type UserStatus = 'active' | 'modifying' | 'deleting'
export type UserGroupStatus = 'creating' | 'active' | 'modifying' | 'deleting'

/** How a user shows that it is itself. */
export type Authentication = 'password' | 'no-password' | 'iam'

export interface UserRecord {
  /** Lower case. */
  readonly id: string
  readonly arn: string
  readonly createdAt: string
  /** Name that clients log in with; several users may have the same, not in one group. */
  readonly name: string
  readonly engine: UserEngine
  /** In the form of domain/acl. */
  readonly access: string
  readonly authentication: Authentication
  /** SHA-256 of one or two passwords, hexadecimal; empty when it has none. */
  readonly passwords: readonly string[]
  /** Set to `active` by the reconciler only, but at creation, when no engine has the user. */
  readonly status: UserStatus
  /** Lowest engine version that knows all of it. */
  readonly minimumVersion: string
}

export interface UserGroupRecord {
  /** Lower case. */
  readonly id: string
  readonly arn: string
  readonly createdAt: string
  readonly engine: UserEngine
  /** Members that every engine has; with `pending`, what they were before it. */
  readonly userIds: readonly string[]
  /** On its way to the engines; null when nothing is. */
  readonly pending: PendingMembers | null
  /** Set to `active` by the reconciler only: every node of every replication group has it. */
  readonly status: UserGroupStatus
}

export interface PendingMembers {
  readonly add: readonly string[]
  readonly remove: readonly string[]
}

/** AUTH of a replication group (spec 6.1). */
export interface AuthTokenRecord {
  /** SHA-256 of the tokens that are right, newest first: one, or two after a rotation. */
  readonly hashes: readonly string[]
  /** False from the first ROTATE on an open group until SET: clients may come without a token, too. */
  readonly required: boolean
  /** On its way to the engines; null when every node has it. */
  readonly pending: 'SETTING' | 'ROTATING' | null
  readonly modifiedAt: string
}

/** What a replication group says of access; absent: open to everybody. */
export interface GroupAccess {
  /** Null or absent: no AUTH. */
  readonly authToken?: AuthTokenRecord | null
  /** User groups that every node has: none or one. Absent: none. */
  readonly userGroupIds?: readonly string[]
  /** On its way to the nodes; null or absent when nothing is. */
  readonly pendingUserGroups?: PendingMembers | null
}

/** Users of an account, user groups, users of a group (spec 1.9; AWS's pages differ). */
export const USERS_MAX = 1000
export const USER_GROUPS_MAX = 100
export const USERS_OF_GROUP_MAX = 100

/** Name, and id, of the user that clients are who log in with a password alone, or not at all. */
export const DEFAULT_USER = 'default'

/** What every user may be given who is to be restricted by nothing. */
export const OPEN_ACCESS = 'on ~* &* +@all'

/** The user that each account has without creating it (spec 6.2); open, and not to be changed. */
export function predefinedUser(arn: string): UserRecord {
  return {
    id: DEFAULT_USER,
    arn,
    createdAt: new Date(0).toISOString(),
    name: DEFAULT_USER,
    engine: 'redis',
    access: 'on ~* +@all',
    authentication: 'no-password',
    passwords: [],
    status: 'active',
    minimumVersion: '6.0',
  }
}

/** What it is to be when all that is pending has arrived. */
export function withPending(now: readonly string[], pending: PendingMembers | null | undefined): readonly string[] {
  if (!pending) return now
  const staying = now.filter((id) => !pending.remove.includes(id))
  return [...staying, ...pending.add.filter((id) => !staying.includes(id))]
}

/** User groups that the nodes of a group are to have. */
export const wishedUserGroups = (access: GroupAccess): readonly string[] =>
  withPending(access.userGroupIds ?? [], access.pendingUserGroups)

/** The higher of two versions `major.minor`. */
export const higherVersion = (a: string, b: string): string => (Number.parseFloat(a) >= Number.parseFloat(b) ? a : b)
