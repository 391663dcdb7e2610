//! The access log of a worker of an edge scenario, a record a line by the names in its #Fields.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EdgeScenario } from './edge-scenario.ts'

export type LogRecord = Readonly<Record<string, string>>

/** What is written: all of it once the workers have ended (EdgeScenario.pause). */
export async function accessLogRecords(edge: EdgeScenario, worker = 0): Promise<LogRecord[]> {
  const text = await readFile(join(edge.directory, 'logs', `access-worker-${worker}.log`), 'utf8')
  const lines = text.split('\n').filter((line) => line !== '')
  const fields =
    lines
      .find((line) => line.startsWith('#Fields: '))
      ?.split(' ')
      .slice(1) ?? []
  return lines
    .filter((line) => !line.startsWith('#'))
    .map((line) => Object.fromEntries(line.split('\t').map((value, at) => [fields[at] ?? String(at), value])))
}
