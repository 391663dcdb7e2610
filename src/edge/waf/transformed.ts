//! Text transformations put before a statement. What two statements have in common is worked out once for a request.
import type { TextTransformation } from '@aws-sdk/client-wafv2'
import type { Stored } from '../../domain/waf/web-acl.ts'
import { CannotCompile, type CompileContext } from './compile-context.ts'
import type { NamedReader } from './fields/field.ts'
import { TRANSFORM, type Transform } from './transformations/table.ts'

/** In order of priority. @throws CannotCompile */
export function transformed(
  field: NamedReader,
  transformations: readonly Stored<TextTransformation>[],
  context: CompileContext,
): NamedReader {
  const ordered = [...transformations].sort((one, other) => (one.Priority ?? 0) - (other.Priority ?? 0))
  let reader = field
  for (const { Type: type } of ordered) {
    if (type === 'NONE') continue
    const transform = type === undefined ? undefined : TRANSFORM[type]
    if (transform === undefined) throw new CannotCompile(`the text transformation ${type} is not built`)
    reader = then(reader, `${reader.name} ${type}`, transform, context)
  }
  return reader
}

function then(before: NamedReader, name: string, transform: Transform, { shared }: CompileContext): NamedReader {
  const make = () => ({
    looks: before.looks,
    read: (request: Parameters<typeof before.read>[0]) => {
      const reading = before.read(request)
      return typeof reading === 'boolean' ? reading : reading.map(transform)
    },
  })
  return { name, ...shared.reader(name, make) }
}
