//! PURE: AUTH token, user group and users of a replication group -> who the keeper is to let in.
import {
  type AuthTokenRecord,
  DEFAULT_USER,
  OPEN_ACCESS,
  predefinedUser,
  type UserGroupRecord,
  type UserRecord,
  wishedUserGroups,
  withPending,
} from '../../domain/access.ts'
import type { ReplicationGroupRecord } from '../../domain/cluster.ts'
import type { AccessWish, IamWish, UserWish } from '../../keeper/protocol.ts'
import type { Stored } from '../../state/state.ts'

/** All that the plan of access looks at. */
export interface AccessRecords {
  readonly users: readonly Stored<UserRecord>[]
  readonly userGroups: readonly Stored<UserGroupRecord>[]
  /** How tokens of IAM users are verified in this installation. */
  readonly iam: IamWish
}

/** Null: open to everybody. */
export function accessWish(group: ReplicationGroupRecord, records: AccessRecords): AccessWish | null {
  const [id] = wishedUserGroups(group)
  if (id !== undefined) {
    const userGroup = records.userGroups.find((stored) => stored.id === id)?.doc
    // A user group in use cannot be deleted; if it were gone, nobody should come in.
    const users = userGroup === undefined ? [] : usersOf(userGroup, records)
    // Only where it is needed: it holds a secret.
    return users.some((user) => user.iam) ? { users, iam: records.iam } : { users }
  }
  const { authToken } = group
  return authToken?.required ? { users: [tokenUser(authToken)] } : null
}

const tokenUser = ({ hashes }: AuthTokenRecord): UserWish => ({
  name: DEFAULT_USER,
  access: OPEN_ACCESS,
  passwords: hashes,
  noPassword: false,
  iam: false,
})

function usersOf(group: UserGroupRecord, { users }: AccessRecords): UserWish[] {
  return withPending(group.userIds, group.pending).flatMap((id) => {
    const user = id === DEFAULT_USER ? predefinedUser('') : users.find((stored) => stored.id === id)?.doc
    if (user === undefined || user.status === 'deleting') return []
    return [
      {
        name: user.name,
        access: user.access,
        passwords: user.passwords,
        noPassword: user.authentication === 'no-password',
        iam: user.authentication === 'iam',
      },
    ]
  })
}
