//! What `up` says when everything answers, and when it has ended.
import type { InstallationFile } from '../cli/installation-file.ts'
import type { Config } from '../config.ts'
import { type ListenAddress, showAddress } from '../config-values.ts'
import type { Health } from '../services/cachefront/installation.ts'

const NO_ENGINES = ': the edge runs, caches cannot be made; `cachefront doctor` says how to get them'
const isWithoutEngines = ({ name, detail }: Health['parts'][number]): boolean =>
  name === 'engines' && detail.startsWith('none')

/** `dns`: the name server, if there is one; `authority`: file of what viewers over HTTPS are to trust; null without HTTPS. */
export function describeStart(
  config: Config,
  installation: Pick<InstallationFile, 'api' | 'edge' | 'edgeHttps'>,
  dns: ListenAddress | null,
  authority: string | null,
  health: Health,
): string {
  const { api, edge, edgeHttps } = installation
  const { pops } = health
  const engines = health.parts.find((part) => part.name === 'engines')?.detail ?? 'none'
  return [
    `Cachefront ${health.version}`,
    `  AWS API  ${api}   (aws --endpoint-url ${api} ...)`,
    `  edge     http://${edge}   (distributions are *.${config.edgeDomain})`,
    ...(edgeHttps == null ? [] : [`           https://${edgeHttps}   (curl --cacert ${authority} ...)`]),
    ...(pops.length < 2 ? [] : [`  POPs     ${pops.map(({ name }) => name).join(', ')}   (cachefront pops)`]),
    ...(dns === null
      ? []
      : [`  names    ${showAddress(dns)}   (dig @${dns.host} -p ${dns.port} NAME.${config.edgeDomain})`]),
    `  engines  ${engines}${health.parts.some(isWithoutEngines) ? NO_ENGINES : ''}`,
    `  home     ${config.home}`,
  ].join('\n')
}

/** `cachesLeft`: ids of the caches that go on without control. */
export function describeEnd(cachesLeft: readonly string[]): string {
  if (cachesLeft.length === 0) return 'Stopped.'
  return `Stopped. Caches still run: ${cachesLeft.join(', ')} (\`cachefront down --stop-engines\` ends them too).`
}
