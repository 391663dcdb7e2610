//! What the stages ask of a header block on every request, found once for a block and remembered with it.
import { isIP } from 'node:net'
import type { HeaderBlock } from './listen/viewer.ts'

export interface ViewerFacts {
  /** `x-cachefront-explain: 1` came and nothing says that the request passed a proxy (DESIGN 6, explain). */
  readonly wantsExplanation: boolean
  /** Value of `x-cachefront-viewer-address`, under the same rule; null for none. */
  readonly viewerAddress: string | null
  readonly range: boolean
  /** Raw If-None-Match and If-Modified-Since; null when absent. */
  readonly ifNoneMatch: string | null
  readonly ifModifiedSince: string | null
}

const KEY = {}

export function viewerFacts(headers: HeaderBlock): ViewerFacts {
  const known = headers.derived.get(KEY)
  if (known !== undefined) return known as ViewerFacts
  const direct = ['via', 'forwarded', 'x-forwarded-for'].every((name) => headers.get(name) === undefined)
  const address = headers.get('x-cachefront-viewer-address') ?? ''
  const ifNoneMatch = headers.getAll('if-none-match')
  const facts: ViewerFacts = {
    wantsExplanation: direct && headers.get('x-cachefront-explain') === '1',
    viewerAddress: direct && isIP(address) !== 0 ? address : null,
    range: headers.get('range') !== undefined,
    ifNoneMatch: ifNoneMatch.length === 0 ? null : ifNoneMatch.join(', '),
    ifModifiedSince: headers.get('if-modified-since') ?? null,
  }
  headers.derived.set(KEY, facts)
  return facts
}
