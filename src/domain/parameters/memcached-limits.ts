//! PURE: values of a memcached group that the server does not start with together, each fine alone (tried on 1.6.18).
import type { NodeType } from '../node-types.ts'
import { dataBytes, effective, type Overrides } from './directives.ts'
import type { Family } from './parameter.ts'

/** A page of the server's memory, which chunks must divide. Bytes. */
const PAGE_BYTES = 2 ** 20

/** What keeps a node of that type from starting, for a person; null when nothing does. */
export function memcachedProblem(family: Family, overrides: Overrides, node: NodeType): string | null {
  const value = (name: string): number => {
    const parameter = family.parameters.find((p) => p.name === name)
    return parameter === undefined ? 0 : Number(effective(parameter, overrides, node))
  }
  const [item, chunk] = [value('max_item_size'), value('slab_chunk_max')]
  const data = dataBytes(family, overrides, node)
  if (item * 2 > data) {
    return `max_item_size ${item} is more than half of the ${data} bytes that a ${node.name} has for items`
  }
  // Older families have no slab_chunk_max.
  if (chunk === 0) return null
  if (PAGE_BYTES % chunk !== 0) return `slab_chunk_max ${chunk} does not divide ${PAGE_BYTES}`
  return item % chunk === 0 ? null : `max_item_size ${item} is not a multiple of slab_chunk_max ${chunk}`
}
