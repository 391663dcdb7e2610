//! `cachefront cache`: the caches of this host as they really are: processes, addresses, the version of the binary.
import { Command } from 'commander'
import type { GroupSeen } from '../../keeper/protocol.ts'
import type { Status } from '../../services/cachefront/status.ts'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { findApi, localDocument } from '../local-call.ts'
import { drawTable } from '../table.ts'

export function cacheCommand(host: CliHost, done: (code: number) => void): Command {
  const seen = async (options: ClientOptions): Promise<readonly GroupSeen[]> => {
    const status = (await localDocument(findApi(host, options), '/_cachefront/status')) as Status
    if (status.caches === null) throw new CliError('The keeper does not answer, so nothing is known of the caches.')
    return status.caches
  }
  const list = new Command('list')
    .description('caches with their endpoints')
    .addHelpText('after', '\nExample:\n  cachefront cache list')
    .action(async (options: ClientOptions) => {
      const groups = await seen(options)
      host.out.print(options.json ? JSON.stringify(groups, null, 2) : drawList(groups))
      done(0)
    })
  const show = new Command('show')
    .argument('<id>', 'replication group or cache cluster')
    .description('one cache: its nodes, their processes, and the binary that really runs')
    .addHelpText('after', '\nExample:\n  cachefront cache show shop')
    .action(async (id: string, options: ClientOptions) => {
      const groups = await seen(options)
      const group = groups.find((one) => one.id === id)
      if (group === undefined)
        throw new CliError(`There is no cache ${id}; there are: ${groups.map((g) => g.id).join(', ') || 'none'}.`)
      host.out.print(options.json ? JSON.stringify(group, null, 2) : drawGroup(group))
      done(0)
    })
  return new Command('cache').description('the caches of this host (list, show)').addCommand(list).addCommand(show)
}

const OTHER_THAN_WISHED =
  'Other than wished: the process holds these parameters with another value than its parameter group. A reboot of the ' +
  'node applies most of them; maxclients stays at what the limit of open files of this host allows (ulimit -n).'

const stateOf = (group: GroupSeen): string => (group.settled ? 'settled' : (group.problem ?? 'settling'))

function drawList(groups: readonly GroupSeen[]): string {
  if (groups.length === 0) return 'No caches.'
  const rows = groups.map((g) => [g.id, String(g.nodes.length), g.endpoint, g.readerEndpoint ?? '-', stateOf(g)])
  return drawTable([['CACHE', 'NODES', 'ENDPOINT', 'READER', 'STATE'], ...rows])
}

function drawGroup(group: GroupSeen): string {
  const nodes = group.nodes.map((node) => [
    node.id,
    node.state,
    node.role,
    node.address,
    node.pid === null ? '-' : String(node.pid),
    node.binaryVersion ?? '-',
    node.pendingReboot.join(' ') || '-',
  ])
  return [
    `${group.id}: ${stateOf(group)}`,
    `endpoint ${group.endpoint}${group.readerEndpoint === null ? '' : `, reader ${group.readerEndpoint}`}`,
    drawTable([['NODE', 'STATE', 'ROLE', 'ADDRESS', 'PID', 'BINARY', 'OTHER THAN WISHED'], ...nodes]),
    ...(group.nodes.some((node) => node.pendingReboot.length > 0) ? [OTHER_THAN_WISHED] : []),
  ].join('\n')
}
