//! AndStatement, OrStatement, NotStatement. The first statement that settles it ends it, as written.

import type { Compile, StatementCompiler, StoredStatement } from '../compile-context.ts'
import { CannotCompile, type CompileContext } from '../compile-context.ts'
import type { Compiled } from '../matcher.ts'

const looksOf = (parts: readonly Compiled[]): number => parts.reduce((all, { looks }) => all | looks, 0)

/** Of no statements AND would match everything. */
function compiled(statements: readonly StoredStatement[], context: CompileContext, compile: Compile): Compiled[] {
  if (statements.length === 0) throw new CannotCompile(`the rule ${context.rule} has a logical statement of nothing`)
  return statements.map((statement) => compile(statement, context))
}

export const and: StatementCompiler<'AndStatement'> = ({ Statements = [] }, context, compile) => {
  const parts = compiled(Statements, context, compile)
  const matchers = parts.map(({ matches }) => matches)
  return {
    looks: looksOf(parts),
    matches(request) {
      for (const matches of matchers) if (!matches(request)) return false
      return true
    },
  }
}

export const or: StatementCompiler<'OrStatement'> = ({ Statements = [] }, context, compile) => {
  const parts = compiled(Statements, context, compile)
  const matchers = parts.map(({ matches }) => matches)
  return {
    looks: looksOf(parts),
    matches(request) {
      for (const matches of matchers) if (matches(request)) return true
      return false
    },
  }
}

export const not: StatementCompiler<'NotStatement'> = ({ Statement: statement }, context, compile) => {
  const { matches, looks } = compile(statement ?? {}, context)
  return { looks, matches: (request) => !matches(request) }
}
