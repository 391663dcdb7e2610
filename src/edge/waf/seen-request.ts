//! What is kept of a request for samples and logs: as the viewer sent it, but with the values of credentials masked (cookies,
//! Authorization, signatures in URLs). AWS shows them; here nobody who may read a log can take up a session with it.
import type { NameValue } from '../../domain/waf/seen.ts'
import { maskHeaders, maskUrl } from '../../observe/trace.ts'
import type { Inspected } from './inspected.ts'

/**
 * Names and values of the header fields, in order: at most `max` of them, each value cut to `valueMax` characters, and no more
 * once they have `lengthMax` together.
 */
export function seenHeaders(
  { headers }: Inspected,
  max: number,
  valueMax: number,
  lengthMax = Number.POSITIVE_INFINITY,
): NameValue[] {
  const masked = maskHeaders(headers.raw.slice(0, max * 2))
  const seen: NameValue[] = []
  let length = 0
  for (let at = 0; at < masked.length && length < lengthMax; at += 2) {
    const [name, value] = [(masked[at] as string).slice(0, valueMax), (masked[at + 1] as string).slice(0, valueMax)]
    seen.push({ name, value })
    length += name.length + value.length
  }
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
