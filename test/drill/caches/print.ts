//! What the drill of caches found, as tables for a person.
import type { CachesReport, FaultRow } from './run.ts'

const ms = (value: number): string => `${Math.round(value)}`
const cells = (texts: readonly string[], widths: readonly number[]): string =>
  texts.map((text, at) => (at === 0 ? text.padEnd(widths[at]!) : text.padStart(widths[at]!))).join('  ')

/** Writers whose pauses are told: one a client. */
const clientsOf = (downtime: Readonly<Record<string, number>>): string[] =>
  Object.keys(downtime).filter((name) => !name.includes('WAIT'))

export function rowText({ fault, wellMs, downtimeMs }: FaultRow): string {
  const names = clientsOf(downtimeMs)
  return cells([fault, ...names.map((n) => ms(downtimeMs[n]!)), ms(wellMs)], [40, ...names.map(() => 10), 10])
}

export function headText(writers: readonly string[]): string {
  const names = writers.filter((name) => !name.includes('WAIT'))
  return cells(['longest pause between writes, ms', ...names, 'all well'], [40, ...names.map(() => 10), 10])
}

export function summaryText(report: CachesReport): string {
  const lines: string[] = []
  const names = Object.keys(report.writers)
  if (report.kills > 0) {
    lines.push('', `${report.kills} primaries killed at random moments: pause between writes, ms`)
    lines.push(cells(['client', 'median', 'max'], [20, 8, 8]))
    for (const [name, { median, max }] of Object.entries(report.killDowntimeMs)) {
      lines.push(cells([name, ms(median), ms(max)], [20, 8, 8]))
    }
  }
  lines.push('', cells(['writer', 'acknowledged', 'lost', 'twice', 'failed'], [20, 12, 6, 6, 8]))
  for (const name of names) {
    const { acknowledged, lost, duplicated, failed } = report.writers[name]!
    lines.push(cells([name, `${acknowledged}`, `${lost}`, `${duplicated}`, `${failed}`], [20, 12, 6, 6, 8]))
  }
  lines.push(
    'Without a mode a writer counts a write as acknowledged when both replicas have it (WAIT 2): none may be lost.',
    `${report.primaries} primaries were seen at the endpoint, none again after another had taken over.`,
  )
  return lines.join('\n')
}
