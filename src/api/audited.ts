//! What of a call the audit log names: ids and names of the resources, from the input or the output. A list of what may be
//! there, not of what may not: an input holds passwords, tokens, private keys. Pure.
import type { NormalizedSchema } from '@smithy/core/schema'
import { structOf } from '../aws/structs.ts'

/** Members whose values tell which resource is meant. Not CallerReference: callers put anything there, whole keys too. */
const IDENTIFIER = /(?:^|[a-z])(?:Id|Ids|Name|Names|Arn|ARN|Arns)$|^(?:Id|Name|ARN|Arn|Resource|Scope|Role)$/
/** Named like an identifier, and none, or a secret. */
const NEVER =
  /(?:AuthToken|Token|Password|Secret|Passphrase|PrivateKey|HeaderName|CookieName|ParameterName|ParameterValue)/
/** Structures inside each other that are looked into; a distribution's id lies two deep in the answer. */
const DEPTH_MAX = 2
const NAMED_MAX = 20
const VALUE_CHARS_MAX = 256

/** By the member's path (`Distribution.Id`); a list as its items with commas. */
export function identifiersIn(value: unknown, schema: NormalizedSchema): Record<string, string> {
  const named: Record<string, string> = {}
  if (schema.isStructSchema()) collect(value, schema, '', 0, named)
  return named
}

function collect(
  value: unknown,
  schema: NormalizedSchema,
  path: string,
  depth: number,
  named: Record<string, string>,
): void {
  if (typeof value !== 'object' || value === null) return
  for (const { name, schema: inner } of structOf(schema).members) {
    const content = (value as Record<string, unknown>)[name]
    if (content === undefined || NEVER.test(name) || isSensitive(inner)) continue
    const inside = path === '' ? name : `${path}.${name}`
    if (inner.isStructSchema()) {
      if (depth < DEPTH_MAX) collect(content, inner, inside, depth + 1, named)
      continue
    }
    const text = textOf(content)
    if (text === null || !IDENTIFIER.test(name) || Object.keys(named).length >= NAMED_MAX) continue
    named[inside] = text.slice(0, VALUE_CHARS_MAX)
  }
}

const isSensitive = (schema: NormalizedSchema): boolean => Boolean(schema.getMergedTraits().sensitive)

function textOf(content: unknown): string | null {
  if (typeof content === 'string') return content
  if (!Array.isArray(content) || !content.every((one) => typeof one === 'string')) return null
  return content.join(',')
}

/** Members of a local route's body that say what it is about. */
const LOCAL = ['name', 'role', 'key', 'id', 'pop', 'state', 'distribution', 'snapshot', 'engines', 'advanceMs'] as const

/** Of a route of `/_cachefront`: what its `*` stands for, and of its body what is an identifier. */
export function localIdentifiers(rest: string, body: unknown): Record<string, string> {
  const named: Record<string, string> = rest === '' ? {} : { path: rest.slice(0, VALUE_CHARS_MAX) }
  if (typeof body !== 'object' || body === null) return named
  for (const name of LOCAL) {
    const value = (body as Record<string, unknown>)[name]
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      named[name] = String(value).slice(0, VALUE_CHARS_MAX)
    }
  }
  return named
}
