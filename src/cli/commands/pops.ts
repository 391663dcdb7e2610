//! `cachefront pops`: the places of the network; `pops down NAME` and `pops up NAME` switch one for a drill.
import { Command } from 'commander'
import type { PlaceStatus } from '../../services/cachefront/installation.ts'
import type { CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { findApi, localDocument } from '../local-call.ts'
import { drawTable } from '../table.ts'

const ROUTE = '/_cachefront/pops'

export function popsCommand(host: CliHost, done: (code: number) => void): Command {
  const list = new Command('list')
    .description('POPs, regional edge caches and origin shields: where they are and who asks whom')
    .addHelpText('after', '\nExample:\n  cachefront pops list')
    .action(async (options: ClientOptions) => {
      const { places } = (await localDocument(findApi(host, options), ROUTE)) as { places: readonly PlaceStatus[] }
      host.out.print(options.json ? JSON.stringify(places, null, 2) : drawPlaces(places))
      done(0)
    })
  const switching = (state: PlaceStatus['state'], about: string): Command =>
    new Command(state)
      .argument('<name>', 'of a POP or a regional edge cache')
      .description(`${about}; returns when every live worker has it`)
      .addHelpText('after', `\nExample:\n  cachefront pops ${state} FRA50-C1`)
      .action(async (name: string, options: ClientOptions) => {
        await localDocument(findApi(host, options), ROUTE, { name, state })
        host.out.print(options.json ? JSON.stringify({ name, state }) : `${name} is ${state}.`)
        done(0)
      })
  return new Command('pops')
    .description('the network of edge locations (list, down, up)')
    .addCommand(list, { isDefault: true })
    .addCommand(
      switching('down', 'a POP answers nobody any more, a regional edge cache is passed over: until it is up again'),
    )
    .addCommand(switching('up', 'ends a `pops down`'))
}

export function drawPlaces(places: readonly PlaceStatus[]): string {
  return drawTable([
    ['NAME', 'WHAT', 'REGION', 'HTTP, HTTPS, IPV6', 'ASKS', 'STATE'],
    ...places.map((place) => [
      place.name,
      WHAT[place.kind],
      place.region,
      place.kind === 'pop' ? addressesOf(place) : '-',
      place.kind === 'pop' ? (place.regional ?? 'the origin') : 'the origin or its shield',
      place.state,
    ]),
  ])
}

const addressesOf = ({ http, https, ipv6, ipv6Https }: Extract<PlaceStatus, { kind: 'pop' }>): string =>
  [http, https, ipv6, ipv6Https].filter((address) => address !== null).join(' ') || 'not listening'

const WHAT = { pop: 'POP', regional: 'regional edge cache', shield: 'origin shield' } as const
