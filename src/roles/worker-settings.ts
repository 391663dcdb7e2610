//! What an edge worker is started with, as arguments of the hidden role `worker`: control writes them, the worker reads
//! them, the keeper keeps them between the two.
import { parseArgs } from 'node:util'
import { type Config, type HomePaths, programVersion } from '../config.ts'
import { type ListenAddress, showAddress, showEndpoint } from '../config-values.ts'
import type { RegionalDoc } from '../domain/topology.ts'
import { edgeNames } from '../edge/certificates.ts'
import type { PopListen } from '../edge/listeners.ts'
import type { ProtectionSettings } from '../edge/protecting.ts'
import type { WorkerWish } from '../keeper/protocol.ts'
import { isLoopback } from '../lib/loopback.ts'

export interface WorkerSettings {
  /** `worker-0`, ... */
  readonly name: string
  readonly home: string
  /** The network, and where its POPs listen. */
  readonly network: ListeningNetwork
  readonly edgeDomain: string
  readonly cacheBytes: number
  /** Of the disk tier; 0 for none. */
  readonly diskBytes: number
  readonly allowOrigins: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly proxyProtocol: readonly string[]
  readonly originAuthorities: readonly string[]
  readonly geoip: readonly string[]
  /** `address:port` and CIDRs of this installation, which no origin may be. */
  readonly ownAddresses: readonly string[]
  /** Where buckets are reached, as `--s3-endpoint` has it; empty for AWS itself. */
  readonly s3Endpoint: string
  readonly s3Region: string
  /** Which keys the worker finds in their file (s3-keys.ts), not the keys; empty for none. */
  readonly s3Keys: string
  /** `NAME=DIR` */
  readonly folders: readonly string[]
  readonly protection: ProtectionSettings
  readonly movableClock: boolean
  /** Every distribution is in strict mode. */
  readonly rfcStrict: boolean
  readonly explain: 'loopback' | 'off'
}

/** Every address is known: control chose those that were not given. */
export interface ListeningNetwork {
  readonly pops: readonly PopListen[]
  readonly regionals: readonly RegionalDoc[]
  /** Of the name server; null for none. */
  readonly dns: ListenAddress | null
}

/** Of all POPs. */
export const addressesOf = ({ pops }: ListeningNetwork): readonly ListenAddress[] =>
  pops.flatMap(({ http, https, ipv6, ipv6Https }) => [http, https, ipv6, ipv6Https].flatMap((address) => address ?? []))

/** What the edge's own certificate is for. */
export const certificateNames = (edgeDomain: string, { pops }: ListeningNetwork): readonly string[] =>
  edgeNames(
    edgeDomain,
    pops.flatMap(({ https, ipv6Https }) => [https, ipv6Https].flatMap((address) => address?.host ?? [])),
  )

/** What this installation listens on itself, as the guard of origins takes it (edge/origin/guard.ts). */
export const ownAddresses = (
  { dedicatedIps }: Pick<Config, 'dedicatedIps'>,
  network: ListeningNetwork,
  api: ListenAddress,
  nodeNetwork: string | null,
): readonly string[] => [
  ...[api, ...addressesOf(network), ...(network.dns === null ? [] : [network.dns])].map(showAddress),
  ...dedicatedIps,
  ...(nodeNetwork === null ? [] : [nodeNetwork]),
]

/**
 * The workers of a configuration, as the keeper is to run them. `s3Keys` as in WorkerSettings: with other keys they are
 * other workers, which the keeper starts in the place of those that run.
 */
export function workerWishes(
  config: Config,
  network: ListeningNetwork,
  api: ListenAddress,
  nodeNetwork: string | null,
  s3Keys: string,
): readonly WorkerWish[] {
  const version = programVersion()
  const addresses = addressesOf(network)
  return Array.from({ length: config.workers }, (_, n) => {
    const settings: WorkerSettings = {
      name: `worker-${n}`,
      home: config.home,
      network,
      edgeDomain: config.edgeDomain,
      cacheBytes: Math.floor(config.cacheMemoryBytes / config.workers),
      diskBytes: Math.floor(config.diskCacheBytes / config.workers),
      allowOrigins: config.allowOrigins,
      trustedProxies: config.trustedProxies,
      proxyProtocol: config.proxyProtocol,
      originAuthorities: config.originAuthorities,
      geoip: config.geoip,
      ownAddresses: ownAddresses(config, network, api, nodeNetwork),
      s3Endpoint: config.s3.endpoint === null ? '' : showEndpoint(config.s3.endpoint),
      s3Region: config.s3.region,
      s3Keys,
      folders: config.folders.map(({ name, directory }) => `${name}=${directory}`),
      protection: config.protection,
      movableClock: config.movableClock,
      rfcStrict: config.rfcStrict,
      explain: [...[api, ...addresses].map(({ host }) => host), ...config.dedicatedIps].every(isLoopback)
        ? 'loopback'
        : 'off',
    }
    return { name: settings.name, args: ['worker', ...writeSettings(settings)], version }
  })
}

function writeSettings(s: WorkerSettings): readonly string[] {
  return [
    ...['--name', s.name, '--home', s.home, '--network', JSON.stringify(s.network)],
    ...['--edge-domain', s.edgeDomain],
    ...['--cache-bytes', String(s.cacheBytes), '--disk-bytes', String(s.diskBytes)],
    ...['--explain', s.explain],
    ...s.trustedProxies.flatMap((cidr) => ['--trusted-proxy', cidr]),
    ...s.proxyProtocol.flatMap((cidr) => ['--proxy-protocol', cidr]),
    ...s.originAuthorities.flatMap((file) => ['--origin-ca', file]),
    ...s.geoip.flatMap((path) => ['--geoip', path]),
    ...['--s3-endpoint', s.s3Endpoint, '--s3-region', s.s3Region, '--s3-keys', s.s3Keys],
    ...['--protection', JSON.stringify(s.protection)],
    ...s.folders.flatMap((folder) => ['--folder', folder]),
    ...s.allowOrigins.flatMap((cidr) => ['--allow-origin', cidr]),
    ...s.ownAddresses.flatMap((address) => ['--own', address]),
    ...(s.movableClock ? ['--movable-clock'] : []),
    ...(s.rfcStrict ? ['--rfc-strict'] : []),
  ]
}

/** @throws Error for arguments that `workerWishes` does not write */
export function readSettings(args: readonly string[]): WorkerSettings {
  const text = { type: 'string' } as const
  const list = { type: 'string', multiple: true, default: [] as string[] } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      name: text,
      home: text,
      network: text,
      'edge-domain': text,
      'cache-bytes': text,
      'disk-bytes': { type: 'string', default: '0' },
      explain: text,
      'allow-origin': list,
      'trusted-proxy': list,
      'proxy-protocol': list,
      'origin-ca': list,
      geoip: list,
      own: list,
      folder: list,
      's3-endpoint': { type: 'string', default: '' },
      's3-region': { type: 'string', default: 'us-east-1' },
      's3-keys': { type: 'string', default: '' },
      protection: text,
      'movable-clock': { type: 'boolean', default: false },
      'rfc-strict': { type: 'boolean', default: false },
    },
  })
  const needed = (
    name: 'name' | 'home' | 'network' | 'edge-domain' | 'cache-bytes' | 'explain' | 'protection',
  ): string => {
    const value = values[name]
    if (value === undefined) throw new Error(`the worker was started without --${name}`)
    return value
  }
  return {
    name: needed('name'),
    home: needed('home'),
    network: JSON.parse(needed('network')) as ListeningNetwork,
    edgeDomain: needed('edge-domain'),
    cacheBytes: Number(needed('cache-bytes')),
    diskBytes: Number(values['disk-bytes']),
    allowOrigins: values['allow-origin'],
    trustedProxies: values['trusted-proxy'],
    proxyProtocol: values['proxy-protocol'],
    originAuthorities: values['origin-ca'],
    geoip: values.geoip,
    ownAddresses: values.own,
    s3Endpoint: values['s3-endpoint'],
    s3Region: values['s3-region'],
    s3Keys: values['s3-keys'],
    folders: values.folder,
    protection: JSON.parse(needed('protection')) as ProtectionSettings,
    movableClock: values['movable-clock'],
    rfcStrict: values['rfc-strict'],
    explain: needed('explain') === 'loopback' ? 'loopback' : 'off',
  }
}

/** Unix sockets and files of one worker below the home. */
export function workerFiles(paths: HomePaths, name: string) {
  return {
    peerSocket: `${paths.edge}/${name}.sock`,
    snapshot: `${paths.edge}/${name}.snapshot`,
    disk: `${paths.cache}/${name}`,
  } as const
}
