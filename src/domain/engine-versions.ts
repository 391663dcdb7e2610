//! Engine versions that ElastiCache offers, the families they belong to, and which installed binary serves which of them
//! (spec/elasticache.md 5.1, DESIGN section 5: redis 7.0 and 7.1 by any 7.x, valkey by the same major and minor,
//! memcached 1.6.x by any 1.6). Older versions are known by name, for their families, and driven by nothing here.
import type { CacheEngine } from './cluster.ts'
import { elasticacheFault, invalidValue } from './elasticache-faults.ts'

export interface EngineVersion {
  readonly engine: CacheEngine
  /** As requests and DescribeCacheEngineVersions name it. */
  readonly version: string
  /** Version with the patch that AWS's description names. */
  readonly full: string
  readonly family: string
}

/** Oldest first within an engine. */
export const ENGINE_VERSIONS: readonly EngineVersion[] = [
  { engine: 'memcached', version: '1.4.5', full: '1.4.5', family: 'memcached1.4' },
  { engine: 'memcached', version: '1.4.14', full: '1.4.14', family: 'memcached1.4' },
  { engine: 'memcached', version: '1.4.24', full: '1.4.24', family: 'memcached1.4' },
  { engine: 'memcached', version: '1.4.33', full: '1.4.33', family: 'memcached1.4' },
  { engine: 'memcached', version: '1.4.34', full: '1.4.34', family: 'memcached1.4' },
  { engine: 'memcached', version: '1.5.10', full: '1.5.10', family: 'memcached1.5' },
  { engine: 'memcached', version: '1.5.16', full: '1.5.16', family: 'memcached1.5' },
  { engine: 'memcached', version: '1.6.6', full: '1.6.6', family: 'memcached1.6' },
  { engine: 'memcached', version: '1.6.12', full: '1.6.12', family: 'memcached1.6' },
  { engine: 'memcached', version: '1.6.17', full: '1.6.17', family: 'memcached1.6' },
  { engine: 'memcached', version: '1.6.22', full: '1.6.22', family: 'memcached1.6' },
  { engine: 'redis', version: '2.6.13', full: '2.6.13', family: 'redis2.6' },
  { engine: 'redis', version: '2.8.6', full: '2.8.6', family: 'redis2.8' },
  { engine: 'redis', version: '2.8.19', full: '2.8.19', family: 'redis2.8' },
  { engine: 'redis', version: '2.8.21', full: '2.8.21', family: 'redis2.8' },
  { engine: 'redis', version: '2.8.22', full: '2.8.22', family: 'redis2.8' },
  { engine: 'redis', version: '2.8.23', full: '2.8.23', family: 'redis2.8' },
  { engine: 'redis', version: '2.8.24', full: '2.8.24', family: 'redis2.8' },
  { engine: 'redis', version: '3.2.4', full: '3.2.4', family: 'redis3.2' },
  { engine: 'redis', version: '3.2.6', full: '3.2.6', family: 'redis3.2' },
  { engine: 'redis', version: '3.2.10', full: '3.2.10', family: 'redis3.2' },
  { engine: 'redis', version: '4.0.10', full: '4.0.10', family: 'redis4.0' },
  { engine: 'redis', version: '5.0.0', full: '5.0.0', family: 'redis5.0' },
  { engine: 'redis', version: '5.0.3', full: '5.0.3', family: 'redis5.0' },
  { engine: 'redis', version: '5.0.4', full: '5.0.4', family: 'redis5.0' },
  { engine: 'redis', version: '5.0.5', full: '5.0.5', family: 'redis5.0' },
  { engine: 'redis', version: '5.0.6', full: '5.0.6', family: 'redis5.0' },
  { engine: 'redis', version: '6.0', full: '6.0.5', family: 'redis6.x' },
  { engine: 'redis', version: '6.2', full: '6.2.6', family: 'redis6.x' },
  { engine: 'redis', version: '7.0', full: '7.0.7', family: 'redis7' },
  { engine: 'redis', version: '7.1', full: '7.1.0', family: 'redis7' },
  { engine: 'valkey', version: '7.2', full: '7.2.6', family: 'valkey7' },
  { engine: 'valkey', version: '8.0', full: '8.0.1', family: 'valkey8' },
  { engine: 'valkey', version: '8.1', full: '8.1.0', family: 'valkey8' },
  { engine: 'valkey', version: '8.2', full: '8.2.0', family: 'valkey8' },
  { engine: 'valkey', version: '9.0', full: '9.0.0', family: 'valkey9' },
  { engine: 'valkey', version: '9.1', full: '9.1.0', family: 'valkey9' },
]

/** What a host has installed: engine and full version of the binary. */
export interface Binary {
  readonly engine: string
  readonly version: string
}

/** What a person installs to get an engine. */
const PACKAGES: Readonly<Record<CacheEngine, string>> = {
  redis: 'redis-server',
  valkey: 'valkey-server',
  memcached: 'memcached',
}

/** The oldest version of an engine that Cachefront drives: what is older lacks ACLs, or is not tried. */
const OLDEST_DRIVEN: Readonly<Record<CacheEngine, string>> = { redis: '7.0', valkey: '7.2', memcached: '1.6.6' }

/** How AWS spells an engine in CacheEngineDescription. */
export const ENGINE_DESCRIPTIONS: Readonly<Record<CacheEngine, string>> = {
  redis: 'Redis',
  valkey: 'Valkey',
  memcached: 'memcached',
}

/** Whether a binary may run as that version of its engine. */
export function serves(binary: Binary, engine: CacheEngine, version: string): boolean {
  if (binary.engine !== engine) return false
  const [major, minor] = binary.version.split('.')
  if (engine === 'redis') return major === '7' && (version === '7.0' || version === '7.1')
  if (engine === 'valkey') return `${major}.${minor}` === version
  return major === '1' && minor === '6' && version.startsWith('1.6.')
}

/** The versions that these binaries serve, oldest first within an engine. */
export function servedVersions(binaries: readonly Binary[]): EngineVersion[] {
  return ENGINE_VERSIONS.filter((v) => binaries.some((binary) => serves(binary, v.engine, v.version)))
}

/** @throws InvalidParameterValue when it is not an engine of ElastiCache. */
export function cacheEngine(text: string): CacheEngine {
  const engine = text.trim().toLowerCase()
  if (engine === 'redis' || engine === 'valkey' || engine === 'memcached') return engine
  throw invalidValue(`The engine "${text.slice(0, 40)}" is not valid; it is redis, valkey or memcached.`)
}

/**
 * The version that a request means: the one named, or the newest served one when none is.
 * @throws InvalidParameterValue for a version that AWS does not offer or that no installed binary serves, naming the
 *   package; InsufficientCacheClusterCapacity when the host has no binary of the engine at all.
 */
export function chooseVersion(
  engine: CacheEngine,
  asked: string | undefined,
  binaries: readonly Binary[],
): EngineVersion {
  const installed = binaries.filter((binary) => binary.engine === engine)
  if (installed.length === 0) {
    throw elasticacheFault(
      'InsufficientCacheClusterCapacity',
      `This host has no ${engine} to run nodes with: install the package ${PACKAGES[engine]} ` +
        `(Debian and Ubuntu: apt-get install ${PACKAGES[engine]}), then try again; \`cachefront doctor\` checks it.`,
    )
  }
  const served = servedVersions(installed)
  const have = installed.map((binary) => binary.version).join(', ')
  if (asked === undefined || asked === '') {
    const newest = served.at(-1)
    if (newest !== undefined) return newest
    throw invalidValue(`The installed ${engine} ${have} serves no version that ElastiCache offers.`)
  }
  // AWS's `6.x` is its newest 6.
  const named = engine === 'redis' && asked === '6.x' ? '6.2' : asked
  const known = ENGINE_VERSIONS.find((v) => v.engine === engine && v.version === named)
  const driven = ENGINE_VERSIONS.filter((v) => v.engine === engine)
  const offered = driven.slice(driven.findIndex((v) => v.version === OLDEST_DRIVEN[engine])).map((v) => v.version)
  if (known === undefined) {
    throw invalidValue(
      `EngineVersion ${asked.slice(0, 20)} is not offered for ${engine}; it is one of ${offered.join(', ')}.`,
    )
  }
  if (served.includes(known)) return known
  if (!offered.includes(known.version)) {
    throw invalidValue(
      `${engine} ${asked} is not run here, only its parameter groups exist: the package ${PACKAGES[engine]} serves ` +
        `${offered.join(', ')}; this host has ${have}.`,
    )
  }
  throw invalidValue(
    `No installed binary serves ${engine} ${asked}: this host has ${have}. Install the package ${PACKAGES[engine]} ` +
      `in version ${asked}, or ask for ${served.map((v) => v.version).join(' or ') || 'another engine'}.`,
  )
}

/**
 * EngineVersion as DescribeCacheClusters shows it, with the patch: the running binary's own version where it is of the
 * version asked for, else AWS's patch of that version (redis 7.1 exists at AWS only; the binary is a 7.0 or 7.2).
 */
export function shownVersion(engine: CacheEngine, version: string, binaryVersion: string | null): string {
  if (engine !== 'memcached' && binaryVersion?.startsWith(`${version}.`)) return binaryVersion
  return ENGINE_VERSIONS.find((v) => v.engine === engine && v.version === version)?.full ?? version
}

/** The family of a version that is stored in a record. */
export function familyOf(engine: CacheEngine, version: string): string {
  const known = ENGINE_VERSIONS.find((v) => v.engine === engine && v.version === version)
  return known?.family ?? `${engine}${version.split('.')[0]}`
}
