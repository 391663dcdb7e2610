//! TestFailover (spec/elasticache.md 7.2): the keeper loses the primary on purpose and makes the node anew.
import type { TestFailoverMessage, TestFailoverResult } from '@aws-sdk/client-elasticache'
import { required, shown } from '../../domain/cache-names.ts'
import type { ReplicationGroupRecord } from '../../domain/cluster.ts'
import { elasticacheFault } from '../../domain/elasticache-faults.ts'
import type { Transaction } from '../../state/state.ts'
import type { Operation } from '../service.ts'
import { recordEvents } from './event-log.ts'
import { onlyFields } from './fields.ts'
import { nextRoleChange } from './group-roles.ts'
import { findReplicationGroup } from './lookup.ts'
import { mustBeAvailable } from './must-be-available.ts'
import { membersOf } from './replicas.ts'
import { replicationGroupView } from './views.ts'

/** The one node group of a replication group without cluster mode. */
const NODE_GROUP = '0001'
/** Node groups of an account that may be tested within a rolling day (spec 1.9). */
const TESTS_MAX = 15
const DAY_MS = 24 * 60 * 60 * 1000
/** Id of the one document: there is one account. */
const ACCOUNT = 'local'

/** @throws NodeGroupNotFoundFault */
export function nodeGroup(group: ReplicationGroupRecord, given: string | undefined): void {
  const id = required('NodeGroupId', given)
  if (id === NODE_GROUP) return
  throw elasticacheFault(
    'NodeGroupNotFoundFault',
    `Replication group ${group.id} has no node group ${shown(id)}; its only one is ${NODE_GROUP}.`,
  )
}

export const testFailover: Operation<TestFailoverMessage, TestFailoverResult> = (input, context) => {
  onlyFields('TestFailover', input, ['ReplicationGroupId', 'NodeGroupId'])
  return context.state.transact(async (tx) => {
    const { doc: before } = await findReplicationGroup(tx, input.ReplicationGroupId)
    nodeGroup(before, input.NodeGroupId)
    mustBeAvailable(before)
    if (!before.automaticFailover) {
      throw elasticacheFault(
        'TestFailoverNotAvailableFault',
        `Replication group ${before.id} has no automatic failover; enable it before you test it.`,
      )
    }
    await countTest(tx, context.clock.now())
    const group: ReplicationGroupRecord = {
      ...before,
      status: 'modifying',
      roleChange: nextRoleChange(before, 'test-failover', null),
    }
    await tx.put('replication-group', group.id, group)
    const message = `Test Failover API called for node group ${NODE_GROUP}`
    await recordEvents(tx, context.clock.now(), [{ source: 'replication-group', sourceId: group.id, message }])
    return { ReplicationGroup: replicationGroupView(group, await membersOf(tx, group)) }
  })
}

/** @throws APICallRateForCustomerExceeded for one more than there may be in 24 hours */
async function countTest(tx: Transaction, now: number): Promise<void> {
  const tests = (await tx.get('failover-tests', ACCOUNT))?.doc.at ?? []
  const within = tests.filter((at) => Date.parse(at) > now - DAY_MS)
  if (within.length >= TESTS_MAX) {
    throw elasticacheFault(
      'APICallRateForCustomerExceeded',
      `There were ${within.length} tests of a failover within 24 hours; the next may be after ${within[0]} plus a day.`,
    )
  }
  await tx.put('failover-tests', ACCOUNT, { at: [...within, new Date(now).toISOString()] })
}
