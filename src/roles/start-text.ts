//! What `up` says when everything answers, and when it has ended.
import type { InstallationFile } from '../cli/installation-file.ts'
import type { Config } from '../config.ts'
import type { Health } from '../services/cachefront/installation.ts'

const NO_ENGINES = ': the edge runs, caches cannot be made; `cachefront doctor` says how to get them'
const isWithoutEngines = ({ name, detail }: Health['parts'][number]): boolean =>
  name === 'engines' && detail.startsWith('none')

/** `authority`: file of what viewers over HTTPS are to trust; null without HTTPS. */
export function describeStart(
  config: Config,
  { api, edge, edgeHttps, dns }: Pick<InstallationFile, 'api' | 'edge' | 'edgeHttps'> & { readonly dns: string | null },
  authority: string | null,
  health: Health,
): string {
  const engines = health.parts.find((part) => part.name === 'engines')?.detail ?? 'none'
  return [
    `Cachefront ${health.version}`,
    `  AWS API  ${api}   (aws --endpoint-url ${api} ...)`,
    `  edge     http://${edge}   (distributions are *.${config.edgeDomain})`,
    ...(edgeHttps == null ? [] : [`           https://${edgeHttps}   (curl --cacert ${authority} ...)`]),
    ...(dns === null ? [] : [`  names    ${dns}   (dig @... NAME.${config.edgeDomain})`]),
    `  engines  ${engines}${health.parts.some(isWithoutEngines) ? NO_ENGINES : ''}`,
    `  home     ${config.home}`,
  ].join('\n')
}

/** `cachesLeft`: ids of the caches that go on without control. */
export function describeEnd(cachesLeft: readonly string[]): string {
  if (cachesLeft.length === 0) return 'Stopped.'
  return `Stopped. Caches still run: ${cachesLeft.join(', ')} (\`cachefront down --stop-engines\` ends them too).`
}
