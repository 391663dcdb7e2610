//! PURE: how much memory the nodes of a host may be promised together. Engines take memory as data arrives and never up
//! front, so that a promise above the host's memory is harmless until it is used: `--node-memory-overcommit` says how far
//! above it may go. The default lets a laptop hold a production-sized topology with little in it; 1 is for a host whose
//! caches are to be filled (docs/parameter-groups.md).
import { elasticacheFault } from './elasticache-faults.ts'

export interface NodeMemory {
  /** What the host has, or its control group allows. Bytes. */
  readonly hostBytes: number
  /** How many times that may be promised. */
  readonly overcommit: number
}

export const OVERCOMMIT = { default: 100, max: 100_000 } as const

/**
 * @param promised bytes that the data of the present nodes may take: maxmemory less what is reserved
 * @param each the same for each of the new nodes
 * @throws InsufficientCacheClusterCapacity when the new nodes would be promised more than there may be
 */
export function checkNodeMemory(promised: number, each: number, count: number, { hostBytes, overcommit }: NodeMemory) {
  const most = hostBytes * overcommit
  if (promised + each * count <= most) return
  throw elasticacheFault(
    'InsufficientCacheClusterCapacity',
    `${count} x ${mib(each)} do not fit: the present nodes may take ${mib(promised)}, and this host admits ${mib(most)} ` +
      `(${mib(hostBytes)} of memory x ${overcommit}). Take a smaller CacheNodeType or fewer nodes, delete caches, or ` +
      'start with a higher --node-memory-overcommit.',
  )
}

const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`
