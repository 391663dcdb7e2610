//! Service updates and update actions: DescribeServiceUpdates, DescribeUpdateActions, BatchApplyUpdateAction,
//! BatchStopUpdateAction (spec/elasticache.md 11.5).
import type {
  BatchApplyUpdateActionMessage,
  BatchStopUpdateActionMessage,
  DescribeServiceUpdatesMessage,
  DescribeUpdateActionsMessage,
  ProcessedUpdateAction,
  ServiceUpdate,
  ServiceUpdatesMessage,
  TimeRangeFilter,
  UnprocessedUpdateAction,
  UpdateActionResultsMessage,
  UpdateActionsMessage,
} from '@aws-sdk/client-elasticache'
import { normalName, required, shown } from '../../domain/cache-names.ts'
import type { CacheClusterRecord, ServiceUpdateRecord } from '../../domain/cluster.ts'
import { elasticacheFault, invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import { actionStatus, applyBy, concerns, nodesBehind, SEVERITY, updating } from '../../domain/service-updates.ts'
import type { Reader, Transaction } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { onlyFields } from './fields.ts'
import { page } from './paging.ts'
import { membersOf } from './replicas.ts'
import { type Target, updateActionView } from './update-action-view.ts'

/** @throws ServiceUpdateNotFoundFault */
async function updatesOf(reader: Reader, name: string | undefined): Promise<ServiceUpdateRecord[]> {
  if (!name) return (await reader.list('service-update')).map(({ doc }) => doc)
  const found = await reader.get('service-update', normalName(name))
  if (found !== undefined) return [found.doc]
  throw elasticacheFault('ServiceUpdateNotFoundFault', `There is no service update ${shown(name)}.`)
}

export const describeServiceUpdates: Operation<DescribeServiceUpdatesMessage, ServiceUpdatesMessage> = async (
  input,
  { state },
) => {
  const wanted = input.ServiceUpdateStatus ?? []
  const updates = await updatesOf(state, input.ServiceUpdateName)
  const found = wanted.length === 0 || wanted.includes('available') ? updates : []
  const { items, Marker } = page(found, ({ name }) => name, input)
  return { ServiceUpdates: items.map(view), Marker }
}

const view = (update: ServiceUpdateRecord): ServiceUpdate => ({
  ServiceUpdateName: update.name,
  ServiceUpdateReleaseDate: new Date(update.releasedAt),
  ServiceUpdateSeverity: SEVERITY,
  ServiceUpdateRecommendedApplyByDate: new Date(applyBy(update)),
  ServiceUpdateStatus: 'available',
  ServiceUpdateDescription: `${update.engine} ${update.version} is installed on this host; nodes that run an older one are restarted as it.`,
  ServiceUpdateType: 'security-update',
  Engine: update.engine,
  EngineVersion: update.version,
  AutoUpdateAfterRecommendedApplyByDate: false,
  EstimatedUpdateTime: 'a few seconds per node, more with much data',
})

/** Every group, and every cluster that stands alone. */
async function targetsOf(reader: Reader): Promise<Target[]> {
  const [groups, clusters] = await Promise.all([reader.list('replication-group'), reader.list('cache-cluster')])
  const alone = clusters.filter(({ doc }) => doc.replicationGroupId === null)
  const ofGroups = groups.map(async ({ doc }) => ({ group: doc, clusters: await membersOf(reader, doc) }))
  return [...(await Promise.all(ofGroups)), ...alone.map(({ doc }) => ({ group: null, clusters: [doc] }))]
}

const idOf = ({ group, clusters }: Target): string => group?.id ?? clusters[0]?.id ?? ''

export const describeUpdateActions: Operation<DescribeUpdateActionsMessage, UpdateActionsMessage> = async (
  input,
  { state, clock },
) => {
  onlyFields('DescribeUpdateActions', input, [
    'ServiceUpdateName',
    'ReplicationGroupIds',
    'CacheClusterIds',
    'Engine',
    'ServiceUpdateStatus',
    'ServiceUpdateTimeRange',
    'UpdateActionStatus',
    'ShowNodeLevelUpdateStatus',
    'MaxRecords',
    'Marker',
  ])
  const ids = [...(input.ReplicationGroupIds ?? []), ...(input.CacheClusterIds ?? [])].map(normalName)
  const statuses: readonly string[] = input.UpdateActionStatus ?? []
  const states: readonly string[] = input.ServiceUpdateStatus ?? []
  const updates = (await updatesOf(state, input.ServiceUpdateName)).filter(
    (update) =>
      (!input.Engine || update.engine === input.Engine.toLowerCase()) &&
      (states.length === 0 || states.includes('available')) &&
      isReleasedWithin(update, input.ServiceUpdateTimeRange),
  )
  const targets = (await targetsOf(state)).filter((target) => ids.length === 0 || ids.includes(idOf(target)))
  const actions = updates.flatMap((update) =>
    targets.flatMap((target) => {
      if (!target.clusters.some((cluster) => concerns(update, cluster))) return []
      const status = actionStatus(update, target.clusters)
      return statuses.length === 0 || statuses.includes(status) ? [{ update, target, status }] : []
    }),
  )
  const { items, Marker } = page(actions, ({ update, target }) => `${update.name} ${idOf(target)}`, input)
  const now = clock.now()
  const nodes = input.ShowNodeLevelUpdateStatus === true
  return { UpdateActions: items.map((item) => updateActionView({ ...item, now, nodes })), Marker }
}

/** Both ends belong to the range; an end that is left out is open. @throws InvalidParameterValue */
function isReleasedWithin({ releasedAt }: ServiceUpdateRecord, range: TimeRangeFilter | undefined): boolean {
  const [from, to] = [range?.StartTime?.getTime() ?? -Infinity, range?.EndTime?.getTime() ?? Infinity]
  if (from > to) throw invalidValue('StartTime of ServiceUpdateTimeRange must not be after its EndTime.')
  const at = Date.parse(releasedAt)
  return from <= at && at <= to
}

type Act = (tx: Transaction, update: ServiceUpdateRecord, target: Target, now: number) => Promise<string | null>

/** Both batches: what could be done for each of the named, and why not for the others. */
function batch(act: Act) {
  return (
    input: BatchApplyUpdateActionMessage | BatchStopUpdateActionMessage,
    { state, clock }: ServiceContext,
  ): Promise<UpdateActionResultsMessage> =>
    state.transact(async (tx) => {
      const [update] = await updatesOf(tx, required('ServiceUpdateName', input.ServiceUpdateName))
      const groups = (input.ReplicationGroupIds ?? []).map((id) => ({ ReplicationGroupId: normalName(id) }))
      const clusters = (input.CacheClusterIds ?? []).map((id) => ({ CacheClusterId: normalName(id) }))
      if (groups.length + clusters.length === 0) {
        throw invalidCombination('Give ReplicationGroupIds or CacheClusterIds.')
      }
      const ProcessedUpdateActions: ProcessedUpdateAction[] = []
      const UnprocessedUpdateActions: UnprocessedUpdateAction[] = []
      for (const named of [...groups, ...clusters]) {
        const target = await targetOf(tx, named)
        const ServiceUpdateName = update?.name ?? ''
        const problem = target === null ? 'there is none of this id' : await act(tx, update!, target, clock.now())
        if (problem !== null) {
          const failed = { ServiceUpdateName, ErrorType: 'UpdateActionNotApplicable', ErrorMessage: problem }
          UnprocessedUpdateActions.push({ ...named, ...failed })
          continue
        }
        const { clusters: after } = (await targetOf(tx, named)) as Target
        const status = actionStatus(update!, after)
        const UpdateActionStatus = status === 'in-progress' ? 'waiting-to-start' : status
        ProcessedUpdateActions.push({ ...named, ServiceUpdateName, UpdateActionStatus })
      }
      return { ProcessedUpdateActions, UnprocessedUpdateActions }
    })
}

async function targetOf(
  tx: Transaction,
  named: { readonly ReplicationGroupId?: string; readonly CacheClusterId?: string },
): Promise<Target | null> {
  const id = named.ReplicationGroupId ?? named.CacheClusterId
  const wantsGroup = named.ReplicationGroupId !== undefined
  const found = (await targetsOf(tx)).find((target) => idOf(target) === id && (target.group !== null) === wantsGroup)
  return found ?? null
}

const apply: Act = async (tx, update, target, now) => {
  const concerned = target.clusters.filter((cluster) => nodesBehind(cluster, update.version).length > 0)
  if (!target.clusters.some((cluster) => concerns(update, cluster))) return 'the update is not for it'
  if (concerned.length === 0) return 'it is complete already'
  const busy = [target.group, ...target.clusters].find((record) => record !== null && record.status !== 'available')
  if (busy) return `${busy.id} is ${busy.status}, not available; wait until it is`
  for (const cluster of target.clusters) await tx.put('cache-cluster', cluster.id, updating(cluster, update, now))
  if (target.group !== null)
    await tx.put('replication-group', target.group.id, { ...target.group, status: 'modifying' })
  return null
}

const stop: Act = async (tx, update, target) => {
  if (actionStatus(update, target.clusters) !== 'in-progress') return 'it is not in progress'
  for (const cluster of target.clusters) await tx.put('cache-cluster', cluster.id, stopped(cluster))
  return null
}

const stopped = (cluster: CacheClusterRecord): CacheClusterRecord =>
  cluster.serviceUpdate ? { ...cluster, serviceUpdate: { ...cluster.serviceUpdate, stopped: true } } : cluster

const applyBatch = batch(apply)
const stopBatch = batch(stop)

export const batchApplyUpdateAction: Operation<BatchApplyUpdateActionMessage, UpdateActionResultsMessage> = (
  input,
  context,
) => applyBatch(input, context)

export const batchStopUpdateAction: Operation<BatchStopUpdateActionMessage, UpdateActionResultsMessage> = (
  input,
  context,
) => stopBatch(input, context)
