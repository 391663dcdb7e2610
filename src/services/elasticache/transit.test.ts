//! Encryption in transit and access in one request: neither is left without the other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elasticacheContext, fails } from '../../../test/support/elasticache-context.ts'
import { ELASTICACHE_OPERATIONS as ops } from './operations.ts'

test('encryption in transit does not go while the same request brings AUTH or a user group', async (t) => {
  const context = await elasticacheContext(t)
  const group = {
    ReplicationGroupId: 'shop',
    ReplicationGroupDescription: 'a group',
    CacheNodeType: 'cache.t4g.micro',
    TransitEncryptionEnabled: true,
    TransitEncryptionMode: 'preferred' as const,
  }
  await ops.CreateReplicationGroup(group, context)
  const user = { UserId: 'all', UserName: 'default', Engine: 'redis', AccessString: 'on ~* +@all' }
  await ops.CreateUser({ ...user, Passwords: ['a-password-of-16+'] }, context)
  await ops.CreateUserGroup({ UserGroupId: 'staff', Engine: 'redis', UserIds: ['all'] }, context)
  await context.state.transact(async (tx) => {
    const made = (await tx.get('replication-group', 'shop'))!.doc
    await tx.put('replication-group', 'shop', { ...made, status: 'available' })
    const staff = (await tx.get('cache-user-group', 'staff'))!.doc
    await tx.put('cache-user-group', 'staff', { ...staff, status: 'active' })
  })
  const away = { ReplicationGroupId: 'shop', TransitEncryptionEnabled: false, ApplyImmediately: true }
  for (const access of [
    { AuthToken: 'a-token-of-16-or-more', AuthTokenUpdateStrategy: 'ROTATE' as const },
    { UserGroupIdsToAdd: ['staff'] },
  ]) {
    await fails(
      () => ops.ModifyReplicationGroup({ ...away, ...access }, context),
      'InvalidParameterCombination',
      /take them away first/,
    )
  }
  const { ReplicationGroup: changed } = await ops.ModifyReplicationGroup(away, context)
  assert.equal(changed?.PendingModifiedValues?.TransitEncryptionEnabled, false)
})
