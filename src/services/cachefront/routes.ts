//! What `/_cachefront` answers on the API port, as a table. Reads are GET; what changes something is POST with JSON.
//! api/ has checked Host, Origin, Content-Type and the caller's rights before it comes here.
import type { CacheMeasurements } from '../../domain/metrics/series.ts'
import type { ServiceContext } from '../service.ts'
import { type ClientsSource, cacheClientsRoute } from './cache-clients-route.ts'
import { cacheMetricsRoute } from './cache-metrics-route.ts'
import { cacheMetricsText } from './cache-metrics-text.ts'
import { cacheRoutes } from './cache-routes.ts'
import { certificateMetrics, certificateStatuses, certificatesRoute } from './certificates.ts'
import type { DoorMetrics } from './door-metrics.ts'
import type { Installation } from './installation.ts'
import { invalidationRoute } from './invalidation-route.ts'
import { IpRangesFile } from './ip-ranges.ts'
import { failure, isObject, json, type LocalRoute } from './local-route.ts'
import { ObjectWalks } from './object-lines.ts'
import { originMetrics } from './origin-metrics.ts'
import { placesRoutes } from './places-routes.ts'
import { prometheusText } from './prometheus.ts'
import { signerRoutes } from './signer-routes.ts'
import { statusOf } from './status.ts'
import { wafRuleMetrics, wafRulesRoute } from './waf-rules.ts'

/** The clock is never moved by more at once: ten years, in milliseconds. */
const ADVANCE_MS_MAX = 10 * 365 * 24 * 3_600_000

export function localRoutes(
  installation: Installation,
  context: Pick<ServiceContext, 'state' | 'clock' | 'quotas' | 'accountId'>,
  measurements: CacheMeasurements,
  keeper: ClientsSource,
  door?: DoorMetrics,
): readonly LocalRoute[] {
  const { state } = context
  const walks = new ObjectWalks(installation)
  const ipRanges = new IpRangesFile(context.clock)
  return [
    ...cacheRoutes(installation, state, walks),
    invalidationRoute(walks, context),
    ...placesRoutes(installation),
    ...signerRoutes(context, context.accountId),
    cacheMetricsRoute(measurements, context.clock),
    cacheClientsRoute(keeper),
    certificatesRoute(state, () => context.clock.now()),
    wafRulesRoute(installation),
    {
      method: 'GET',
      path: '/_cachefront/health',
      async run() {
        const health = await installation.health()
        return json(health.status === 'ok' ? 200 : 503, health)
      },
    },
    {
      method: 'GET',
      path: '/_cachefront/ip-ranges.json',
      run: async () => json(200, ipRanges.of((await installation.health()).pops)),
    },
    {
      method: 'GET',
      path: '/_cachefront/status',
      readsNeedSignature: true,
      run: async () => json(200, await statusOf(installation, state)),
    },
    {
      method: 'GET',
      path: '/_cachefront/origins',
      readsNeedSignature: true,
      run: async () => json(200, await installation.origins()),
    },
    {
      method: 'GET',
      path: '/_cachefront/metrics',
      async run() {
        const [health, { counters, missing }, { origins }, { rules }, caches, certificates] = await Promise.all([
          installation.health(),
          installation.counters(),
          installation.origins(),
          installation.wafRules(),
          cacheMetricsText(measurements, context.clock),
          certificateStatuses(state, context.clock.now()),
        ])
        const edges = prometheusText(health, counters, missing) + originMetrics(origins) + wafRuleMetrics(rules)
        const body = edges + caches + certificateMetrics(certificates) + (door?.text() ?? '')
        return { status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', body }
      },
    },
    {
      method: 'GET',
      path: '/_cachefront/traces/*',
      readsNeedSignature: true,
      async run({ rest }) {
        const found = await installation.trace(rest)
        if (found !== null) return json(200, found)
        return failure(
          404,
          `There is no trace ${rest}: each worker keeps its last 1,000, and one that ended takes them along.`,
        )
      },
    },
    {
      method: 'POST',
      path: '/_cachefront/clock',
      async run({ body }) {
        const { clock } = installation
        if (clock === null) {
          return failure(409, 'The clock cannot be moved: start with `cachefront up --movable-clock` to allow it.')
        }
        const advanceMs = isObject(body) ? body.advanceMs : undefined
        if (!Number.isSafeInteger(advanceMs) || Number(advanceMs) <= 0 || Number(advanceMs) > ADVANCE_MS_MAX) {
          return failure(400, `advanceMs must be a whole number of milliseconds from 1 to ${ADVANCE_MS_MAX}.`)
        }
        await clock.advance(Number(advanceMs))
        return json(200, { offsetMs: clock.offsetMs() })
      },
    },
    {
      method: 'POST',
      path: '/_cachefront/stop',
      async run({ body }) {
        const engines = isObject(body) ? (body.engines ?? false) : false
        if ((body !== undefined && !isObject(body)) || typeof engines !== 'boolean') {
          return failure(400, 'The body must be {"engines": true} or {"engines": false}.')
        }
        await installation.stop({ engines })
        return json(202, { stopping: true, engines })
      },
    },
  ]
}
