//! Arguments of the query string. Their names count encoded and decoded, in any case; of those that come more than once,
//! each. Values are as they were sent: decoding them is a transformation's.
import type { PreParseTextTransformation } from '@aws-sdk/client-wafv2'
import type { Stored } from '../../../domain/waf/web-acl.ts'
import { CannotCompile, type CompileContext } from '../compile-context.ts'
import { LOOKS, type Reader } from '../matcher.ts'
import { urlDecode, urlDecodeUni } from '../transformations/url.ts'

export type PreParse = readonly Stored<PreParseTextTransformation>[]

/** What is done to the query string before it is taken apart. */
const PRE_PARSE: Readonly<Record<PreParseTextTransformation['Type'] & string, (query: string) => string>> = {
  COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA: combined,
  NONE: (query) => query,
  REPLACE_SEMICOLONS_WITH_AMPERSANDS: (query) => query.replaceAll(';', '&'),
  URL_DECODE: urlDecode,
  URL_DECODE_UNI: urlDecodeUni,
}

/** Name, value, name, value ...; an argument without `=` is a name, and what it says is its value, too. */
function argumentsIn(query: string): string[] {
  if (query === '') return []
  const out: string[] = []
  for (const part of query.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    if (equals < 0) out.push(part, part)
    else out.push(part.slice(0, equals), part.slice(equals + 1))
  }
  return out
}

/** `a=1&b=2&a=3` is `a=1,3&b=2`. */
function combined(query: string): string {
  const values = new Map<string, string[]>()
  for (const part of query.split('&')) {
    const equals = part.indexOf('=')
    const name = equals < 0 ? part : part.slice(0, equals)
    const value = equals < 0 ? [] : [part.slice(equals + 1)]
    const before = values.get(name)
    if (before === undefined) values.set(name, value)
    else before.push(...value)
  }
  return [...values].map(([name, all]) => (all.length === 0 ? name : `${name}=${all.join(',')}`)).join('&')
}

/** One for all statements that take the query apart in the same way. */
function argumentsReader(preParse: PreParse, { shared }: CompileContext): Reader {
  const steps = [...preParse].sort((one, other) => one.Priority - other.Priority).map(({ Type }) => Type)
  const functions = steps.map((type) => {
    const step = PRE_PARSE[type]
    if (step === undefined) throw new CannotCompile(`the PreParseTextTransformation ${type} is not built`)
    return step
  })
  return shared.reader(`arguments ${steps.join(' ')}`, () => ({
    looks: LOOKS.other,
    read: ({ query }) => argumentsIn(functions.reduce((text, step) => step(text), query)),
  }))
}

export function allQueryArguments(preParse: PreParse, context: CompileContext): Reader {
  const all = argumentsReader(preParse, context)
  return {
    looks: all.looks,
    read: (request) => (all.read(request) as readonly string[]).filter((_, at) => at % 2 === 1),
  }
}

export function singleQueryArgument(name: string, preParse: PreParse, context: CompileContext): Reader {
  const all = argumentsReader(preParse, context)
  const sought = Buffer.from(name, 'utf8').toString('latin1').toLowerCase()
  const isSought = (sent: string): boolean => sent.toLowerCase() === sought || urlDecode(sent).toLowerCase() === sought
  return {
    looks: all.looks,
    read(request) {
      const pairs = all.read(request) as readonly string[]
      const values: string[] = []
      for (let i = 0; i < pairs.length; i += 2) if (isSought(pairs[i] as string)) values.push(pairs[i + 1] as string)
      return values
    },
  }
}
