//! RateBasedStatement: more requests with the same keys than the limit within the window. Counting is all it does with a
//! request: what it has not counted (out of scope, without one of the keys) does not match.

import { createHash } from 'node:crypto'
import type { RateBasedStatementCustomKey, TextTransformation } from '@aws-sdk/client-wafv2'
import type { Stored } from '../../../domain/waf/web-acl.ts'
import { CannotCompile, type CompileContext, type StatementCompiler } from '../compile-context.ts'
import type { NamedReader } from '../fields/field.ts'
import { fieldReader } from '../fields/field-reader.ts'
import type { Inspected, RateAct } from '../inspected.ts'
import { type Compiled, LOOKS } from '../matcher.ts'
import type { RateRule } from '../peer-question.ts'
import { transformed } from '../transformed.ts'
import { firstForwarded } from './forwarded-ip.ts'

type Statement = NonNullable<Parameters<StatementCompiler<'RateBasedStatement'>>[0]>
type CustomKey = Stored<RateBasedStatementCustomKey>

/** AWS's limits (API_RateBasedStatement). */
export const RATE_LIMIT_MIN = 10
export const RATE_LIMIT_MAX = 2_000_000_000
const WINDOWS: readonly number[] = [60, 120, 300, 600]
const WINDOW_SECONDS = 300
/** A key that is longer is counted by its digest. Characters. */
const KEY_MAX = 96

/** Null: the request lacks it, and is not counted. A boolean: the fallback decides, without counting. */
type KeyOf = (request: Inspected) => string | boolean | null

interface KeyPart {
  readonly of: KeyOf
  /** As the log names it; `secret` values are not told. */
  readonly key: string
  readonly name?: string
  readonly secret?: true
  readonly looks: number
}

export const rateBased: StatementCompiler<'RateBasedStatement'> = (statement, context, compile) => {
  const { Limit: limit = 0, EvaluationWindowSec: windowSeconds = WINDOW_SECONDS } = statement
  if (!(limit >= RATE_LIMIT_MIN && limit <= RATE_LIMIT_MAX))
    throw new CannotCompile(`the rule ${context.rule} has a Limit of ${limit}`)
  if (!WINDOWS.includes(windowSeconds))
    throw new CannotCompile(`the rule ${context.rule} has an EvaluationWindowSec of ${windowSeconds}`)
  const scope = statement.ScopeDownStatement === undefined ? null : compile(statement.ScopeDownStatement, context)
  const { limitKey, parts } = keyOf(statement, context, scope)
  const rule: RateRule = { id: rateRuleId(statement, context), limit, windowMs: windowSeconds * 1_000 }
  const name = context.rule
  return {
    looks: LOOKS.other | (scope?.looks ?? 0) | parts.reduce((all, { looks }) => all | looks, 0),
    matches(request) {
      if (scope !== null && !scope.matches(request)) return false
      const values: string[] = []
      for (const { of } of parts) {
        const value = of(request)
        if (value === null || typeof value === 'boolean') return value ?? false
        values.push(value)
      }
      if (!request.countRate(rule, joined(values))) return false
      const seen = parts.map(({ key, name: of, secret }, at) => ({
        key,
        ...(of === undefined ? {} : { name: of }),
        value: secret ? '***' : (values[at] as string),
      }))
      request.rates.push({ rule: name, limitKey, limit, windowSeconds, values: seen })
      return true
    },
  }
}

/** Each use of a statement counts by itself; when it changes, counting begins anew (API_RateBasedStatement). */
function rateRuleId(statement: Statement, { doc, group, rule }: CompileContext): string {
  const digest = createHash('sha256').update(JSON.stringify(statement)).digest('base64url').slice(0, 16)
  return `${rateRulePrefix(doc.arn, group, rule)}${digest}`
}

/** What the ids of a rule's counters begin with, whatever its statement is. */
export const rateRulePrefix = (webAclArn: string, group: string | null, rule: string): string =>
  `${webAclArn}\n${group ?? ''}\n${rule}\n`

function keyOf(
  statement: Statement,
  context: CompileContext,
  scope: Compiled | null,
): { readonly limitKey: RateAct['limitKey']; readonly parts: readonly KeyPart[] } {
  switch (statement.AggregateKeyType) {
    case 'IP':
      return { limitKey: 'IP', parts: [IP] }
    case 'FORWARDED_IP':
      return { limitKey: 'FORWARDEDIP', parts: [forwarded(statement, context)] }
    case 'CONSTANT':
      if (scope === null) throw new CannotCompile(`the rule ${context.rule} needs a ScopeDownStatement`)
      return { limitKey: 'CONSTANT', parts: [] }
    case 'CUSTOM_KEYS': {
      const keys = statement.CustomKeys ?? []
      if (keys.length < 1 || keys.length > 5)
        throw new CannotCompile(`the rule ${context.rule} has ${keys.length} CustomKeys in the place of 1 to 5`)
      return { limitKey: 'CUSTOMKEYS', parts: keys.map((key) => customKey(key, statement, context)) }
    }
    default:
      throw new CannotCompile(`the AggregateKeyType ${statement.AggregateKeyType} is not built`)
  }
}

const IP: KeyPart = { key: 'IP', looks: LOOKS.other, of: ({ address }) => address }

function forwarded({ ForwardedIPConfig: config }: Statement, { rule }: CompileContext): KeyPart {
  if (config === undefined) throw new CannotCompile(`the rule ${rule} needs a ForwardedIPConfig`)
  return { key: 'FORWARDEDIP', looks: LOOKS.headers, of: firstForwarded(config) }
}

type KeyCompiler<Name extends keyof CustomKey> = (
  key: NonNullable<CustomKey[Name]>,
  context: CompileContext,
  statement: Statement,
) => KeyPart

/** THE TABLE of what a rule may count by; domain/waf/statements.ts says the same to the API. */
const CUSTOM_KEYS: { readonly [Name in keyof CustomKey]?: KeyCompiler<Name> } = {
  ASN: (_, __, statement) => {
    const { ForwardedIPConfig: config } = statement
    const address: KeyOf = config === undefined ? IP.of : firstForwarded(config)
    const of: KeyOf = (request) => {
      const found = address(request)
      return typeof found === 'string' ? String(request.systemOf(found)) : found
    }
    return { key: 'ASN', looks: LOOKS.other, of }
  },
  Cookie: ({ Name = '', TextTransformations = [] }, context) => {
    const key = `cookie ${JSON.stringify(Name)}`
    const reader = { name: key, ...context.shared.reader(key, () => cookieReader(Name)) }
    return { key: 'COOKIE', name: Name, secret: true, ...text(reader, TextTransformations, context) }
  },
  ForwardedIP: (_, context, statement) => forwarded(statement, context),
  HTTPMethod: () => ({ key: 'HTTP_METHOD', looks: LOOKS.other, of: ({ method }) => method }),
  Header: ({ Name = '', TextTransformations = [] }, context) => {
    const secret = SECRET_HEADERS.has(Name.toLowerCase()) ? ({ secret: true } as const) : {}
    const reader = fieldReader({ SingleHeader: { Name } }, [], context)
    return { key: 'HEADER', name: Name, ...secret, ...text(reader, TextTransformations, context) }
  },
  IP: () => IP,
  LabelNamespace: ({ Namespace = '' }, { labelPrefix }) => {
    const begins = (label: string): boolean => label.startsWith(Namespace) || label.startsWith(labelPrefix + Namespace)
    const of: KeyOf = ({ labels }) => {
      const found = labels.filter(begins)
      return found.length === 0 ? null : found.sort().join()
    }
    return { key: 'LABEL_NAMESPACE', name: Namespace, looks: LOOKS.other, of }
  },
  QueryArgument: ({ Name = '', TextTransformations = [] }, context) => {
    const reader = fieldReader({ SingleQueryArgument: { Name } }, [], context)
    return { key: 'QUERY_ARGUMENT', name: Name, ...text(reader, TextTransformations, context) }
  },
  QueryString: ({ TextTransformations = [] }, context) => ({
    key: 'QUERY_STRING',
    ...text(fieldReader({ QueryString: {} }, [], context), TextTransformations, context),
  }),
  UriPath: ({ TextTransformations = [] }, context) => ({
    key: 'URI_PATH',
    ...text(fieldReader({ UriPath: {} }, [], context), TextTransformations, context),
  }),
}

const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-amz-security-token',
  'x-api-key',
])

function customKey(key: CustomKey, statement: Statement, context: CompileContext): KeyPart {
  const names = (Object.keys(key) as (keyof CustomKey)[]).filter((name) => key[name] != null)
  const [name] = names
  if (name === undefined || names.length > 1)
    throw new CannotCompile(`the rule ${context.rule} has a custom key of ${names.length} in the place of one`)
  const compiler = CUSTOM_KEYS[name] as KeyCompiler<typeof name> | undefined
  if (compiler === undefined) throw new CannotCompile(`the custom key ${name} of the rule ${context.rule} is not built`)
  return compiler(key[name] as never, context, statement)
}

/** All values of what came more than once are one key: their order and number tell requests apart, too. */
function text(
  field: NamedReader,
  transformations: readonly Stored<TextTransformation>[],
  context: CompileContext,
): Pick<KeyPart, 'of' | 'looks'> {
  const { read, looks } = transformed(field, transformations, context)
  const of: KeyOf = (request) => {
    const reading = read(request)
    if (typeof reading === 'boolean') return reading
    return reading.length === 0 ? null : reading.join('\n')
  }
  return { of, looks }
}

/** Values of a cookie by its name, as the viewer sent them. */
const cookieReader = (name: string) => ({
  looks: LOOKS.headers,
  read: ({ headers }: Inspected): readonly string[] =>
    headers.getAll('cookie').flatMap((line) =>
      line.split(';').flatMap((pair) => {
        const equals = pair.indexOf('=')
        return equals >= 0 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : []
      }),
    ),
})

/** Values that are different together are different keys, whatever characters they have. */
function joined(values: readonly string[]): string {
  const key = values.length === 1 ? (values[0] as string) : values.map((value) => `${value.length}:${value}`).join('|')
  return key.length <= KEY_MAX ? key : `#${createHash('sha256').update(key, 'latin1').digest('base64url')}`
}
