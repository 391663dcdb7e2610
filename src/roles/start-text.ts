//! What `up` says when everything answers, and when it has ended.
import type { Config } from '../config.ts'
import type { Health } from '../services/cachefront/installation.ts'

const NO_ENGINES = ': the edge runs, caches cannot be made; `cachefront doctor` says how to get them'
const isWithoutEngines = ({ name, detail }: Health['parts'][number]): boolean =>
  name === 'engines' && detail.startsWith('none')

export function describeStart(config: Config, endpoint: string, edge: string, health: Health): string {
  const engines = health.parts.find((part) => part.name === 'engines')?.detail ?? 'none'
  return [
    `Cachefront ${health.version}`,
    `  AWS API  ${endpoint}   (aws --endpoint-url ${endpoint} ...)`,
    `  edge     http://${edge}   (distributions are *.${config.edgeDomain})`,
    `  engines  ${engines}${health.parts.some(isWithoutEngines) ? NO_ENGINES : ''}`,
    `  home     ${config.home}`,
  ].join('\n')
}

/** `cachesLeft`: ids of the caches that go on without control. */
export function describeEnd(cachesLeft: readonly string[]): string {
  if (cachesLeft.length === 0) return 'Stopped.'
  return `Stopped. Caches still run: ${cachesLeft.join(', ')} (\`cachefront down --stop-engines\` ends them too).`
}
