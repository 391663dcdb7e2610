//! What all statements that look for something in a text have in common: a field, transformations, and a test.
import type { FieldToMatch, PreParseTextTransformation, TextTransformation } from '@aws-sdk/client-wafv2'
import type { Stored } from '../../domain/waf/web-acl.ts'
import type { CompileContext } from './compile-context.ts'
import { fieldReader } from './fields/field-reader.ts'
import type { Compiled } from './matcher.ts'
import { transformed } from './transformed.ts'

export interface TextStatement {
  readonly FieldToMatch?: Stored<FieldToMatch> | undefined
  readonly TextTransformations?: readonly Stored<TextTransformation>[] | undefined
  readonly PreParseTextTransformations?: readonly Stored<PreParseTextTransformation>[] | undefined
}

/**
 * Matches when one of the texts of the field passes the test; a field that the request does not have has none. `test` gets
 * one character a byte.
 * @throws CannotCompile
 */
export const textStatement = (
  statement: TextStatement,
  context: CompileContext,
  test: (text: string) => boolean,
): Compiled =>
  textsStatement(statement, context, (texts) => {
    for (const text of texts) if (test(text)) return true
    return false
  })

/** As textStatement, for a test that looks at all texts of the field together. */
export function textsStatement(
  statement: TextStatement,
  context: CompileContext,
  test: (texts: readonly string[]) => boolean,
): Compiled {
  const field = fieldReader(statement.FieldToMatch ?? {}, statement.PreParseTextTransformations ?? [], context)
  const { read, looks } = transformed(field, statement.TextTransformations ?? [], context)
  return context.shared.remembered({
    looks,
    matches(request) {
      const reading = read(request)
      return typeof reading === 'boolean' ? reading : test(reading)
    },
  })
}
