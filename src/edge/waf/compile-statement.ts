//! THE TABLE from the kind of a statement to its compiler. A kind without a row makes its web ACL one that cannot be
//! evaluated; domain/waf/statements.ts says the same to the API.
import type { Statement } from '@aws-sdk/client-wafv2'
import { CannotCompile, type CompileContext, type StatementCompiler, type StoredStatement } from './compile-context.ts'
import type { Compiled } from './matcher.ts'
import { asnMatch } from './statements/asn-match.ts'
import { byteMatch } from './statements/byte-match.ts'
import { geoMatch } from './statements/geo-match.ts'
import { sqliMatch, xssMatch } from './statements/injection.ts'
import { ipSetReference } from './statements/ip-set.ts'
import { labelMatch } from './statements/label-match.ts'
import { and, not, or } from './statements/logical.ts'
import { rateBased } from './statements/rate-based.ts'
import { regexMatch, regexSetReference } from './statements/regex-match.ts'
import { sizeConstraint } from './statements/size-constraint.ts'

const TABLE: { readonly [Name in keyof Statement]?: StatementCompiler<Name> } = {
  AndStatement: and,
  AsnMatchStatement: asnMatch,
  ByteMatchStatement: byteMatch,
  GeoMatchStatement: geoMatch,
  IPSetReferenceStatement: ipSetReference,
  LabelMatchStatement: labelMatch,
  NotStatement: not,
  OrStatement: or,
  RateBasedStatement: rateBased,
  RegexMatchStatement: regexMatch,
  RegexPatternSetReferenceStatement: regexSetReference,
  SizeConstraintStatement: sizeConstraint,
  SqliMatchStatement: sqliMatch,
  XssMatchStatement: xssMatch,
}

/** @throws CannotCompile */
export function compileStatement(statement: StoredStatement, context: CompileContext): Compiled {
  const names = (Object.keys(statement) as (keyof Statement)[]).filter((name) => statement[name] != null)
  const [name] = names
  if (name === undefined || names.length > 1) {
    throw new CannotCompile(`the rule ${context.rule} has ${names.length} statements in the place of one`)
  }
  const compiler = TABLE[name] as StatementCompiler<typeof name> | undefined
  if (compiler === undefined) throw new CannotCompile(`${name} of the rule ${context.rule} is not built`)
  return compiler(statement[name] as never, context, compileStatement)
}
