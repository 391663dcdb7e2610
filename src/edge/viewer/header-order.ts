//! The names of a viewer's header fields in their order, for CloudFront-Viewer-Header-Order and -Count: what the viewer
//! sent, also in a request that the edge makes of the viewer's or that another worker was told of.
import type { HeaderBlock } from '../listen/viewer.ts'

/** Key in `HeaderBlock.derived`. */
const ORDER = {}

/** Names joined by colons, without those that speak to the edge itself. */
export function headerOrder(headers: HeaderBlock): string {
  const known = headers.derived.get(ORDER)
  if (known !== undefined) return known as string
  const names = headers.raw.filter((text, at) => at % 2 === 0 && !/^x-cachefront-/i.test(text))
  const order = names.join(':')
  headers.derived.set(ORDER, order)
  return order
}

/** Says what the viewer's own block had; `headers` is made of it. */
export function keepHeaderOrder(headers: HeaderBlock, order: string): void {
  headers.derived.set(ORDER, order)
}

export function headerCount(order: string): number {
  return order === '' ? 0 : order.split(':').length
}
