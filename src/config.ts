//! The only reader of settings: flags, environment, config file, in this order, then the default. One table has them all
//! (docs/configuration.md is printed from it). Nothing is accepted and ignored: what is unknown is refused by name.
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import * as acme from './config-acme.ts'
import { type LogDestinationOption, logDestination, type TopicOption, topic } from './config-destinations.ts'
import { standardPorts } from './config-standard-ports.ts'
import { type Network, networkOf, readTopology } from './config-topology.ts'
import * as parse from './config-values.ts'
import { ConfigError, type ListenAddress } from './config-values.ts'
import { OVERCOMMIT } from './domain/node-memory.ts'
import { QUOTA_ROWS, type Quotas, quotasWith } from './domain/quotas.ts'
import type { SourceNetworks } from './domain/source-networks.ts'
import { POPS_MAX } from './domain/topology.ts'
import { DEFAULT_LIMITS } from './edge/listen/limits.ts'
import type { ProtectionSettings } from './edge/protecting.ts'
import { SHIELD_DEFAULTS } from './edge/shield/limits.ts'

/** Longest CACHEFRONT_HOME: a Unix socket's path has 107 bytes, and the sockets lie below the home. Bytes. */
const HOME_BYTES_MAX = 72
/** Edge workers of one host. */
const WORKERS_MAX = 32
/** Memory tier of the cache, all workers together. MiB. */
const CACHE_MEMORY_MB = { default: 256, min: 8, max: 1_048_576 } as const
/** Disk tier of the cache, all workers together, and what one worker needs at least. MiB. */
const CACHE_DISK_MB = { default: 1024, max: 67_108_864, workerMin: 4 } as const

/** Limits of a worker: what still lets viewers in, and what nobody can mean. */
const CONNECTIONS_MIN = 10
const ORIGIN_REQUESTS_MIN = 4
const LIMIT_MAX = 1_000_000

export interface OptionRow {
  /** Name of the flag without its dashes, and key in the config file. */
  readonly name: string
  /** Environment variable; null for what is a flag (or a key in the file) only. */
  readonly env: string | null
  /** What stands for the value in the help text; null for a switch. */
  readonly argument: string | null
  /** May be given several times (in the environment: separated by commas; in the file: a list). */
  readonly list?: true
  /** In the file an object of names and numbers, elsewhere a list of NAME=N. */
  readonly numbers?: true
  readonly default: string | null
  readonly about: string
}

const row = (name: string, argument: string | null, fallback: string | null, about: string): OptionRow => ({
  name,
  env: `CACHEFRONT_${name.toUpperCase().replaceAll('-', '_')}`,
  argument,
  default: fallback,
  about,
})
const flagOnly = (option: OptionRow): OptionRow => ({ ...option, env: null })

/** Every option of `cachefront up`. */
export const OPTIONS: readonly OptionRow[] = [
  row('home', 'DIR', '~/.cachefront', 'where the state lives (made with mode 0700)'),
  row('api-listen', 'ADDRESS:PORT', '127.0.0.1:4566', 'the AWS API; port 0 takes a free one'),
  row('http-listen', 'ADDRESS:PORT', '127.0.0.1:8080', 'the edge over HTTP; port 0 takes a free one'),
  row(
    'https-listen',
    'ADDRESS:PORT',
    '127.0.0.1:8443',
    'the edge over HTTPS; port 0 takes a free one, none turns it off',
  ),
  row('standard-ports', null, null, 'the edge at ports 80 and 443 of its addresses (docs/listeners.md)'),
  row(
    'user',
    'NAME',
    null,
    'started by root, runs as this user, with the right to ports below 1024 (docs/listeners.md)',
  ),
  row('edge-domain', 'DOMAIN', 'cloudfront.localhost', 'distributions get names below it'),
  row('account-id', 'DIGITS', '123456789012', 'account in every ARN'),
  row('region', 'REGION', 'us-east-1', 'region in every ARN'),
  row(
    'pops',
    'N',
    '1',
    `edge locations of the network, 1-${POPS_MAX}, each at an address of its own (docs/tiers.md); 3 with the sample`,
  ),
  row('workers', 'N', '1', `edge worker processes, 1-${WORKERS_MAX}`),
  row('cache-memory-mb', 'MIB', String(CACHE_MEMORY_MB.default), 'memory for cached objects, all workers together'),
  row(
    'disk-cache-mb',
    'MIB',
    String(CACHE_DISK_MB.default),
    `disk for cached objects below the home, all workers together; 0 turns it off, at least ${CACHE_DISK_MB.workerMin} a worker`,
  ),
  row(
    'address-requests',
    'N',
    String(SHIELD_DEFAULTS.addressRequests),
    'requests a second of one address and worker on the long run; 0 for no limit (docs/shield.md)',
  ),
  row('address-burst', 'N', String(SHIELD_DEFAULTS.addressBurst), 'requests of one address and worker at once'),
  row(
    'connections',
    'N',
    String(DEFAULT_LIMITS.connections),
    'connections of a worker open at once (docs/listeners.md)',
  ),
  row(
    'address-connections',
    'N',
    String(DEFAULT_LIMITS.connectionsPerAddress),
    'connections of one address and worker open at once',
  ),
  row(
    'address-handshakes',
    'N',
    String(DEFAULT_LIMITS.handshakesPerAddress),
    'TLS handshakes of one address and worker under way at once',
  ),
  row(
    'origin-requests',
    'N',
    String(SHIELD_DEFAULTS.originRequests),
    'requests to origins of a worker under way at once; over it misses are refused (docs/shield.md)',
  ),
  row('limit-loopback', null, null, 'addresses of this host have the limits of all others'),
  row('node-network', '127.N.0.0/16', null, 'addresses of cache nodes; the first free one from 127.16.0.0/16'),
  {
    ...flagOnly(
      row('security-group', 'ID=CIDR,...', null, 'a security group of caches: the networks that its clients come from'),
    ),
    list: true,
  },
  {
    ...flagOnly(
      row('subnet', 'ID=CIDR,...', null, 'a subnet of cache subnet groups: the networks that its clients come from'),
    ),
    list: true,
  },
  row(
    'node-memory-overcommit',
    'N',
    String(OVERCOMMIT.default),
    "how many times this host's memory the maxmemory of all cache nodes may add up to (docs/parameter-groups.md)",
  ),
  row('engine-path', 'DIRS', null, 'where engine binaries are looked for, like PATH; PATH and the usual places'),
  row(
    'access-key-id',
    'ID',
    null,
    'access key of an admin of the API, besides those of `cachefront keys` (docs/api-access.md)',
  ),
  row('secret-access-key', 'SECRET', null, 'its secret (better in the environment than as a flag)'),
  row(
    'require-keys',
    null,
    null,
    'callers of the API on this machine have to sign with an access key, too (docs/api-access.md)',
  ),
  { ...row('allow-host', 'NAME', null, 'a host name that the API answers to, besides localhost'), list: true },
  flagOnly(row('bare', null, null, 'without the sample storefront')),
  flagOnly(row('stop-engines', null, null, 'the caches end with the program (they outlive it otherwise)')),
  flagOnly(row('movable-clock', null, null, 'lets `cachefront clock advance` move the time')),
  { ...flagOnly(row('allow-origin', 'CIDR', null, 'origins may have these otherwise refused addresses')), list: true },
  {
    ...row(
      'origin-ca',
      'FILE',
      null,
      'certificates (PEM) that origins may have theirs from, besides public authorities',
    ),
    list: true,
  },
  row(
    'certificate-issuer',
    'local|acme',
    'local',
    "who issues what ACM's RequestCertificate asks for: the installation's own authority, or a public one by ACME (docs/certificates.md)",
  ),
  row(
    'acme-directory',
    'URL',
    null,
    `directory of the ACME server; ${acme.LETS_ENCRYPT} without. To ask for certificates is to agree to its terms`,
  ),
  { ...row('acme-contact', 'MAIL', null, 'address that the authority may write to'), list: true },
  {
    ...row(
      'acme-ca',
      'FILE',
      null,
      'certificates (PEM) that the ACME server may have its own from, besides public ones',
    ),
    list: true,
  },
  row('acme-eab-kid', 'ID', null, 'id of the account that an authority has given out (external account binding)'),
  row('acme-eab-key', 'KEY', null, 'its key, base64url (better in the environment than as a flag)'),
  row(
    'acme-dns-hook',
    'PROGRAM',
    null,
    'puts up TXT records for DNS validation: called with present|cleanup NAME TEXT (docs/lets-encrypt.md)',
  ),
  row(
    'dns-listen',
    'ADDRESS:PORT',
    null,
    'a name server for the edge domain, over UDP and TCP (docs/dns.md); none without',
  ),
  {
    ...row('trusted-proxies', 'CIDR', null, 'proxies in front of the edge whose X-Forwarded-For is believed'),
    list: true,
  },
  {
    ...row(
      'proxy-protocol',
      'CIDR',
      null,
      'proxies in front of the edge that begin each connection with a PROXY header, which is believed (docs/listeners.md)',
    ),
    list: true,
  },
  {
    ...row(
      'dedicated-ips',
      'CIDR',
      null,
      'addresses of this host that distributions with SSLSupportMethod vip get, one each (docs/listeners.md)',
    ),
    list: true,
  },
  {
    ...row(
      'geoip',
      'FILE',
      null,
      "GeoIP databases in MaxMind's format: City or Country, ASN; else those of npm packages",
    ),
    list: true,
  },
  {
    ...row('quotas', 'NAME=N', null, 'raises or lowers a quota of CloudFront (docs/configuration.md)'),
    list: true,
    numbers: true,
  },
  flagOnly(
    row(
      's3-endpoint',
      'URL',
      null,
      'where buckets of S3 origins and of snapshots are reached, path-style (AWS itself otherwise)',
    ),
  ),
  row(
    's3-access-key-id',
    'ID',
    null,
    'key that requests to S3 are signed with: origins with an access control or identity, snapshots',
  ),
  row('s3-secret-access-key', 'SECRET', null, 'its secret (better in the environment than as a flag)'),
  row('s3-region', 'REGION', 'us-east-1', 'region of buckets whose domain name names none'),
  row('key-file', 'FILE', null, 'keys that encrypt snapshots, made at first use (below the home otherwise)'),
  row('kms-endpoint', 'URL', null, 'a KMS, or what speaks as AWS KMS does, with keys that encrypt snapshots'),
  row('kms-key-id', 'KEY', null, 'its key for what names none (the key file otherwise)'),
  row('kms-access-key-id', 'ID', null, 'key that requests to the KMS are signed with'),
  row('kms-secret-access-key', 'SECRET', null, 'its secret (better in the environment than as a flag)'),
  {
    ...flagOnly(
      row(
        'folder',
        'NAME=DIR',
        null,
        'a directory that is the origin, or the bucket of snapshots, NAME.folder.cachefront',
      ),
    ),
    list: true,
  },
  {
    ...row(
      'cache-certificate',
      'NAME=DIR',
      null,
      'tls.crt, tls.key and ca.crt that caches tagged cachefront:certificate=NAME serve (docs/encryption-in-transit.md)',
    ),
    list: true,
  },
  {
    ...row(
      'log-destination',
      'NAME=WHERE',
      null,
      'where a log group or delivery stream of caches leads: file, s3://BUCKET/PREFIX, redis://HOST:PORT/KEY (docs/cache-logs.md)',
    ),
    list: true,
  },
  {
    ...row('topic', 'ARN=URL', null, 'webhook that stands for an SNS topic of caches (docs/cache-logs.md)'),
    list: true,
  },
  row('topic-secret', 'SECRET', null, 'signs what webhooks are sent (better in the environment than as a flag)'),
  row('rfc-strict', null, null, 'every distribution follows RFC 9110 and 9111 where CloudFront departs from them'),
]

/** Variables of the clients and of the program's own roles, which `up` has no option for. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set(['CACHEFRONT_CONFIG', 'CACHEFRONT_ENDPOINT'])

export interface Config {
  /** Absolute. */
  readonly home: string
  readonly apiListen: ListenAddress
  readonly httpListen: ListenAddress
  /** Null for none. */
  readonly httpsListen: ListenAddress | null
  /** Whom root is to become; null for nobody. */
  readonly user: string | null
  readonly edgeDomain: string
  readonly accountId: string
  readonly region: string
  /** POPs and regional edge caches. */
  readonly network: Network
  /** False for the default network; the sample takes one of three POPs then. */
  readonly networkIsGiven: boolean
  readonly workers: number
  /** Memory tier of the edge, all workers together. Bytes. */
  readonly cacheMemoryBytes: number
  /** Disk tier of the edge, all workers together; 0 for none. Bytes. */
  readonly diskCacheBytes: number
  /** Limits of each worker (docs/shield.md). */
  readonly protection: ProtectionSettings
  /** `127.N.0.0/16`; null lets the keeper take the first free one. */
  readonly nodeNetwork: string | null
  /** Security groups and subnets of caches, as the operator defines them. */
  readonly sourceNetworks: SourceNetworks
  /** How many times the host's memory the data of all cache nodes may be promised. */
  readonly nodeMemoryOvercommit: number
  /** Directories in which engine binaries are looked for, in this order. */
  readonly enginePath: readonly string[]
  /** Of an admin, besides the keys of the state. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null
  /** Whether callers of the API on this machine need a known key, too. */
  readonly requireKeys: boolean
  /** Host names that the API answers to besides IP addresses and localhost; lower case. */
  readonly allowHosts: readonly string[]
  readonly bare: boolean
  readonly stopEngines: boolean
  readonly movableClock: boolean
  /** Keys that encrypt snapshots (docs/encryption-at-rest.md). */
  readonly encryption: {
    readonly keyFile: string | null
    readonly kmsEndpoint: parse.EndpointUrl | null
    readonly kmsKeyId: string | null
    readonly kmsKeys: { readonly accessKeyId: string; readonly secretAccessKey: string } | null
  }
  /** Buckets of S3 origins. */
  readonly s3: {
    /** Null for AWS itself. */
    readonly endpoint: parse.EndpointUrl | null
    readonly region: string
    readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string } | null
  }
  readonly folders: readonly parse.FolderOption[]
  /** Log groups and delivery streams that lead elsewhere than to files. */
  readonly logDestinations: readonly LogDestinationOption[]
  readonly topics: readonly TopicOption[]
  /** Null: webhooks get no signature. */
  readonly topicSecret: string | null
  /** Directories of imported certificates for caches. */
  readonly cacheCertificates: readonly parse.FolderOption[]
  /** How certificates are asked for by ACME; null: the installation's own authority issues them. */
  readonly acme: acme.AcmeSettings | null
  /** CIDRs. */
  readonly allowOrigins: readonly string[]
  /** Of the name server of the edge domain; null for none. */
  readonly dnsListen: ListenAddress | null
  /** CIDRs. */
  readonly trustedProxies: readonly string[]
  /** CIDRs. */
  readonly proxyProtocol: readonly string[]
  /** CIDRs. */
  readonly dedicatedIps: readonly string[]
  /** Absolute paths. */
  readonly originAuthorities: readonly string[]
  /** GeoIP databases, absolute. */
  readonly geoip: readonly string[]
  /** Every distribution is in strict mode, whatever its tags. */
  readonly rfcStrict: boolean
  /** AWS's, but for those that were given. */
  readonly quotas: Quotas
}

/** Values as they were given: by flag name. `config` is the file. */
export type Flags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads and checks all settings of `up`.
 * @throws ConfigError with one line for a person.
 */
export function readConfig(flags: Flags, environment: Environment): Config {
  refuseUnknownVariables(environment)
  const file = readConfigFile(flags, environment)
  const given = settings(flags, environment, file)
  const value = <T>(name: string, check: (text: string, name: string) => T): T => {
    const found = given.get(name)
    const text = found?.values.at(-1) ?? OPTIONS.find((o) => o.name === name)?.default ?? ''
    return check(text, found?.from ?? `--${name}`)
  }
  const optional = <T>(name: string, check: (text: string, name: string) => T): T | null =>
    given.has(name) ? value(name, check) : null
  const list = <T>(name: string, check: (text: string, name: string) => T): readonly T[] => {
    const found = given.get(name)
    return (found?.values ?? []).map((text) => check(text.trim(), found?.from ?? ''))
  }
  const region = value('region', parse.region)
  const named = networkIn(file, given)
  const network = named ?? networkOf(value('pops', parse.integer(1, POPS_MAX)), region)
  const config: Config = {
    home: value('home', (text, name) => parse.path(text, name, homedir(), HOME_BYTES_MAX)),
    apiListen: value('api-listen', parse.listenAddress),
    ...(given.has('standard-ports')
      ? standardPorts(given.get('http-listen'), given.get('https-listen'))
      : {
          httpListen: value('http-listen', parse.listenAddress),
          httpsListen: value('https-listen', parse.listenAddressOrNone),
        }),
    user: optional('user', parse.systemUser),
    edgeDomain: value('edge-domain', parse.domain),
    accountId: value('account-id', parse.accountId),
    region,
    network,
    networkIsGiven: named !== null || given.has('pops'),
    workers: value('workers', parse.integer(1, WORKERS_MAX)),
    cacheMemoryBytes: value('cache-memory-mb', parse.integer(CACHE_MEMORY_MB.min, CACHE_MEMORY_MB.max)) * 1024 * 1024,
    diskCacheBytes: value('disk-cache-mb', parse.integer(0, CACHE_DISK_MB.max)) * 1024 * 1024,
    protection: {
      addressRequests: value('address-requests', parse.integer(0, LIMIT_MAX)),
      addressBurst: value('address-burst', parse.integer(1, LIMIT_MAX)),
      connections: value('connections', parse.integer(CONNECTIONS_MIN, LIMIT_MAX)),
      addressConnections: value('address-connections', parse.integer(1, LIMIT_MAX)),
      addressHandshakes: value('address-handshakes', parse.integer(1, LIMIT_MAX)),
      originRequests: value('origin-requests', parse.integer(ORIGIN_REQUESTS_MIN, LIMIT_MAX)),
      limitLoopback: given.has('limit-loopback'),
    },
    nodeNetwork: optional('node-network', parse.nodeNetwork),
    sourceNetworks: {
      securityGroups: new Map(list('security-group', parse.namedNetworks('sg'))),
      subnets: new Map(list('subnet', parse.namedNetworks('subnet'))),
    },
    nodeMemoryOvercommit: value('node-memory-overcommit', parse.integer(1, OVERCOMMIT.max)),
    enginePath: enginePath(optional('engine-path', parse.anyText), environment),
    credentials: credentials(optional('access-key-id', parse.anyText), optional('secret-access-key', parse.anyText)),
    requireKeys: given.has('require-keys'),
    allowHosts: list('allow-host', parse.hostName),
    bare: given.has('bare'),
    stopEngines: given.has('stop-engines'),
    movableClock: given.has('movable-clock'),
    acme: acmeSettings(value('certificate-issuer', parse.oneOf(['local', 'acme'])), given, {
      directory: optional('acme-directory', acme.acmeDirectory) ?? acme.LETS_ENCRYPT,
      contacts: list('acme-contact', acme.mailAddress),
      authorities: list('acme-ca', parse.file),
      external: acme.externalAccount(optional('acme-eab-kid', parse.anyText), optional('acme-eab-key', acme.hmacKey)),
      dnsHook: optional('acme-dns-hook', acme.program),
    }),
    allowOrigins: list('allow-origin', parse.cidr),
    dnsListen: optional('dns-listen', parse.listenAddress),
    trustedProxies: list('trusted-proxies', parse.cidr),
    proxyProtocol: list('proxy-protocol', parse.cidr),
    dedicatedIps: list('dedicated-ips', parse.cidr),
    originAuthorities: list('origin-ca', parse.file),
    geoip: list('geoip', parse.file),
    rfcStrict: given.has('rfc-strict'),
    s3: {
      endpoint: optional('s3-endpoint', parse.endpointUrl),
      region: value('s3-region', parse.region),
      keys: credentials(
        optional('s3-access-key-id', parse.anyText),
        optional('s3-secret-access-key', parse.anyText),
        'S3_',
      ),
    },
    encryption: {
      keyFile: optional('key-file', parse.anyText),
      kmsEndpoint: optional('kms-endpoint', parse.endpointUrl),
      kmsKeyId: optional('kms-key-id', parse.anyText),
      kmsKeys: credentials(
        optional('kms-access-key-id', parse.anyText),
        optional('kms-secret-access-key', parse.anyText),
        'KMS_',
      ),
    },
    folders: list('folder', parse.folder),
    logDestinations: list('log-destination', logDestination),
    topics: list('topic', topic),
    topicSecret: optional('topic-secret', parse.anyText),
    cacheCertificates: list('cache-certificate', parse.folder),
    quotas: quotasWith(Object.fromEntries(list('quotas', quota))),
  }
  checkTogether(config)
  return config
}

/** Home of the installation that a client command speaks to: --home, then CACHEFRONT_HOME, then the default. */
export function readHome(home: string | undefined, environment: Environment): string {
  const text = home ?? environment.CACHEFRONT_HOME ?? '~/.cachefront'
  return parse.path(text, home === undefined ? 'CACHEFRONT_HOME' : '--home', homedir(), HOME_BYTES_MAX)
}

/** Directories in which client commands look for engine binaries: as `up` would by the same environment. */
export function engineSearchPath(environment: Environment): readonly string[] {
  return enginePath(environment.CACHEFRONT_ENGINE_PATH ?? null, environment)
}

/** Version of the program, from its package.json (one directory up, from src/ and from dist/). */
export function programVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

interface Given {
  readonly values: readonly string[]
  /** Where it was said, for the error message. */
  readonly from: string
}

/** What was said, by option name. A switch that is off is not in it. */
function settings(flags: Flags, environment: Environment, file: ConfigFile): Map<string, Given> {
  const given = new Map<string, Given>()
  for (const option of OPTIONS) {
    const flag = flags[option.name]
    const variable = option.env === null ? undefined : environment[option.env]
    const entry = file.content[option.name]
    const found: Given | undefined =
      flag !== undefined
        ? { values: textsOf(flag), from: `--${option.name}` }
        : variable !== undefined && variable !== ''
          ? { values: option.list ? variable.split(',') : [variable], from: option.env ?? '' }
          : entry !== undefined
            ? { values: textsOf(entry), from: `"${option.name}" in ${file.name}` }
            : undefined
    const off = option.argument === null && found !== undefined && !isOn(found)
    if (found !== undefined && !off) given.set(option.name, found)
  }
  return given
}

/** Of a switch. @throws ConfigError for what is neither true nor false: a 0 must not switch it on. */
function isOn({ values: [value], from }: Given): boolean {
  if (value === 'true' || value === 'false') return value === 'true'
  throw new ConfigError(`${from} is ${JSON.stringify(value)}: it must be true or false.`)
}

function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String)
  const isObject = typeof value === 'object' && value !== null
  return isObject ? Object.entries(value).map(([name, number]) => `${name}=${number}`) : [String(value)]
}

interface ConfigFile {
  readonly name: string
  readonly content: Readonly<Record<string, unknown>>
}

/** What no flag can say. */
const TOPOLOGY = 'topology'

function readConfigFile(flags: Flags, environment: Environment): ConfigFile {
  const file = (flags.config as string | undefined) ?? environment.CACHEFRONT_CONFIG
  if (file === undefined) return { name: '', content: {} }
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new ConfigError(`The config file ${file} cannot be read: ${(error as Error).message}`)
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new ConfigError(`The config file ${file} must hold one JSON object, like {"http-listen": "127.0.0.1:8080"}.`)
  }
  for (const [name, value] of Object.entries(content)) {
    if (name === TOPOLOGY) continue
    const option = OPTIONS.find((o) => o.name === name)
    if (option === undefined) {
      throw new ConfigError(`The config file ${file} has "${name}", which is no option; see \`cachefront up --help\`.`)
    }
    const shape = shapeOf(option)
    if (!shape.fits(value)) throw new ConfigError(`"${name}" in ${file} must be ${shape.about}.`)
  }
  return { name: file, content: content as Record<string, unknown> }
}

/** Null unless the file names it. */
function networkIn({ name, content }: ConfigFile, given: ReadonlyMap<string, Given>): Network | null {
  if (content[TOPOLOGY] === undefined) return null
  const pops = given.get('pops')
  if (pops !== undefined) {
    throw new ConfigError(
      `${pops.from} and "${TOPOLOGY}" in ${name} both say which POPs there are: give one of the two.`,
    )
  }
  return readTopology(content[TOPOLOGY], `"${TOPOLOGY}" in ${name}`)
}

/** What the value of an option is in the config file. */
function shapeOf({ argument, list, numbers }: OptionRow): { about: string; fits: (value: unknown) => boolean } {
  const isPlain = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number'
  if (argument === null) return { about: 'true or false', fits: (value) => typeof value === 'boolean' }
  if (numbers === true) {
    const about = 'an object of names and numbers'
    return { about, fits: (value) => typeof value === 'object' && value !== null && !Array.isArray(value) }
  }
  if (list === true) return { about: 'a string or a list', fits: (value) => isPlain(value) || Array.isArray(value) }
  return { about: 'a string or a number', fits: isPlain }
}

/** `NAME=N` of a quota. */
function quota(text: string, from: string): readonly [string, number] {
  const [name = '', number = ''] = text.split(/=(.*)/s)
  const found = QUOTA_ROWS.find(([known]) => known === name)
  if (found === undefined) {
    const names = QUOTA_ROWS.map(([known]) => known).join(', ')
    throw new ConfigError(`${from} has ${JSON.stringify(name)}, which is no quota; there are ${names}.`)
  }
  return [name, parse.integer(0, found[1].max)(number, `${name} in ${from}`)]
}

function refuseUnknownVariables(environment: Environment): void {
  const known = new Set(OPTIONS.map((option) => option.env))
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('CACHEFRONT_') || known.has(name) || OTHER_VARIABLES.has(name)) continue
    throw new ConfigError(`The environment has ${name}, which is no option; see \`cachefront up --help\`.`)
  }
}

function enginePath(given: string | null, environment: Environment): readonly string[] {
  const usual = ['/usr/local/bin', '/usr/bin', '/usr/local/sbin', '/usr/sbin', '/opt/homebrew/bin']
  const text = given ?? [environment.PATH ?? '', ...usual].join(':')
  return [...new Set(text.split(':').filter(isAbsolute))]
}

function credentials(id: string | null, secret: string | null, prefix = ''): Config['credentials'] {
  if (id === null && secret === null) return null
  if (id !== null && secret !== null) return { accessKeyId: id, secretAccessKey: secret }
  const [has, lacks] = id === null ? ['SECRET_ACCESS_KEY', 'ACCESS_KEY_ID'] : ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY']
  throw new ConfigError(
    `CACHEFRONT_${prefix}${has} is set and CACHEFRONT_${prefix}${lacks} is not: set both, or neither.`,
  )
}

/** Options of ACME say nothing to another issuer. */
function acmeSettings(
  issuer: 'local' | 'acme',
  given: ReadonlyMap<string, Given>,
  settings: acme.AcmeSettings,
): acme.AcmeSettings | null {
  if (issuer === 'acme') return settings
  const unused = [...given].find(([name]) => name.startsWith('acme-'))
  if (unused === undefined) return null
  const [, { from }] = unused
  throw new ConfigError(`${from} is for certificates by ACME: say --certificate-issuer acme, or leave it out.`)
}

function mustHaveOwnNames(option: string, directories: readonly parse.FolderOption[]): void {
  const names = directories.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice === undefined) return
  throw new ConfigError(`--${option} names ${twice} twice: give each directory a name of its own.`)
}

function checkTogether(config: Config): void {
  mustHaveOwnNames('folder', config.folders)
  mustHaveOwnNames('cache-certificate', config.cacheCertificates)
  const diskMin = CACHE_DISK_MB.workerMin * config.workers
  if (config.diskCacheBytes > 0 && config.diskCacheBytes < diskMin * 1024 * 1024) {
    throw new ConfigError(
      `--disk-cache-mb must be at least ${diskMin} for ${config.workers} ${config.workers === 1 ? 'worker' : 'workers'}, or 0 for no disk cache.`,
    )
  }
  const { securityGroups, subnets } = config.sourceNetworks
  if (config.user !== null && securityGroups.size + subnets.size > 0) {
    throw new ConfigError(
      'The filters of --security-group and --subnet need rights that --user gives up: leave out the one or the other.',
    )
  }
  refuseSamePort('The API', config.apiListen, 'the edge', config.httpListen, '--http-listen')
  if (config.httpsListen === null) return
  refuseSamePort('The API', config.apiListen, 'the edge over HTTPS', config.httpsListen, '--https-listen')
  refuseSamePort('The edge over HTTP', config.httpListen, 'over HTTPS', config.httpsListen, '--https-listen')
}

function refuseSamePort(who: string, one: ListenAddress, whom: string, other: ListenAddress, flag: string): void {
  if (one.port === 0 || one.port !== other.port || !sameHost(one.host, other.host)) return
  throw new ConfigError(`${who} and ${whom} cannot both listen on port ${one.port}: choose another ${flag}.`)
}

function sameHost(one: string, other: string): boolean {
  const any = (host: string): boolean => host === '0.0.0.0' || host === '::'
  return one === other || (any(one) && isIP(other) !== 0) || (any(other) && isIP(one) !== 0)
}

/** The sockets and files below the home. */
export function homePaths(home: string) {
  return {
    state: join(home, 'state.db'),
    lock: join(home, 'control.lock'),
    /** Addresses of the running installation, for the client commands. */
    installation: join(home, 'installation.json'),
    /** How far the movable clock was moved. */
    clock: join(home, 'clock.json'),
    /** Keys for S3 origins, for the workers (roles/s3-keys.ts). */
    s3Keys: join(home, 's3-keys.json'),
    /** Ports that were taken for port 0, kept over restarts. */
    ports: join(home, 'ports.json'),
    /** Of tokens for `cachefront explain` beyond loopback (roles/explain-key.ts). */
    explainKey: join(home, 'explain.key'),
    /** What wraps the secrets of access keys in the state. */
    accessKeys: join(home, 'keys', 'access-keys.json'),
    keeperSocket: join(home, 'keeper.sock'),
    feedSocket: join(home, 'feed.sock'),
    keeper: join(home, 'keeper'),
    edge: join(home, 'edge'),
    /** Objects on disk, a directory for each worker. */
    cache: join(home, 'cache'),
    /** The certificate authority of this installation and what it issued. */
    tls: join(home, 'tls'),
    /** Keys of accounts at ACME servers. */
    acme: join(home, 'acme'),
    logs: join(home, 'logs'),
    controlLog: join(home, 'logs', 'control.log'),
    /** Changes through the API (observe/audit-log.ts). */
    auditLog: join(home, 'logs', 'audit.log'),
  } as const
}

export type HomePaths = ReturnType<typeof homePaths>
