//! What is done with the body of a request under field-level encryption, by its Content-Type and query string alone
//! (spec/cloudfront.md 12.3). PURE. What AWS does where both speak is unconfirmed: here a request goes on only when both
//! let it.
import { type FieldStatus, FORM_TYPE, PROFILE_ARGUMENT } from '../../domain/field-encryption.ts'
import { formDecoded } from './form.ts'
import type { FieldsPlan, ProfilePlan } from './plan.ts'

export type FieldsChoice =
  | { readonly kind: 'encrypt'; readonly profile: ProfilePlan }
  | { readonly kind: 'forward' | 'refuse'; readonly status: FieldStatus }

/** media-type of RFC 9110 8.3.1. */
const TYPE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(?:;(.*))?$/
/** Without the blanks around it, which a pattern would try to share out in every way. */
const PARAMETER = /^(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"([^"\\]*)"))?$/
/** Encodings in which the ASCII characters of names are their bytes; in another one a name could hide from its pattern. */
const CHARSET = /^(utf-?8|us-ascii|ascii|latin1|iso-8859-\d{1,2}|windows-125\d)$/i
/** What AWS lets a QueryArg have. */
const ARGUMENT = /^[A-Za-z0-9._*+%-]{1,128}$/

export interface AskedBy {
  /** All Content-Type fields. */
  readonly contentTypes: readonly string[]
  /** All Content-Encoding fields. */
  readonly encodings: readonly string[]
  readonly query: string | null
}

export function chooseFields({ doc, byType, byArgument }: FieldsPlan, asked: AskedBy): FieldsChoice {
  const type = mediaType(asked.contentTypes)
  if (type === null) return refuse('MalformedContentTypeClientError')
  const argument = byArgument === null ? undefined : profileArgument(asked.query)
  if (argument === null) return refuse('MalformedQueryArgsClientError')
  const known = byType.has(type) || (type === FORM_TYPE && argument !== undefined)
  if (!known && !doc.forwardsUnknownType) return refuse('RejectedByContentType')
  const named = argument === undefined ? undefined : byArgument?.get(argument)
  if (argument !== undefined && named === undefined && doc.queryArgs?.forwardsUnknown !== true) {
    return refuse('RejectedByQueryArgs')
  }
  if (!known) return forward('ForwardedByContentType')
  if (argument !== undefined && named === undefined) return forward('ForwardedByQueryArgs')
  const profile = type === FORM_TYPE ? (named ?? byType.get(type) ?? null) : null
  if (profile === null) return forward('ForwardedDueToNoProfile')
  // A compressed form hides its fields.
  if (asked.encodings.some((coding) => !/^(?:identity)?$/i.test(coding.trim()))) {
    return refuse('MalformedInputClientError')
  }
  return { kind: 'encrypt', profile }
}

const refuse = (status: FieldStatus): FieldsChoice => ({ kind: 'refuse', status })
const forward = (status: FieldStatus): FieldsChoice => ({ kind: 'forward', status })

/** In lower case, empty when there is none; null for what is no media type, or a form in an encoding of its own. */
function mediaType(fields: readonly string[]): string | null {
  if (fields.length === 0) return ''
  if (fields.length > 1) return null
  const [, name, rest = ''] = TYPE.exec((fields[0] as string).trim()) ?? []
  if (name === undefined) return null
  const type = name.toLowerCase()
  const parameters = rest.split(';').map((text) => PARAMETER.exec(text.trim()))
  // Of other types the parameters are nobody's business here; a quoted one may even have a semicolon.
  if (type !== FORM_TYPE) return type
  for (const parameter of parameters) {
    if (parameter === null) return null
    const [, key, token, text] = parameter
    // `charset*` says the same in the notation of RFC 8187, which some readers take.
    if (/^charset\*?$/i.test(key ?? '') && !CHARSET.test(token ?? text ?? '')) return null
  }
  return type
}

/** Decoded; undefined when there is none, null for an empty one, a misshapen one, and several that differ. */
function profileArgument(query: string | null): string | undefined | null {
  let found: string | undefined
  for (const part of query?.split('&') ?? []) {
    const equals = part.indexOf('=')
    const name = equals < 0 ? part : part.slice(0, equals)
    if (formDecoded(name) !== PROFILE_ARGUMENT) continue
    const sent = equals < 0 ? '' : part.slice(equals + 1)
    const value = ARGUMENT.test(sent) ? formDecoded(sent) : null
    if (value === null || (found !== undefined && found !== value)) return null
    found = value
  }
  return found
}
