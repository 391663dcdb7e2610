//! What is kept of a request for samples and logs: as the viewer sent it, but with the values of credentials masked (cookies,
//! Authorization, signatures in URLs). AWS shows them; here nobody who may read a log can take up a session with it.
import type { NameValue } from '../../domain/waf/seen.ts'
import { maskHeaders, maskUrl } from '../../observe/trace.ts'
import type { Inspected } from './inspected.ts'

/** Names and values of the header fields, in order; at most `max` of them, each value cut to `valueMax` characters. */
export function seenHeaders({ headers }: Inspected, max: number, valueMax: number): NameValue[] {
  const masked = maskHeaders(headers.raw.slice(0, max * 2))
  const seen: NameValue[] = []
  for (let at = 0; at < masked.length; at += 2)
    seen.push({ name: masked[at] as string, value: (masked[at + 1] as string).slice(0, valueMax) })
  return seen
}

/** Without the question mark. */
export const seenQuery = ({ query }: Inspected): string => maskUrl(`?${query}`).slice(1)

/** `-` where it is not known. */
export function seenCountry(request: Inspected): string {
  try {
    return request.locationOf(request.address).country || '-'
  } catch {
    // Without a database.
    return '-'
  }
}
