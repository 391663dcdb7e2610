//! A tree of the wire to a value of the model, driven by the schema. Strict: what the schema does not have is an error,
//! so that nothing a caller sends is silently dropped.
import type { NormalizedSchema } from '@smithy/core/schema'
import { readScalar } from './read-scalar.ts'
import { type Member, structOf } from './structs.ts'
import { WireError } from './wire-error.ts'
import type { Dialect, WireNode } from './wire-node.ts'

/** Names longer than this are cut in messages. */
const NAME_SHOWN_CHARS = 80

/**
 * @param path the names above, for messages
 * @throws WireError `unknown`, `type`, `malformed`
 */
export function readShape(node: WireNode, schema: NormalizedSchema, dialect: Dialect, path: string): unknown {
  if (schema.isStructSchema()) return readStruct(node, schema, dialect, path, structOf(schema).members)
  if (schema.isListSchema()) return readList(node, schema, dialect, path)
  if (schema.isMapSchema()) return readMap(node, schema, dialect, path)
  if (node.children.length > 0) {
    throw new WireError('type', path, `${path} must be a value, not a structure.`)
  }
  return readScalar(node.text, schema, path)
}

/** A structure of which only `members` may occur (restXml keeps some of them out of the body). */
export function readStruct(
  node: WireNode,
  schema: NormalizedSchema,
  dialect: Dialect,
  path: string,
  members: readonly Member[],
): Record<string, unknown> {
  if (node.text.trim() !== '') throw new WireError('type', path, `${path} must be a structure, not text.`)
  const { byWireName } = structOf(schema)
  const value: Record<string, unknown> = {}
  for (const child of node.children) {
    const member = byWireName.get(child.name)
    const inside = join(path, child.name)
    if (member === undefined || !members.includes(member))
      throw new WireError('unknown', inside, `${inside} is not known.`)
    if (Object.hasOwn(value, member.name)) throw new WireError('malformed', inside, `${inside} is given twice.`)
    value[member.name] = readShape(child, member.schema, dialect, inside)
  }
  if (schema.isUnionSchema() && node.children.length !== 1) {
    throw new WireError('type', path, `${path} must have exactly one member.`)
  }
  return value
}

function readList(node: WireNode, schema: NormalizedSchema, dialect: Dialect, path: string): unknown[] {
  const item = schema.getValueSchema()
  const itemName = (item.getMergedTraits().xmlName as string | undefined) ?? 'member'
  return dialect
    .items(node, itemName, path)
    .map((child, index) => readShape(child, item, dialect, `${path}.${itemName}.${index + 1}`))
}

function readMap(node: WireNode, schema: NormalizedSchema, dialect: Dialect, path: string): Record<string, unknown> {
  const value: Record<string, unknown> = Object.create(null)
  for (const entry of dialect.entries(node, path)) {
    const key = entry.children.find((child) => child.name === 'key')
    const content = entry.children.find((child) => child.name === 'value')
    if (key === undefined || content === undefined || entry.children.length !== 2) {
      throw new WireError('malformed', path, `An entry of ${path} needs one key and one value.`)
    }
    if (Object.hasOwn(value, key.text)) throw new WireError('malformed', path, `A key of ${path} is given twice.`)
    value[key.text] = readShape(content, schema.getValueSchema(), dialect, `${path}.entry`)
  }
  return value
}

/** `name` is the caller's own text, bounded here because messages repeat it. */
export function join(path: string, name: string): string {
  const shown = name.length > NAME_SHOWN_CHARS ? `${name.slice(0, NAME_SHOWN_CHARS)}...` : name
  return path === '' ? shown : `${path}.${shown}`
}

/** Lists and maps of XML, wrapped (no list of these services is flattened). */
export const xmlDialect: Dialect = {
  items: (list, itemName, path) => wrapped(list, itemName, path),
  entries: (map, path) => wrapped(map, 'entry', path),
}

function wrapped(node: WireNode, itemName: string, path: string): readonly WireNode[] {
  if (node.text.trim() !== '') throw new WireError('type', path, `${path} must be a list, not text.`)
  for (const child of node.children) {
    if (child.name !== itemName) {
      const inside = join(path, child.name)
      throw new WireError('unknown', inside, `${inside} is not known; the items of ${path} are <${itemName}>.`)
    }
  }
  return node.children
}
