//! `cachefront status`: what runs and what is served.
import { Command } from 'commander'
import type { Status } from '../../services/cachefront/status.ts'
import type { CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { findApi, localDocument } from '../local-call.ts'
import { drawTable } from '../table.ts'

export function statusCommand(host: CliHost, done: (code: number) => void): Command {
  return new Command('status')
    .description('what runs and what is served; exit code 1 unless everything answers')
    .addHelpText('after', '\nExample:\n  cachefront status --json')
    .action(async (options: ClientOptions) => {
      const api = findApi(host, options)
      const status = (await localDocument(api, '/_cachefront/status')) as Status
      host.out.print(options.json ? JSON.stringify(status, null, 2) : drawStatus(api.endpoint, status))
      done(status.health.status === 'ok' ? 0 : 1)
    })
}

export function drawStatus(endpoint: string, status: Status): string {
  const { health, distributions, origins, caches } = status
  const paragraphs = [
    `Cachefront ${health.version}: ${health.status}, revision ${health.revision}, API ${endpoint}`,
    drawTable([
      ['POP', 'REGION', 'HTTP', 'HTTPS'],
      ...health.pops.map((pop) => {
        const silent = pop.state === 'down' ? 'taken down' : 'not listening'
        const at = (...addresses: (string | null | undefined)[]) => addresses.filter(Boolean).join(' ') || silent
        return [pop.name, pop.region, at(pop.http, pop.ipv6), at(pop.https, pop.ipv6Https)]
      }),
    ]),
    drawTable([
      ['PART', 'STATE', 'DETAIL'],
      ...health.parts.map((part) => [part.name, part.ok ? 'ok' : 'NOT OK', part.detail]),
    ]),
    ...troubles(health),
    distributions.length === 0
      ? 'No distributions.'
      : drawTable([
          ['DISTRIBUTION', 'STATUS', 'ENABLED', 'HTTP VERSION', 'ADDRESS', 'DOMAIN NAMES'],
          ...distributions.map((one) => [
            one.id,
            one.status,
            one.enabled ? 'yes' : 'no',
            one.httpVersion.ceiling === one.httpVersion.served
              ? one.httpVersion.served
              : `${one.httpVersion.served} served (${one.httpVersion.ceiling} allowed)`,
            one.dedicatedAddress === undefined ? 'shared' : `${one.dedicatedAddress} (${one.dedicatedPop ?? 'no POP'})`,
            [one.domainName, ...one.aliases].join(' '),
          ]),
        ]),
    ...(origins.length === 0 ? [] : [drawOrigins(origins)]),
    caches === null
      ? 'The keeper does not answer: caches unknown.'
      : caches.length === 0
        ? 'No caches.'
        : drawTable([
            ['CACHE', 'SETTLED', 'NODES', 'ENDPOINT', 'READER', 'PROBLEM'],
            ...caches.map((group) => [
              group.id,
              group.settled ? 'yes' : 'no',
              String(group.nodes.length),
              group.endpoint,
              group.readerEndpoint ?? '-',
              group.problem ?? '-',
            ]),
          ]),
  ]
  return paragraphs.join('\n\n')
}

/** What `cachefront status` says of attacks and overloads. */
const troubles = ({ attacks = [], overloads = [] }: Status['health']): string[] => [
  ...attacks.map(({ worker, since, counts }) => {
    const causes = Object.entries(counts).map(([cause, count]) => `${count} ${cause}`)
    return `UNDER ATTACK: ${worker} since ${since}: ${causes.join(', ')} (docs/shield.md)`
  }),
  ...overloads.map(({ worker, sheds, cause }) => `OVERLOADED: ${worker} refuses ${sheds} (${cause}; docs/shield.md)`),
]

/** Origins in a drawing; `--json` has all. */
const ORIGINS_DRAWN_MAX = 20

/** Origins that have failed; the others are well. */
function drawOrigins(origins: Status['origins']): string {
  const left = origins.length - ORIGINS_DRAWN_MAX
  return drawTable([
    ['ORIGIN', 'OF', 'STATE', 'REQUESTS', 'FAILED', 'FAILED OVER', 'LAST FAILURE'],
    ...origins
      .slice(0, ORIGINS_DRAWN_MAX)
      .map(({ last, ...origin }) => [
        origin.originId,
        origin.distributionId,
        origin.failing ? 'FAILING' : 'ok',
        `${origin.requests}`,
        `${Object.values(origin.failures).reduce((sum, count) => sum + count, 0)}`,
        `${origin.failovers}`,
        last === null ? '-' : `${last.at} ${last.kind}: ${last.message}`,
      ]),
    ...(left > 0 ? [[`and ${left} more`, '', '', '', '', '', '']] : []),
  ])
}
