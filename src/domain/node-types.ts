//! Node types as a vocabulary of limits: the memory that an engine may use. Nothing is reserved on the host; maxmemory is
//! a limit only (spec/elasticache.md 4.1).
import { invalidValue } from './elasticache-faults.ts'

export interface NodeType {
  readonly name: string
  readonly family: string
  /** Bytes: the value of the parameter `maxmemory`, before reserved-memory-percent. */
  readonly maxmemory: number
  readonly vcpus: number
  /** memcached's max_cache_memory, in MiB. */
  readonly memcachedMegabytes: number
}

const GIB = 1024 ** 3
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
  '12xlarge': 48,
  '16xlarge': 64,
  '24xlarge': 96,
}

type Sizes = Readonly<Record<string, number>>

const BURSTABLE: Sizes = { micro: 536870912, small: 1471026299, medium: 3317862236 }
const GENERAL: Sizes = {
  large: 6854542746,
  xlarge: 13891921715,
  '2xlarge': 27966669210,
  '4xlarge': 56116178125,
  '8xlarge': 111325552312,
  '12xlarge': 168715971994,
  '16xlarge': 225000375228,
}
const MEMORY: Sizes = {
  large: 14037181030,
  xlarge: 28261849702,
  '2xlarge': 56711183565,
  '4xlarge': 113609865216,
  '8xlarge': 225000375228,
  '12xlarge': 341206346547,
  '16xlarge': 450000750456,
}
const COMPUTE: Sizes = {
  large: 3317862236,
  xlarge: 6854542746,
  '2xlarge': 13891921715,
  '4xlarge': 27966669210,
  '8xlarge': 56116178125,
  '12xlarge': 84357985997,
  '16xlarge': 113609865216,
}
const GENERAL_8: Sizes = {
  large: 6.79,
  xlarge: 14.18,
  '2xlarge': 29.68,
  '4xlarge': 61.33,
  '8xlarge': 124.65,
  '12xlarge': 187.96,
  '16xlarge': 251.27,
}
const MEMORY_8: Sizes = {
  large: 14.18,
  xlarge: 29.68,
  '2xlarge': 61.33,
  '4xlarge': 124.65,
  '8xlarge': 251.27,
  '12xlarge': 377.9,
  '16xlarge': 504.52,
}
const COMPUTE_8: Sizes = {
  large: 3.1,
  xlarge: 6.79,
  '2xlarge': 14.18,
  '4xlarge': 29.68,
  '8xlarge': 61.33,
  '12xlarge': 92.99,
  '16xlarge': 124.65,
}

/** The old Intel generations have no 8xlarge and 16xlarge, and a 24xlarge of their own. */
function intel(sizes: Sizes, largest: number): Sizes {
  const { '8xlarge': _8, '16xlarge': _16, ...rest } = sizes
  return { ...rest, '24xlarge': largest }
}

/** Published in GiB only; bytes are GiB x 2^30 here (unconfirmed). */
const fromGib = (sizes: Sizes): Sizes =>
  Object.fromEntries(Object.entries(sizes).map(([size, gib]) => [size, Math.floor(gib * GIB)]))

const FAMILIES: Readonly<Record<string, Sizes>> = {
  t3: BURSTABLE,
  t4g: BURSTABLE,
  m5: intel(GENERAL, 337500562842),
  m6g: GENERAL,
  m7g: GENERAL,
  m8g: fromGib(GENERAL_8),
  r5: intel(MEMORY, 682485973811),
  r6g: MEMORY,
  r7g: MEMORY,
  r8g: fromGib(MEMORY_8),
  c7gn: COMPUTE,
  c8gn: fromGib(COMPUTE_8),
}

/** Published for memcached on their own, in MiB; where nothing is published, the engine's maxmemory in MiB. */
const MEMCACHED: Readonly<Record<string, Sizes>> = {
  t4g: { micro: 512, small: 1402, medium: 3164 },
  m6g: {
    large: 6537,
    xlarge: 13248,
    '2xlarge': 26671,
    '4xlarge': 53516,
    '8xlarge': 107000,
    '12xlarge': 160900,
    '16xlarge': 214577,
  },
  r6g: {
    large: 13387,
    xlarge: 26953,
    '2xlarge': 54084,
    '4xlarge': 108347,
    '8xlarge': 214577,
    '12xlarge': 325400,
    '16xlarge': 429154,
  },
}

/** By name, smallest first within a family. */
export const NODE_TYPES: ReadonlyMap<string, NodeType> = new Map(
  Object.entries(FAMILIES).flatMap(([family, sizes]) =>
    Object.entries(sizes).map(([size, maxmemory]) => {
      const name = `cache.${family}.${size}`
      return [
        name,
        {
          name,
          family,
          maxmemory,
          vcpus: VCPUS[size] ?? 2,
          memcachedMegabytes: MEMCACHED[family]?.[size] ?? Math.floor(maxmemory / MIB),
        },
      ] as const
    }),
  ),
)

/** Names that AWS has retired or that need what is not built, with what to take instead. */
const NOT_OFFERED: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^cache\.(t1|m1|m2|m3|c1|r3|t2|m4|r4)\./, 'is of a generation that can no longer be created'],
  [/^cache\.r6gd\./, 'needs data tiering, which the installed engines do not have'],
]

/**
 * The node type of that name.
 * @throws InvalidParameterValue for a name that is unknown or no longer offered.
 */
export function nodeType(name: string): NodeType {
  const known = NODE_TYPES.get(name)
  if (known !== undefined) return known
  const reason = NOT_OFFERED.find(([pattern]) => pattern.test(name))?.[1] ?? 'is not a node type'
  throw invalidValue(`The cache node type ${name} ${reason}; take e.g. cache.t4g.micro or cache.m7g.large.`)
}
