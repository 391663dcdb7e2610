//! THE TABLE from FieldToMatch to what reads it.
import type { FieldToMatch, PreParseTextTransformation } from '@aws-sdk/client-wafv2'
import type { Stored } from '../../../domain/waf/web-acl.ts'
import { CannotCompile, type CompileContext } from '../compile-context.ts'
import { LOOKS } from '../matcher.ts'
import type { FieldCompiler, NamedReader } from './field.ts'
import { singleHeader } from './header-fields.ts'

const TABLE: { readonly [Name in keyof FieldToMatch]?: FieldCompiler<Name> } = {
  Method: () => ({ looks: LOOKS.other, read: ({ method }) => [method] }),
  QueryString: () => ({ looks: LOOKS.other, read: ({ query }) => [query] }),
  SingleHeader: singleHeader,
  UriPath: () => ({ looks: LOOKS.other, read: ({ path }) => [path] }),
}

/** @throws CannotCompile */
export function fieldReader(
  field: Stored<FieldToMatch>,
  preParse: readonly Stored<PreParseTextTransformation>[],
  context: CompileContext,
): NamedReader {
  const names = (Object.keys(field) as (keyof FieldToMatch)[]).filter((name) => field[name] != null)
  const [name] = names
  if (name === undefined || names.length > 1) {
    throw new CannotCompile(
      `the rule ${context.rule} has a FieldToMatch with ${names.length} fields in the place of one`,
    )
  }
  const compiler = TABLE[name] as FieldCompiler<typeof name> | undefined
  if (compiler === undefined) throw new CannotCompile(`the field ${name} of the rule ${context.rule} is not built`)
  if (preParse.some(({ Type }) => Type !== 'NONE')) throw new CannotCompile('PreParseTextTransformations are not built')
  const key = `${name} ${JSON.stringify(field[name])} ${JSON.stringify(preParse)}`
  return { name: key, ...context.shared.reader(key, () => compiler(field[name] as never, context)) }
}
