//! SqliMatchStatement and XssMatchStatement: attacks in a field, after its text transformations.
import type { Family } from '../../../domain/waf/managed-families.ts'
import { CannotCompile, type CompileContext, type StatementCompiler } from '../compile-context.ts'
import { detectorOf } from '../managed/detectors.ts'
import type { Compiled } from '../matcher.ts'
import { type TextStatement, textsStatement } from '../text-statement.ts'

/**
 * SensitivityLevel LOW, the default, is libinjection alone, which knows a text by the first five of its tokens. HIGH adds
 * the patterns of SQLiExtendedPatterns, which find more, in the middle of a text too, and more that is none.
 */
const SQLI: Readonly<Record<string, readonly Family[]>> = { HIGH: ['sqli', 'sqli-extended'], LOW: ['sqli'] }

export const sqliMatch: StatementCompiler<'SqliMatchStatement'> = (statement, context) => {
  const level = statement.SensitivityLevel ?? 'LOW'
  const families = SQLI[level]
  if (families === undefined) throw new CannotCompile(`the SensitivityLevel ${level} is not built`)
  return finding(families, statement, context)
}

export const xssMatch: StatementCompiler<'XssMatchStatement'> = (statement, context) =>
  finding(['xss'], statement, context)

function finding(families: readonly Family[], statement: TextStatement, context: CompileContext): Compiled {
  const detector = detectorOf(families)
  return textsStatement(statement, context, (texts) => detector.find(texts).length > 0)
}
