//! THE TABLE from FieldToMatch to what reads it.
import type { FieldToMatch } from '@aws-sdk/client-wafv2'
import { PRE_PARSED_FIELDS } from '../../../domain/waf/statements.ts'
import type { Stored } from '../../../domain/waf/web-acl.ts'
import { CannotCompile, type CompileContext } from '../compile-context.ts'
import { LOOKS } from '../matcher.ts'
import { body, jsonBody } from './body-fields.ts'
import type { FieldCompiler, NamedReader } from './field.ts'
import { cookies, headerOrderField, headers, singleHeader } from './header-fields.ts'
import { allQueryArguments, type PreParse, singleQueryArgument } from './query-fields.ts'

const TABLE: { readonly [Name in keyof FieldToMatch]?: FieldCompiler<Name> } = {
  AllQueryArguments: (_, context, preParse) => allQueryArguments(preParse, context),
  Body: body,
  Cookies: cookies,
  HeaderOrder: headerOrderField,
  Headers: headers,
  JsonBody: jsonBody,
  Method: () => ({ looks: LOOKS.other, read: ({ method }) => [method] }),
  QueryString: () => ({ looks: LOOKS.other, read: ({ query }) => [query] }),
  SingleHeader: singleHeader,
  SingleQueryArgument: ({ Name }, context, preParse) => singleQueryArgument(Name, preParse, context),
  UriPath: () => ({ looks: LOOKS.other, read: ({ path }) => [path] }),
}

/** @throws CannotCompile */
export function fieldReader(field: Stored<FieldToMatch>, preParse: PreParse, context: CompileContext): NamedReader {
  const names = (Object.keys(field) as (keyof FieldToMatch)[]).filter((name) => field[name] != null)
  const [name] = names
  if (name === undefined || names.length > 1) {
    throw new CannotCompile(
      `the rule ${context.rule} has a FieldToMatch with ${names.length} fields in the place of one`,
    )
  }
  const compiler = TABLE[name] as FieldCompiler<typeof name> | undefined
  if (compiler === undefined) throw new CannotCompile(`the field ${name} of the rule ${context.rule} is not built`)
  if (preParse.length > 0 && !PRE_PARSED_FIELDS.has(name)) {
    throw new CannotCompile(`the rule ${context.rule} has PreParseTextTransformations, which ${name} cannot have`)
  }
  const key = `${name} ${JSON.stringify(field[name])} ${JSON.stringify(preParse)}`
  return { name: key, ...context.shared.reader(key, () => compiler(field[name] as never, context, preParse)) }
}
