//! What an edge worker is started with, as arguments of the hidden role `worker`: control writes them, the worker reads
//! them, the keeper keeps them between the two.
import { parseArgs } from 'node:util'
import { type Config, type HomePaths, programVersion } from '../config.ts'
import { type ListenAddress, showAddress } from '../config-values.ts'
import type { WorkerWish } from '../keeper/protocol.ts'
import { isLoopback } from '../lib/loopback.ts'

export interface WorkerSettings {
  /** `worker-0`, ... */
  readonly name: string
  readonly home: string
  readonly http: ListenAddress
  readonly cacheBytes: number
  /** Of the disk tier; 0 for none. */
  readonly diskBytes: number
  readonly allowOrigins: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly geoip: readonly string[]
  /** `address:port` and CIDRs of this installation, which no origin may be. */
  readonly ownAddresses: readonly string[]
  readonly movableClock: boolean
  /** Every distribution is in strict mode. */
  readonly rfcStrict: boolean
  readonly explain: 'loopback' | 'off'
  readonly region: string
}

/** The workers of a configuration, as the keeper is to run them. */
export function workerWishes(
  config: Config,
  http: ListenAddress,
  api: ListenAddress,
  nodeNetwork: string | null,
): readonly WorkerWish[] {
  const version = programVersion()
  return Array.from({ length: config.workers }, (_, n) => {
    const settings: WorkerSettings = {
      name: `worker-${n}`,
      home: config.home,
      http,
      cacheBytes: Math.floor(config.cacheMemoryBytes / config.workers),
      diskBytes: Math.floor(config.diskCacheBytes / config.workers),
      allowOrigins: config.allowOrigins,
      trustedProxies: config.trustedProxies,
      geoip: config.geoip,
      ownAddresses: [showAddress(api), showAddress(http), ...(nodeNetwork === null ? [] : [nodeNetwork])],
      movableClock: config.movableClock,
      rfcStrict: config.rfcStrict,
      explain: isLoopback(api.host) && isLoopback(http.host) ? 'loopback' : 'off',
      region: config.region,
    }
    return { name: settings.name, args: ['worker', ...writeSettings(settings)], version }
  })
}

function writeSettings(s: WorkerSettings): readonly string[] {
  return [
    ...['--name', s.name, '--home', s.home, '--host', s.http.host, '--port', String(s.http.port)],
    ...['--cache-bytes', String(s.cacheBytes), '--disk-bytes', String(s.diskBytes)],
    ...['--explain', s.explain, '--region', s.region],
    ...s.trustedProxies.flatMap((cidr) => ['--trusted-proxy', cidr]),
    ...s.geoip.flatMap((path) => ['--geoip', path]),
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
      host: text,
      port: text,
      'cache-bytes': text,
      'disk-bytes': { type: 'string', default: '0' },
      explain: text,
      region: text,
      'allow-origin': list,
      'trusted-proxy': list,
      geoip: list,
      own: list,
      'movable-clock': { type: 'boolean', default: false },
      'rfc-strict': { type: 'boolean', default: false },
    },
  })
  const needed = (name: 'name' | 'home' | 'host' | 'port' | 'cache-bytes' | 'explain' | 'region'): string => {
    const value = values[name]
    if (value === undefined) throw new Error(`the worker was started without --${name}`)
    return value
  }
  return {
    name: needed('name'),
    home: needed('home'),
    http: { host: needed('host'), port: Number(needed('port')) },
    cacheBytes: Number(needed('cache-bytes')),
    diskBytes: Number(values['disk-bytes']),
    allowOrigins: values['allow-origin'],
    trustedProxies: values['trusted-proxy'],
    geoip: values.geoip,
    ownAddresses: values.own,
    movableClock: values['movable-clock'],
    rfcStrict: values['rfc-strict'],
    explain: needed('explain') === 'loopback' ? 'loopback' : 'off',
    region: needed('region'),
  }
}

/** Airport that CloudFront names its POPs by, for the regions people use most; any other is LOC, a place of its own. */
const AIRPORTS: Readonly<Record<string, string>> = {
  'ap-northeast-1': 'NRT',
  'ap-south-1': 'BOM',
  'ap-southeast-1': 'SIN',
  'ap-southeast-2': 'SYD',
  'ca-central-1': 'YUL',
  'eu-central-1': 'FRA',
  'eu-north-1': 'ARN',
  'eu-west-1': 'DUB',
  'eu-west-2': 'LHR',
  'eu-west-3': 'CDG',
  'sa-east-1': 'GRU',
  'us-east-1': 'IAD',
  'us-east-2': 'CMH',
  'us-west-1': 'SFO',
  'us-west-2': 'HIO',
}

export const popOf = (region: string): { readonly name: string; readonly region: string } => ({
  name: `${AIRPORTS[region] ?? 'LOC'}50-C1`,
  region,
})

/** Unix sockets and files of one worker below the home. */
export function workerFiles(paths: HomePaths, name: string) {
  return {
    peerSocket: `${paths.edge}/${name}.sock`,
    snapshot: `${paths.edge}/${name}.snapshot`,
    disk: `${paths.cache}/${name}`,
  } as const
}
