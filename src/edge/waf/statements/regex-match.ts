//! RegexMatchStatement and RegexPatternSetReferenceStatement. Expressions run in linear time, whatever they and the text are;
//! compiled once.
import { compilePattern } from '../../../domain/waf/regular-expression.ts'
import { CannotCompile, type StatementCompiler } from '../compile-context.ts'
import { textStatement } from '../text-statement.ts'

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
  try {
    const compiled = compilePattern(expression)
    return (text) => compiled.test(text)
  } catch (error) {
    throw new CannotCompile(`the regular expression of the rule ${rule} cannot be used: ${(error as Error).message}`)
  }
}
