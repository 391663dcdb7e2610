//! The task of service updates: notes each newer engine binary that the host has beside nodes which run an older one.
import type { ServiceUpdateRecord } from '../../domain/cluster.ts'
import { newerBinary, updateName } from '../../domain/service-updates.ts'
import type { Clock } from '../../lib/clock.ts'
import { recordEvents } from '../../services/elasticache/event-log.ts'
import type { Kind } from '../../state/kinds.ts'
import type { Reader, State } from '../../state/state.ts'
import type { KeeperLink } from '../keeper-link.ts'
import type { Task } from '../reconciler.ts'

/** Kinds whose commits are to poke this task. */
export const SERVICE_UPDATE_KINDS: readonly Kind[] = ['cache-cluster']

const PERIOD_MS = 5_000

export function serviceUpdatesTask(state: State, keeper: Pick<KeeperLink, 'binaries'>, clock: Clock): Task {
  return { name: 'service-updates', periodMs: PERIOD_MS, run: () => note(state, keeper, clock) }
}

interface Found {
  readonly update: ServiceUpdateRecord
  /** Clusters that run an older binary. */
  readonly clusters: readonly string[]
}

async function note(state: State, keeper: Pick<KeeperLink, 'binaries'>, clock: Clock): Promise<string[]> {
  const binaries = keeper.binaries()
  if ((await unknown(state, binaries, clock)).length === 0) return []
  return state.transact(async (tx) => {
    const found = await unknown(tx, binaries, clock)
    for (const { update, clusters } of found) {
      await tx.put('service-update', update.name, update)
      const message = 'Service update is available for cache node 0001.'
      const events = clusters.map((sourceId) => ({ source: 'cache-cluster' as const, sourceId, message }))
      await recordEvents(tx, clock.now(), events)
    }
    return found.map(({ update }) => `service update ${update.name}`)
  })
}

async function unknown(reader: Reader, binaries: ReturnType<KeeperLink['binaries']>, clock: Clock): Promise<Found[]> {
  const [clusters, known] = await Promise.all([reader.list('cache-cluster'), reader.list('service-update')])
  const found = new Map<string, { update: ServiceUpdateRecord; clusters: string[] }>()
  for (const { id, doc } of clusters) {
    const binary = newerBinary(doc, binaries)
    if (binary === null) continue
    const name = updateName(doc.engine, binary.version)
    if (known.some((update) => update.id === name)) continue
    const releasedAt = new Date(clock.now()).toISOString()
    const update = { name, engine: doc.engine, version: binary.version, releasedAt }
    const one = found.get(name) ?? { update, clusters: [] }
    one.clusters.push(id)
    found.set(name, one)
  }
  return [...found.values()]
}
