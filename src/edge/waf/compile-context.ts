//! What the compilers of statements are given, and what the statements of one web ACL share.
import type { Statement } from '@aws-sdk/client-wafv2'
import type { Stored, WebAclDoc } from '../../domain/waf/web-acl.ts'
import type { HeaderSlots } from './inspected.ts'
import { type Compiled, LOOKS, type Reader } from './matcher.ts'

export interface CompileContext {
  readonly doc: WebAclDoc
  /** Of the labels of its rules, and of labels that they name without one: `awswaf:123456789012:webacl:NAME:`. */
  readonly labelPrefix: string
  /** Name of the rule that the statement is of. */
  readonly rule: string
  /** GroupPlan.id of the group that the rule is in; null for a rule of the web ACL itself. */
  readonly group: string | null
  readonly shared: Shared
}

export type StoredStatement = Stored<Statement>
export type Compile = (statement: StoredStatement, context: CompileContext) => Compiled
/** `compile` is compileStatement: for the statements within one. */
export type StatementCompiler<Name extends keyof Statement> = (
  statement: NonNullable<StoredStatement[Name]>,
  context: CompileContext,
  compile: Compile,
) => Compiled

/** A document says something that this edge does not have, or that makes no sense. */
export class CannotCompile extends Error {}

export class Shared implements HeaderSlots {
  readonly #readers = new Map<string, Reader>()
  /** Set by the first statement that asks where an address is. */
  locates = false
  #headerSlots = 0

  get count(): number {
    return this.#headerSlots
  }

  /** One reader for all that want to know the same; what it has read is remembered for the request. */
  reader(key: string, make: () => Reader): Reader {
    const known = this.#readers.get(key)
    if (known !== undefined) return known
    const { read, looks } = make()
    const slot = this.#readers.size
    const reader: Reader = {
      looks,
      read(request) {
        const { readings } = request
        let reading = readings[slot]
        if (reading === undefined) {
          reading = read(request)
          readings[slot] = reading
        }
        return reading
      },
    }
    this.#readers.set(key, reader)
    return reader
  }

  /** What a statement says of a header block is remembered with the block, as far as it looks at nothing else. */
  remembered({ matches, looks }: Compiled): Compiled {
    if (looks !== LOOKS.headers) return { matches, looks }
    const slot = this.#headerSlots++
    return {
      looks,
      matches: (request) => {
        const results = request.headerResults(this)
        const known = results[slot]
        if (known !== 0) return known === 2
        const found = matches(request)
        results[slot] = found ? 2 : 1
        return found
      },
    }
  }
}
