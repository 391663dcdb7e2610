//! Health and the edge's counters as Prometheus text (exposition format 0.0.4).
import { prometheusText as edgeText } from '../../observe/counters.ts'
import type { Health } from './installation.ts'

/** `\`, `"` and line ends are escaped in label values. */
const label = (value: string): string =>
  `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`

/** Counters are sums over the live workers (`worker="all"`); `missing` ones, which did not answer, are named. */
export function prometheusText(
  health: Health,
  counters: Readonly<Record<string, number>>,
  missing: readonly string[],
): string {
  const lines = [
    '# HELP cachefront_info Version of the program.',
    '# TYPE cachefront_info gauge',
    `cachefront_info{version=${label(health.version)}} 1`,
    '# HELP cachefront_revision Newest commit of the state.',
    '# TYPE cachefront_revision gauge',
    `cachefront_revision ${health.revision}`,
    '# HELP cachefront_part_ok 1 when this part of the installation answers.',
    '# TYPE cachefront_part_ok gauge',
    ...health.parts.map((part) => `cachefront_part_ok{part=${label(part.name)}} ${part.ok ? 1 : 0}`),
  ]
  if (missing.length > 0) {
    lines.push(
      '# HELP cachefront_worker_missing 1 for a worker whose counters are not in these sums.',
      '# TYPE cachefront_worker_missing gauge',
      ...missing.map((worker) => `cachefront_worker_missing{worker=${label(worker)}} 1`),
    )
  }
  return `${lines.join('\n')}\n${edgeText({ all: counters })}`
}
