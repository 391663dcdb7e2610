//! `cachefront cache`: the caches of this host as they really are: processes, addresses, the version of the binary; and
//! what the edge has cached (../cached-objects.ts, ../cached-url.ts).
import { Command } from 'commander'
import type { GroupSeen } from '../../keeper/protocol.ts'
import type { Status } from '../../services/cachefront/status.ts'
import { counted, printObjects } from '../cached-objects.ts'
import { showStats, showUrl } from '../cached-url.ts'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { findApi, localDocument } from '../local-call.ts'
import { drawTable } from '../table.ts'
import { metricsCommand } from './cache-metrics.ts'
import { showCache } from './cache-show.ts'
import { snapshotsCommand } from './cache-snapshots.ts'

interface ListOptions extends ClientOptions {
  readonly distribution?: string
  readonly prefix?: string
}

interface ShowOptions extends ClientOptions {
  readonly pop?: string
  readonly header: readonly string[]
}

export function cacheCommand(host: CliHost, done: (code: number) => void): Command {
  const list = new Command('list')
    .option('--distribution <ID>', 'list what the edge has cached of this distribution (id or domain name)')
    .option('--prefix <PATH>', 'with --distribution: only paths that begin so')
    .description('the caches of this host with their endpoints; with --distribution the cached objects of the edge')
    .addHelpText(
      'after',
      `
Examples:
  cachefront cache list
  cachefront cache list --distribution E1ABCDEFGHIJKL --prefix /img
  cachefront cache list --distribution shop.example.com --json | jq .uri`,
    )
    .action(async (options: ListOptions) => {
      if (options.distribution !== undefined) return done(await listObjects(host, options.distribution, options))
      if (options.prefix !== undefined) throw new CliError('--prefix needs --distribution.', 2)
      const groups = await seenGroups(host, options)
      host.out.print(options.json ? JSON.stringify(groups, null, 2) : drawList(groups))
      done(0)
    })
  const show = new Command('show')
    .argument('<id|url>', 'replication group or cache cluster; or a URL as a viewer would ask for it')
    .option('-H, --header <NAME: VALUE>', 'with a URL: a header of the viewer (again for more)', collect, [])
    .option('--pop <NAME>', 'with a URL: the POP or regional edge cache (the first POP otherwise)')
    .description(
      'one cache as on the console page, and the binary that really runs; or what the edge has cached for a URL',
    )
    .addHelpText(
      'after',
      `
Examples:
  cachefront cache show shop
  cachefront cache show http://d1234567890abc.cloudfront.localhost:8080/product/7
  cachefront cache show https://shop.example.com/ -H 'Accept-Encoding: br'`,
    )
    .action(async (text: string, options: ShowOptions) => {
      if (text.includes('://')) return done(await showUrl(host, text, options))
      done(await showCache(host, text, options))
    })
  const stats = new Command('stats')
    .description("how full the edge's caches are, by worker and tier: objects, bytes, limit, hits, evictions")
    .addHelpText('after', '\nExample:\n  cachefront cache stats')
    .action(async (options: ClientOptions) => done(await showStats(host, options)))
  return new Command('cache')
    .description('the caches of this host, and what the edge has cached (list, show, metrics, snapshots, stats)')
    .addCommand(list)
    .addCommand(show)
    .addCommand(metricsCommand(host, done))
    .addCommand(snapshotsCommand(host, done))
    .addCommand(stats)
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

async function seenGroups(host: CliHost, options: ClientOptions): Promise<readonly GroupSeen[]> {
  const status = (await localDocument(findApi(host, options), '/_cachefront/status')) as Status
  if (status.caches === null) throw new CliError('The keeper does not answer, so nothing is known of the caches.')
  return status.caches
}

function listObjects(host: CliHost, distribution: string, options: ListOptions): Promise<number> {
  const query = new URLSearchParams({ distribution, prefix: options.prefix ?? '' })
  return printObjects(host, findApi(host, options), `/_cachefront/objects?${query}`, {
    json: options.json === true,
    verdict: ({ objects, copies, bytes }) =>
      `${counted(objects, 'object')} and ${counted(copies, 'copy')} of them, ${counted(bytes, 'byte')}.`,
  })
}

const stateOf = (group: GroupSeen): string => (group.settled ? 'settled' : (group.problem ?? 'settling'))

function drawList(groups: readonly GroupSeen[]): string {
  if (groups.length === 0) return 'No caches.'
  const rows = groups.map((g) => [g.id, String(g.nodes.length), g.endpoint, g.readerEndpoint ?? '-', stateOf(g)])
  return drawTable([['CACHE', 'NODES', 'ENDPOINT', 'READER', 'STATE'], ...rows])
}
