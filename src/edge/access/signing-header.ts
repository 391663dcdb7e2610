//! The cookies that sign in a viewer's header block: read, and taken out, so that no policy keys or forwards them. Both are
//! remembered with the block, which a connection repeats.
import type { HeaderBlock } from '../listen/viewer.ts'
import { withoutCookies } from '../without-cookies.ts'
import { SIGNING_COOKIES, type SignedMaterial, signedCookies } from './signed-material.ts'

const MATERIAL = {}
const WITHOUT = {}

/** Null when no cookie signs. */
export function signingCookies(headers: HeaderBlock): SignedMaterial | null {
  const known = headers.derived.get(MATERIAL)
  if (known !== undefined) return known as SignedMaterial | null
  const material = signedCookies(headers.getAll('cookie'))
  headers.derived.set(MATERIAL, material)
  return material
}

const NAMED = SIGNING_COOKIES.map((name) => `${name}=`)

/** The block without them; itself when it has none. */
export function withoutSigning(headers: HeaderBlock): HeaderBlock {
  const known = headers.derived.get(WITHOUT)
  if (known !== undefined) return known as HeaderBlock
  const isMeant = (pair: string): boolean => NAMED.some((start) => pair.startsWith(start))
  const some = headers.getAll('cookie').some((cookie) => NAMED.some((start) => cookie.includes(start)))
  const block = some ? withoutCookies(headers, isMeant) : headers
  headers.derived.set(WITHOUT, block)
  return block
}
