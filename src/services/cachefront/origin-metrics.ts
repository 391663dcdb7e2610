//! What became of requests to origins as Prometheus text. A label for each origin would grow with the configuration:
//! the most asked get their own, the rest is one more.
import type { OriginSeen } from '../../edge/feed-protocol.ts'

/** Origins with labels of their own. */
export const LABELLED_MAX = 100
const OTHERS = 'other'

const label = (value: string): string =>
  `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`

/** `origins`: the most asked first. Empty for none. */
export function originMetrics(origins: readonly OriginSeen[]): string {
  if (origins.length === 0) return ''
  const rows = origins.slice(0, LABELLED_MAX).map((origin) => ({ ...origin, labels: labelsOf(origin) }))
  const rest = origins.slice(LABELLED_MAX)
  if (rest.length > 0) {
    const failures: Record<string, number> = {}
    for (const origin of rest) {
      for (const [kind, count] of Object.entries(origin.failures)) failures[kind] = (failures[kind] ?? 0) + count
    }
    rows.push({
      ...(rest[0] as OriginSeen),
      requests: sum(rest.map(({ requests }) => requests)),
      failovers: sum(rest.map(({ failovers }) => failovers)),
      failures,
      failing: rest.some(({ failing }) => failing),
      labels: labelsOf({ distributionId: OTHERS, originId: OTHERS }),
    })
  }
  return [
    '# HELP cachefront_origin_requests_total Requests to an origin of a distribution; several attempts are one.',
    '# TYPE cachefront_origin_requests_total counter',
    ...rows.map(({ labels, requests }) => `cachefront_origin_requests_total{${labels}} ${requests}`),
    '# HELP cachefront_origin_failures_total Of these, without a usable answer, and answers of 500 and above (5xx).',
    '# TYPE cachefront_origin_failures_total counter',
    ...rows.flatMap(({ labels, failures }) =>
      Object.entries(failures).map(
        ([kind, count]) => `cachefront_origin_failures_total{${labels},kind=${label(kind)}} ${count}`,
      ),
    ),
    '# HELP cachefront_origin_failovers_total Of these, after which the secondary of an origin group was asked.',
    '# TYPE cachefront_origin_failovers_total counter',
    ...rows.map(({ labels, failovers }) => `cachefront_origin_failovers_total{${labels}} ${failovers}`),
    '# HELP cachefront_origin_failing 1 when the newest request to an origin failed.',
    '# TYPE cachefront_origin_failing gauge',
    ...rows.map(({ labels, failing }) => `cachefront_origin_failing{${labels}} ${failing ? 1 : 0}`),
    '',
  ].join('\n')
}

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0)

const labelsOf = ({ distributionId, originId }: Pick<OriginSeen, 'distributionId' | 'originId'>): string =>
  `distribution=${label(distributionId)},origin=${label(originId)}`
