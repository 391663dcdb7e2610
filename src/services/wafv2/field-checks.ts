//! The part of a request that a statement looks at, and what is done to it first.
import type { FieldToMatch } from '@aws-sdk/client-wafv2'
import { invalidParameter } from '../../domain/waf/faults.ts'
import { WAF_LIMITS } from '../../domain/waf/limits.ts'
import { PRE_PARSED_FIELDS } from '../../domain/waf/statements.ts'
import type { Stored } from '../../domain/waf/web-acl.ts'
import { given, notOne, overLimit, repeated } from './refusals.ts'

/** @throws WAFInvalidParameterException */
export function checkField(field: Stored<FieldToMatch>, path: string): void {
  if (given(field).length !== 1) throw notOne('FIELD_TO_MATCH', path)
  if (field.JsonBody !== undefined && given(field.JsonBody.MatchPattern).length !== 1) {
    throw notOne('JSON_MATCH_PATTERN', path)
  }
  if (field.Headers !== undefined && given(field.Headers.MatchPattern).length !== 1) {
    throw notOne('HEADER_MATCH_PATTERN', path)
  }
  if (field.Cookies !== undefined && given(field.Cookies.MatchPattern).length !== 1) {
    throw notOne('COOKIE_MATCH_PATTERN', path)
  }
}

/** @throws WAFInvalidParameterException */
export function checkPreParse(
  field: Stored<FieldToMatch>,
  { PreParseTextTransformations: list }: Transformations,
): void {
  if (list === undefined || given(field).every((name) => PRE_PARSED_FIELDS.has(name))) return
  const reason = `PreParseTextTransformations are for ${[...PRE_PARSED_FIELDS].join(' and ')} alone.`
  throw invalidParameter('PRE_PARSE_TEXT_TRANSFORMATION', given(field).join(', '), reason)
}

interface Transformations {
  readonly TextTransformations?: readonly { readonly Priority: number }[]
  readonly PreParseTextTransformations?: readonly { readonly Priority: number }[]
}

/** @throws WAFInvalidParameterException, WAFLimitsExceededException */
export function checkTransformations(part: Transformations, path: string): void {
  for (const list of [part.TextTransformations ?? [], part.PreParseTextTransformations ?? []]) {
    if (list.length > WAF_LIMITS.textTransformations) {
      throw overLimit(`text transformations of ${path}`, WAF_LIMITS.textTransformations)
    }
    const twice = repeated(list.map(({ Priority }) => Priority))
    if (twice === null) continue
    throw invalidParameter(
      'TEXT_TRANSFORMATION',
      `Priority ${twice}`,
      `Two transformations of ${path} have one priority.`,
    )
  }
}
