//! Header fields that a web ACL inserts into a request. Nobody but the web ACL says something under their prefix: those
//! that a viewer sends are dropped, where AWS overwrites those of the same name alone and lets a viewer forge the others.
import { unframedHeaders } from '../listen/header-block.ts'
import type { HeaderBlock } from '../listen/viewer.ts'
import { headerOrder, keepHeaderOrder } from '../viewer/header-order.ts'
import type { HeaderPair } from './plan.ts'

export const INSERTED_PREFIX = 'x-amzn-waf-'

const KEY = {}

interface Known {
  readonly inserts: readonly HeaderPair[]
  readonly block: HeaderBlock
}

/** The block without the viewer's own fields of that prefix, and with these; the same block where that is no change. */
export function withInserted(headers: HeaderBlock, inserts: readonly HeaderPair[]): HeaderBlock {
  const known = headers.derived.get(KEY) as Known | undefined
  if (known !== undefined && (known.inserts === inserts || same(known.inserts, inserts))) return known.block
  const block = made(headers, inserts)
  headers.derived.set(KEY, { inserts, block } satisfies Known)
  return block
}

const same = (one: readonly HeaderPair[], other: readonly HeaderPair[]): boolean =>
  one.length === other.length && one.every(([name, value], at) => other[at]?.[0] === name && other[at]?.[1] === value)

function made(headers: HeaderBlock, inserts: readonly HeaderPair[]): HeaderBlock {
  const { raw } = headers
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    // Origins that hand fields on as variables take `_` for `-`.
    if (!name.toLowerCase().replaceAll('_', '-').startsWith(INSERTED_PREFIX)) kept.push(name, raw[i + 1] as string)
  }
  if (inserts.length === 0 && kept.length === raw.length) return headers
  for (const [name, value] of inserts) kept.push(name, value)
  const block = unframedHeaders(kept, headers.get('host') ?? headers.host)
  keepHeaderOrder(block, headerOrder(headers))
  return block
}
