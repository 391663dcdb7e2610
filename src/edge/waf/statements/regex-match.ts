//! RegexMatchStatement and RegexPatternSetReferenceStatement. Expressions run in linear time (re2js), whatever they and the
//! text are; compiled once. They look at bytes: a character that is not ASCII is its UTF-8 bytes, in the text and in the
//! expression.
import { createRequire } from 'node:module'
import type * as Re2 from 're2js'
import { patternBytes } from '../../../domain/waf/pattern-bytes.ts'
import { CannotCompile, type StatementCompiler } from '../compile-context.ts'
import { textStatement } from '../text-statement.ts'

let library: typeof Re2 | null = null

/** Loaded for the first expression: 11 ms of every start otherwise. */
function re2(): typeof Re2 {
  library ??= createRequire(import.meta.url)('re2js') as typeof Re2
  return library
}

export const regexMatch: StatementCompiler<'RegexMatchStatement'> = (statement, context) =>
  textStatement(statement, context, testOf(statement.RegexString, context.rule))

export const regexSetReference: StatementCompiler<'RegexPatternSetReferenceStatement'> = (statement, context) => {
  const { ARN } = statement
  const expressions = context.doc.regexSets[ARN]
  if (expressions === undefined) {
    throw new CannotCompile(`the regex pattern set ${ARN} of the rule ${context.rule} is not there`)
  }
  const tests = expressions.map((expression) => testOf(expression, context.rule))
  return textStatement(statement, context, (text) => tests.some((test) => test(text)))
}

/** @throws CannotCompile */
function testOf(expression: string, rule: string): (text: string) => boolean {
  const { RE2JS } = re2()
  try {
    const compiled = RE2JS.compile(patternBytes(expression))
    return (text) => compiled.test(text)
  } catch (error) {
    throw new CannotCompile(`the regular expression of the rule ${rule} cannot be used: ${(error as Error).message}`)
  }
}
