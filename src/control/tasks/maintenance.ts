//! The task of the maintenance windows: begins what waits for the windows that are open now, and next batches, on the movable clock.
import type { Clock } from '../../lib/clock.ts'
import type { Kind } from '../../state/kinds.ts'
import type { Reader, State } from '../../state/state.ts'
import { type MaintenanceRecords, maintenancePlan } from '../plan/maintenance.ts'
import type { Task } from '../reconciler.ts'

/** Kinds whose commits are to poke this task. */
export const MAINTENANCE_KINDS: readonly Kind[] = ['cache-cluster', 'replication-group', 'service-update']

/** How soon it is noticed that a window has opened, or that the clock was moved into one. Milliseconds. */
const PERIOD_MS = 5_000

export function maintenanceTask(state: State, clock: Clock): Task {
  return { name: 'maintenance', periodMs: PERIOD_MS, run: () => begin(state, clock) }
}

async function readRecords(reader: Reader): Promise<MaintenanceRecords> {
  const [clusters, groups, updates] = await Promise.all([
    reader.list('cache-cluster'),
    reader.list('replication-group'),
    reader.list('service-update'),
  ])
  return { clusters, groups, updates }
}

async function begin(state: State, clock: Clock): Promise<string[]> {
  const first = maintenancePlan(await readRecords(state), clock.now())
  if (first.clusters.length + first.groups.length === 0) return []
  return state.transact(async (tx) => {
    // Decided again on what the transaction sees: an operation may have written in between.
    const { clusters, groups } = maintenancePlan(await readRecords(tx), clock.now())
    for (const cluster of clusters) await tx.put('cache-cluster', cluster.id, cluster)
    for (const group of groups) await tx.put('replication-group', group.id, group)
    return [...clusters, ...groups].map(({ id }) => `${id}: what was due has begun`)
  })
}
