//! The constraints that the SDK's schemas carry: required members, and AWS's `Quantity` beside `Items`. Lengths, ranges
//! and patterns are not in the schemas; they are the operations'.
import type { NormalizedSchema } from '@smithy/core/schema'
import { join } from './read-shape.ts'
import { structOf } from './structs.ts'
import { WireError } from './wire-error.ts'

/**
 * @param fractions names of the members that need not be whole numbers; the SDK's schemas do not tell them apart
 * @throws WireError `missing`, `quantity` or `type`, for the first one found
 */
export function checkShape(
  value: unknown,
  schema: NormalizedSchema,
  path: string,
  fractions: ReadonlySet<string>,
): void {
  if (value === undefined || value === null) return
  if (schema.isStructSchema()) checkStruct(value as Record<string, unknown>, schema, path, fractions)
  else if (schema.isListSchema()) {
    const item = schema.getValueSchema()
    for (const [index, entry] of (value as unknown[]).entries()) {
      checkShape(entry, item, `${path}.${index + 1}`, fractions)
    }
  } else if (schema.isMapSchema()) {
    for (const entry of Object.values(value)) checkShape(entry, schema.getValueSchema(), `${path}.entry`, fractions)
  } else if (typeof value === 'number' && !Number.isInteger(value) && !fractions.has(schema.getMemberName())) {
    throw new WireError('type', path, `${path} must be a whole number.`)
  }
}

function checkStruct(
  value: Record<string, unknown>,
  schema: NormalizedSchema,
  path: string,
  fractions: ReadonlySet<string>,
): void {
  const struct = structOf(schema)
  // First, for a list whose Items are required: a Quantity without them disagrees with them.
  if (struct.counted) checkQuantity(value, path)
  for (const member of struct.members) {
    const inside = join(path, member.wireName)
    const entry = value[member.name]
    if (member.required && entry === undefined) {
      // A payload is the whole body and a header is known by the header's name.
      const problem = member.binding.in === 'payload' ? 'no-body' : 'missing'
      const named = member.binding.in === 'header' ? member.binding.name : inside
      const what = problem === 'no-body' ? 'The request needs a body' : `${named} is required`
      throw new WireError(problem, named, `${what}.`)
    }
    checkShape(entry, member.schema, inside, fractions)
  }
}

function checkQuantity({ Quantity, Items }: Record<string, unknown>, path: string): void {
  const items = Array.isArray(Items) ? Items.length : 0
  if (Quantity === undefined || Quantity === items) return
  throw new WireError('quantity', path, `${path}.Quantity is ${String(Quantity)} and there are ${items} Items.`)
}
