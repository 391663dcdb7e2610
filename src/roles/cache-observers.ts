//! What watches the caches for their users, put together: metrics.
import { CacheMetrics, metricsTask } from '../control/cache-metrics.ts'
import type { PokedTask } from '../control/control.ts'
import type { KeeperLink } from '../control/keeper-link.ts'
import type { CacheMeasurements } from '../domain/metrics/series.ts'
import type { Clock } from '../lib/clock.ts'
import type { State } from '../state/state.ts'

export interface CacheObservers {
  readonly measurements: CacheMeasurements
  readonly tasks: readonly PokedTask[]
}

export function cacheObservers(state: State, keeper: KeeperLink, clock: Clock): CacheObservers {
  const measurements = new CacheMetrics({ state, keeper, clock })
  return { measurements, tasks: [{ task: metricsTask(measurements), kinds: [] }] }
}
