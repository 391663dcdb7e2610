//! What watches the caches for their users, put together: metrics, delivery of logs, notifications.
import type { Config, HomePaths } from '../config.ts'
import { showEndpoint } from '../config-values.ts'
import { CacheMetrics, metricsTask } from '../control/cache-metrics.ts'
import type { PokedTask } from '../control/control.ts'
import type { KeeperLink } from '../control/keeper-link.ts'
import { LOG_DELIVERY_KINDS, logDeliveryTask } from '../control/tasks/log-delivery.ts'
import { NOTIFICATION_KINDS, notificationsTask } from '../control/tasks/notifications.ts'
import type { CacheMeasurements } from '../domain/metrics/series.ts'
import type { Clock } from '../lib/clock.ts'
import type { State } from '../state/state.ts'

export interface CacheObservers {
  readonly measurements: CacheMeasurements
  readonly tasks: readonly PokedTask[]
}

export interface ObserversOptions {
  readonly state: State
  readonly keeper: KeeperLink
  readonly clock: Clock
  readonly config: Config
  readonly paths: HomePaths
  /** One line for the operator. */
  readonly log: (line: string) => void
}

export function cacheObservers({ state, keeper, clock, config, paths, log }: ObserversOptions): CacheObservers {
  const measurements = new CacheMetrics({ state, keeper, clock })
  const { endpoint, region, keys } = config.s3
  const logs = logDeliveryTask({
    state,
    keeper,
    sinks: {
      directory: paths.logs,
      s3: { endpoint: endpoint === null ? null : showEndpoint(endpoint), region, keys },
      addressOf: (id) => addressOf(state, id),
    },
    destinations: new Map(config.logDestinations.map(({ name, destination }) => [name, destination])),
    onProblem: log,
  })
  const notifications = notificationsTask({
    state,
    clock,
    webhooks: new Map(config.topics.map(({ arn, url }) => [arn, url])),
    secret: config.topicSecret,
    onProblem: log,
  })
  return {
    measurements,
    tasks: [
      { task: metricsTask(measurements), kinds: [] },
      { task: logs, kinds: LOG_DELIVERY_KINDS },
      { task: notifications, kinds: NOTIFICATION_KINDS },
    ],
  }
}

/** Where the primary of a cache of this installation listens. */
async function addressOf(state: State, id: string): Promise<{ readonly host: string; readonly port: number } | null> {
  const group = (await state.get('replication-group', id))?.doc
  if (group?.primaryEndpoint) return { host: group.primaryEndpoint, port: group.port }
  const cluster = (await state.get('cache-cluster', id))?.doc
  const address = cluster?.nodes[0]?.address
  return address ? { host: address, port: cluster.port } : null
}
