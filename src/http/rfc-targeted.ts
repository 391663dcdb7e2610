//! CDN-Cache-Control (RFC 9213): what an origin tells CDNs alone. A valid and non-empty one takes the place of
//! Cache-Control and Expires; any other is as if it were not there.
import { type CacheControl, parseCacheControl, SECONDS_MAX } from './cache-control.ts'
import { type BareItem, parseDictionary } from './rfc-dictionary.ts'

/** Directives with a number, and those without an argument. Their type is part of the syntax (RFC 9213 2.1). */
const NUMBERS = new Set(['max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error'])
const FLAGS = new Set([
  'must-revalidate',
  'must-understand',
  'no-cache',
  'no-store',
  'private',
  'proxy-revalidate',
  'public',
])
/** May have a String that names fields instead. */
const FLAGS_OR_FIELDS = new Set(['no-cache', 'private'])

/** `lines` are all CDN-Cache-Control field lines of an answer. Null when there is none that counts. */
export function parseTargeted(lines: readonly string[]): CacheControl | null {
  if (lines.length === 0) return null
  const members = parseDictionary(lines)
  if (members === null || members.size === 0) return null
  const directives: string[] = []
  for (const [name, item] of members) {
    const directive = directiveOf(name, item)
    // One of another type is not to be made sense of: the field is not valid.
    if (directive === null) return null
    if (directive !== '') directives.push(directive)
  }
  return parseCacheControl([directives.join(', ')])
}

/** As Cache-Control has it; empty for what says nothing; null for a type that the directive cannot have. */
function directiveOf(name: string, item: BareItem): string | null {
  if (NUMBERS.has(name)) {
    if (item.type !== 'integer' || item.value < 0) return null
    return `${name}=${Math.min(item.value, SECONDS_MAX)}`
  }
  if (!FLAGS.has(name)) return ''
  if (item.type === 'boolean') return item.value ? name : ''
  if (item.type !== 'string' || !FLAGS_OR_FIELDS.has(name)) return null
  return `${name}="${item.value.replace(/["\\]/g, '')}"`
}
