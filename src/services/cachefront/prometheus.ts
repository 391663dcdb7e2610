//! Counters and health as Prometheus text (exposition format 0.0.4).
import type { Health } from './installation.ts'

const NAME = /[^a-zA-Z0-9_]/g

/** `\`, `"` and line ends are escaped in label values. */
const label = (value: string): string =>
  `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`

/** Counters are sums over the live workers; `missing` ones, which did not answer, are named with value 1. */
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
  for (const [name, value] of Object.entries(counters).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const metric = `cachefront_${name.replace(NAME, '_')}_total`
    lines.push(`# TYPE ${metric} counter`, `${metric} ${value}`)
  }
  return `${lines.join('\n')}\n`
}
