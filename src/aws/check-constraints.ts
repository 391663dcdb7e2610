//! The constraints that a model has and the SDK's schemas leave out: lengths, ranges, patterns, words. A service brings them
//! as a table by member; what has no row there is the operations' to check.
import type { NormalizedSchema } from '@smithy/core/schema'
import { structOf } from './structs.ts'
import { WireError } from './wire-error.ts'

/** Of characters of a text, entries of a list or a map, or of a number: both ends included. */
export interface Constraint {
  readonly min?: number
  readonly max?: number
  readonly pattern?: RegExp
  readonly words?: ReadonlySet<string>
}

/**
 * By `<structure>.<member>`, or by `<member>` for every structure that has no row of its own; `<member>[]` are the entries of
 * a list, `<member>{}` the keys of a map.
 */
export type ConstraintTable = Readonly<Record<string, Constraint>>

/** Of a value in a message. Characters. */
const SHOWN_CHARS = 100

/** @throws WireError `constraint`, for the first one found, in the words of AWS's front */
export function checkConstraints(value: unknown, schema: NormalizedSchema, table: ConstraintTable, path = ''): void {
  if (typeof value !== 'object' || value === null) return
  if (schema.isStructSchema()) {
    const structure = schema.getName() ?? ''
    for (const { name, schema: member } of structOf(schema).members) {
      const entry = (value as Record<string, unknown>)[name]
      if (entry === undefined) continue
      const inside = path === '' ? lowerFirst(name) : `${path}.member.${lowerFirst(name)}`
      const row = (suffix: string) => table[`${structure}.${name}${suffix}`] ?? table[`${name}${suffix}`]
      checkValue(entry, row(''), inside)
      checkEntries(entry, member, row, inside)
      checkConstraints(entry, member, table, inside)
    }
  } else if (schema.isListSchema()) {
    for (const [at, item] of (value as unknown[]).entries()) {
      checkConstraints(item, schema.getValueSchema(), table, `${path}.${at + 1}`)
    }
  } else if (schema.isMapSchema()) {
    for (const item of Object.values(value)) checkConstraints(item, schema.getValueSchema(), table, path)
  }
}

function checkEntries(
  value: unknown,
  schema: NormalizedSchema,
  row: (suffix: string) => Constraint | undefined,
  path: string,
): void {
  if (schema.isListSchema()) {
    const constraint = row('[]')
    if (constraint === undefined) return
    for (const [at, item] of (value as unknown[]).entries()) checkValue(item, constraint, `${path}.${at + 1}.member`)
  } else if (schema.isMapSchema()) {
    for (const key of Object.keys(value as object)) checkValue(key, row('{}'), `${path}.key`)
  }
}

function checkValue(value: unknown, constraint: Constraint | undefined, path: string): void {
  const broken = constraint === undefined ? null : brokenBy(value, constraint)
  if (broken === null) return
  const shown =
    typeof value === 'string' || typeof value === 'number' ? `'${String(value).slice(0, SHOWN_CHARS)}' ` : ''
  throw new WireError(
    'constraint',
    path,
    `1 validation error detected: Value ${shown}at '${path}' failed to satisfy constraint: Member must ${broken}`,
  )
}

function brokenBy(
  value: unknown,
  { min = 0, max = Number.POSITIVE_INFINITY, pattern, words }: Constraint,
): string | null {
  if (typeof value === 'number') {
    if (value < min) return `have value greater than or equal to ${min}`
    return value > max ? `have value less than or equal to ${max}` : null
  }
  const length = sizeOf(value)
  if (length === null) return null
  if (length < min) return `have length greater than or equal to ${min}`
  if (length > max) return `have length less than or equal to ${max}`
  if (typeof value !== 'string') return null
  if (words !== undefined && !words.has(value)) return `satisfy enum value set: [${[...words].join(', ')}]`
  return pattern === undefined || pattern.test(value) ? null : `satisfy regular expression pattern: ${pattern.source}`
}

function sizeOf(value: unknown): number | null {
  if (typeof value === 'string' || Array.isArray(value)) return value.length
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !(value instanceof Date)
    ? Object.keys(value).length
    : null
}

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)
