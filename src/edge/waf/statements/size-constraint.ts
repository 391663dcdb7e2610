//! SizeConstraintStatement: how many bytes a field has, behind the transformations.
import type { ComparisonOperator } from '@aws-sdk/client-wafv2'
import { CannotCompile, type StatementCompiler } from '../compile-context.ts'
import { LOOKS } from '../matcher.ts'
import { textStatement } from '../text-statement.ts'

const COMPARE: Readonly<Record<ComparisonOperator, (size: number, to: number) => boolean>> = {
  EQ: (size, to) => size === to,
  GE: (size, to) => size >= to,
  GT: (size, to) => size > to,
  LE: (size, to) => size <= to,
  LT: (size, to) => size < to,
  NE: (size, to) => size !== to,
}

export const sizeConstraint: StatementCompiler<'SizeConstraintStatement'> = (statement, context) => {
  const {
    ComparisonOperator: operator,
    Size: to,
    FieldToMatch: field,
    TextTransformations: transformations,
  } = statement
  const compare = COMPARE[operator]
  if (compare === undefined) throw new CannotCompile(`the ComparisonOperator ${operator} is not built`)
  const compiled = textStatement(statement, context, (text) => compare(text.length, to))
  const { OversizeHandling: handling = 'CONTINUE' } = field.Body ?? {}
  const isWhole = field.Body !== undefined && transformations.every(({ Type }) => Type === 'NONE')
  if (!isWhole || handling !== 'CONTINUE') return compiled
  return {
    looks: LOOKS.body,
    matches(request) {
      // AWS compares what it looks at, and never finds a body larger than that: here the length that was declared counts.
      const bytes = request.body?.bytes ?? null
      return bytes === null ? compiled.matches(request) : compare(bytes, to)
    },
  }
}
