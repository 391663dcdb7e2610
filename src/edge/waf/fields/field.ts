//! The shape of what reads a field of a request.
import type { FieldToMatch, PreParseTextTransformation } from '@aws-sdk/client-wafv2'
import type { Stored } from '../../../domain/waf/web-acl.ts'
import type { CompileContext } from '../compile-context.ts'
import type { Reader } from '../matcher.ts'

/** `name` tells readers of different things apart. */
export interface NamedReader extends Reader {
  readonly name: string
}

export type FieldCompiler<Name extends keyof FieldToMatch> = (
  field: NonNullable<Stored<FieldToMatch>[Name]>,
  context: CompileContext,
  preParse: readonly Stored<PreParseTextTransformation>[],
) => Reader
