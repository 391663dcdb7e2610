//! Node types as a vocabulary of limits: the memory that an engine may use. Nothing is reserved on the host; maxmemory is
//! a limit only (spec/elasticache.md 4.1). How many limits a host admits together: domain/node-memory.ts.
import type { CacheEngine } from './cluster.ts'
import { invalidCombination, invalidValue } from './elasticache-faults.ts'

export interface NodeType {
  readonly name: string
  readonly family: string
  /** Bytes: the value of the parameter `maxmemory`, before reserved-memory-percent. */
  readonly maxmemory: number
  readonly vcpus: number
  /** memcached's max_cache_memory, in MiB. */
  readonly memcachedMegabytes: number
  /** redis, valkey: most clients at once. */
  readonly maxclients: number
  /** What keeps new nodes of it from being made, in words that follow its name; null when nothing does. */
  readonly retired: string | null
}

const MIB = 1024 ** 2

const VCPUS: Readonly<Record<string, number>> = {
  micro: 2,
  small: 2,
  medium: 2,
  large: 2,
  xlarge: 4,
  '2xlarge': 8,
  '4xlarge': 16,
  '8xlarge': 32,
  '10xlarge': 40,
  '12xlarge': 48,
  '16xlarge': 64,
  '24xlarge': 96,
}

type Sizes = Readonly<Record<string, number>>

/** Sizes and their numbers, in the order of SIZES from `from` on. */
const SIZES = ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge']
const sizes = (...numbers: readonly number[]): Sizes =>
  Object.fromEntries(numbers.map((number, at) => [SIZES[at] ?? '', number]))

const BURSTABLE: Sizes = { micro: 536870912, small: 1471026299, medium: 3317862236 }
const GENERAL = sizes(6854542746, 13891921715, 27966669210, 56116178125, 111325552312, 168715971994, 225000375228)
const MEMORY = sizes(14037181030, 28261849702, 56711183565, 113609865216, 225000375228, 341206346547, 450000750456)
const COMPUTE = sizes(3317862236, 6854542746, 13891921715, 27966669210, 56116178125, 84357985997, 113609865216)

/** The old Intel generations have no 8xlarge and 16xlarge, and a 24xlarge of their own. */
function intel(all: Sizes, largest: number): Sizes {
  const { '8xlarge': _8, '16xlarge': _16, ...rest } = all
  return { ...rest, '24xlarge': largest }
}

/** Data tiering begins at xlarge. */
function tiered(all: Sizes): Sizes {
  const { large: _large, ...rest } = all
  return rest
}

/**
 * Bytes by family and size, from AWS's table of node-type specific parameters; the sheet's GiB of the 8th generation are
 * these numbers, rounded.
 */
const FAMILIES: Readonly<Record<string, Sizes>> = {
  t2: { micro: 581959680, small: 1665138688, medium: 3461349376 },
  t3: BURSTABLE,
  t4g: BURSTABLE,
  m4: {
    large: 6892593152,
    xlarge: 15328501760,
    '2xlarge': 31889126359,
    '4xlarge': 65257290629,
    '10xlarge': 166047614239,
  },
  m5: intel(GENERAL, 337500562842),
  m6g: GENERAL,
  m7g: GENERAL,
  m8g: sizes(7294178820, 15222495510, 31866224640, 65856864256, 133838143488, 201819422720, 269800701952),
  r4: {
    large: 13201781556,
    xlarge: 26898228839,
    '2xlarge': 54197537997,
    '4xlarge': 108858546586,
    '8xlarge': 218255432090,
    '16xlarge': 437021573120,
  },
  r5: intel(MEMORY, 682485973811),
  r6g: MEMORY,
  r6gd: tiered(MEMORY),
  r7g: MEMORY,
  r8g: sizes(15222495510, 31866224640, 65856864256, 133838143488, 269800701952, 405763260416, 541725818880),
  c7gn: COMPUTE,
  c8gn: sizes(3330020474, 7294178820, 15222495510, 31866224640, 65856864256, 99847503872, 133838143488),
}

const MEMCACHED_GENERAL = sizes(6537, 13248, 26671, 53516, 107000, 160900, 214577)
const MEMCACHED_MEMORY = sizes(13387, 26953, 54084, 108347, 214577, 325400, 429154)

/** max_cache_memory, published on its own, in MiB; where nothing is published, the engine's maxmemory in MiB. */
const MEMCACHED: Readonly<Record<string, Sizes>> = {
  t2: { micro: 555, small: 1588, medium: 3301 },
  t3: { micro: 512, small: 1402, medium: 3364 },
  t4g: { micro: 512, small: 1402, medium: 3164 },
  m4: { large: 6573, xlarge: 11496, '2xlarge': 30412, '4xlarge': 62234, '10xlarge': 158355 },
  m5: intel(MEMCACHED_GENERAL, 321865),
  m6g: MEMCACHED_GENERAL,
  m7g: MEMCACHED_GENERAL,
  r4: { large: 12590, xlarge: 25652, '2xlarge': 51686, '4xlarge': 103815, '8xlarge': 208144, '16xlarge': 416776 },
  r5: intel(MEMCACHED_MEMORY, 650869),
  r6g: MEMCACHED_MEMORY,
  r7g: MEMCACHED_MEMORY,
}

const CLIENTS = { small: 20_000, usual: 65_000 } as const

/** Families of which nothing new can be made, with why. */
const RETIRED: Readonly<Record<string, string>> = {
  t2: 'is of a generation that can no longer be created',
  r6gd: 'needs data tiering, which the installed engines do not have',
}

/** Names of families that AWS has retired altogether. */
const GONE = /^cache\.(t1|m1|m2|m3|c1|r3)\./

function typeOf(family: string, size: string, maxmemory: number): NodeType {
  return {
    name: `cache.${family}.${size}`,
    family,
    maxmemory,
    vcpus: family === 't2' && size !== 'medium' ? 1 : (VCPUS[size] ?? 2),
    memcachedMegabytes: MEMCACHED[family]?.[size] ?? Math.floor(maxmemory / MIB),
    maxclients: size === 'micro' || family === 't2' ? CLIENTS.small : CLIENTS.usual,
    retired: RETIRED[family] ?? null,
  }
}

/** By name, smallest first within a family. */
export const NODE_TYPES: ReadonlyMap<string, NodeType> = new Map(
  Object.entries(FAMILIES).flatMap(([family, all]) =>
    Object.entries(all).map(([size, maxmemory]) => {
      const type = typeOf(family, size, maxmemory)
      return [type.name, type] as const
    }),
  ),
)

/**
 * The node type of that name, for a new node.
 * @throws InvalidParameterValue for a name that is unknown or no longer offered.
 */
export function nodeType(name: string): NodeType {
  const known = NODE_TYPES.get(name)
  if (known !== undefined && known.retired === null) return known
  const reason = known?.retired ?? (GONE.test(name) ? RETIRED.t2 : 'is not a node type')
  throw invalidValue(`The cache node type ${name} ${reason}; take e.g. cache.t4g.micro or cache.m7g.large.`)
}

/** Oldest version of each engine that a family of node types runs; null: none. A family that is not here runs all. */
const OLDEST: Readonly<Record<string, Partial<Readonly<Record<CacheEngine, string | null>>>>> = {
  t4g: { redis: '5.0.6' },
  m6g: { redis: '5.0.6' },
  r6g: { redis: '5.0.6' },
  m7g: { redis: '6.2' },
  r7g: { redis: '6.2' },
  // The same as the others of its generation (unconfirmed).
  c7gn: { redis: '6.2' },
  m8g: { redis: null, valkey: '7.2', memcached: '1.6.6' },
  r8g: { redis: null, valkey: '7.2', memcached: '1.6.6' },
  c8gn: { redis: null, valkey: '7.2', memcached: '1.6.6' },
}

/** @throws InvalidParameterCombination when the node type does not run that version of the engine (spec 4.1). */
export function checkRuns(type: NodeType, engine: CacheEngine, version: string): void {
  const oldest = OLDEST[type.family]?.[engine]
  if (oldest === undefined) return
  if (oldest === null) {
    throw invalidCombination(`The cache node type ${type.name} does not run ${engine}; take one of another generation.`)
  }
  if (!isOlder(version, oldest)) return
  throw invalidCombination(`The cache node type ${type.name} runs ${engine} ${oldest} or newer, not ${version}.`)
}

/** Compares `7.0`, `1.6.17`, `6.x` number by number; a part that is missing, or `x`, is as new as any. */
function isOlder(version: string, other: string): boolean {
  const parts = version.split('.')
  for (const [at, text] of other.split('.').entries()) {
    const part = Number(parts[at])
    if (Number.isNaN(part)) return false
    if (part !== Number(text)) return part < Number(text)
  }
  return false
}
