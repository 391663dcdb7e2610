//! A structure of the model as the readers and checks need it: members with their wire names, compiled once a schema.
import type { NormalizedSchema } from '@smithy/core/schema'

export interface Member {
  /** The model's name, which the operation's input has. */
  readonly name: string
  /** The element's or parameter's name on the wire. */
  readonly wireName: string
  readonly schema: NormalizedSchema
  readonly required: boolean
  /** Where restXml puts it; awsQuery puts every member into the form. */
  readonly binding: Binding
}

export type Binding =
  | { readonly in: 'body' }
  | { readonly in: 'payload' }
  | { readonly in: 'label' }
  | { readonly in: 'query'; readonly name: string }
  | { readonly in: 'header'; readonly name: string }

export interface Struct {
  readonly members: readonly Member[]
  readonly byWireName: ReadonlyMap<string, Member>
  /** A list with AWS's count beside it: `Quantity` and `Items`. */
  readonly counted: boolean
}

/** Index of the number of required members in a static structure schema; the required ones come first. */
const REQUIRED_COUNT = 6

const compiled = new WeakMap<object, Struct>()

/** @param schema a structure or union */
export function structOf(schema: NormalizedSchema): Struct {
  const raw = schema.getSchema() as unknown as object
  let struct = compiled.get(raw)
  if (struct === undefined) {
    struct = compile(schema, raw)
    compiled.set(raw, struct)
  }
  return struct
}

function compile(schema: NormalizedSchema, raw: object): Struct {
  const requiredCount = (raw as readonly unknown[])[REQUIRED_COUNT]
  const members: Member[] = []
  for (const [name, member] of schema.structIterator()) {
    members.push({
      name,
      wireName: (member.getMemberTraits().xmlName as string | undefined) ?? name,
      schema: member,
      required: typeof requiredCount === 'number' && members.length < requiredCount,
      binding: bindingOf(member),
    })
  }
  const names = new Set(members.map((member) => member.name))
  return {
    members,
    byWireName: new Map(members.map((member) => [member.wireName, member])),
    counted: names.has('Quantity') && names.has('Items'),
  }
}

function bindingOf(member: NormalizedSchema): Binding {
  const traits = member.getMemberTraits()
  if (traits.httpLabel) return { in: 'label' }
  if (traits.httpPayload) return { in: 'payload' }
  if (traits.httpQuery !== undefined) return { in: 'query', name: traits.httpQuery }
  if (traits.httpHeader !== undefined) return { in: 'header', name: traits.httpHeader.toLowerCase() }
  return { in: 'body' }
}
