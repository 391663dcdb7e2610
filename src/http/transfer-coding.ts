//! How the end of a response's body is told by its Transfer-Encoding (RFC 9112 6.1, 6.3).

/**
 * `chunked`: chunks alone. `until-close`: none that anybody knows; the body is what comes until the connection closes.
 * `unusable`: the body cannot be had from it, or two readers would not read it alike.
 */
export type BodyEnd = 'chunked' | 'until-close' | 'unusable'

/** Registered codings that would leave an encoded body behind, of which nobody were told (RFC 9112 7.2). */
const ENCODES: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'compress', 'x-compress'])
const TOKENS = /^[\w!#$%&'*+.^`|~-]+([ \t]*,[ \t]*[\w!#$%&'*+.^`|~-]+)*$/

/**
 * `values` are those of the field's lines, at least one. A name that contains `chunked` in any spelling, behind or within
 * others, is read as chunks by some and not by others, which is how answers are split. Parameters, and what is no list of names,
 * are refused as well.
 */
export function bodyEndOf(values: readonly string[]): BodyEnd {
  // Not trim(): it takes off what is no white space in HTTP.
  const codings = values
    .join(',')
    .replace(/^[ \t]+|[ \t]+$/g, '')
    .toLowerCase()
  if (codings === 'chunked') return 'chunked'
  if (codings.includes('chunked') || !TOKENS.test(codings)) return 'unusable'
  return codings.split(/[ \t]*,[ \t]*/).some((coding) => ENCODES.has(coding)) ? 'unusable' : 'until-close'
}
