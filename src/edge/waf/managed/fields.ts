//! The parts of a request that managed rules look at, as texts.
import type { ManagedField } from '../../../domain/waf/managed-groups.ts'
import type { Shared } from '../compile-context.ts'
import type { Inspected } from '../inspected.ts'
import { LOOKS, type Reader } from '../matcher.ts'
import { addPairs, bodyTexts } from './body-texts.ts'
import { variants } from './variants.ts'

interface FieldRow {
  /** Bits of LOOKS. */
  readonly looks: number
  /** As they came. */
  readonly texts: (request: Inspected) => readonly string[]
  /** Whether what they decode to is looked at as well. */
  readonly decodes: boolean
}

const FIELDS: Readonly<Record<ManagedField, FieldRow>> = {
  body: { looks: LOOKS.body | LOOKS.headers, decodes: true, texts: bodyOf },
  cookies: { looks: LOOKS.headers, decodes: true, texts: cookiesOf },
  headers: { looks: LOOKS.headers, decodes: true, texts: headersOf },
  host: { looks: LOOKS.headers, decodes: false, texts: ({ headers }) => headers.getAll('host') },
  method: { looks: LOOKS.other, decodes: false, texts: ({ method }) => [method] },
  'query-arguments': { looks: LOOKS.other, decodes: true, texts: queryOf },
  'query-string': { looks: LOOKS.other, decodes: true, texts: queryOf },
  'uri-path': { looks: LOOKS.other, decodes: true, texts: ({ path }) => [path] },
  'user-agent': { looks: LOOKS.headers, decodes: false, texts: ({ headers }) => headers.getAll('user-agent') },
}

/** Of AWS's fields two are the same here: what stands in the query is looked at argument by argument. */
const NAMES: Partial<Readonly<Record<ManagedField, ManagedField>>> = { 'query-string': 'query-arguments' }

/** All of them, with what they decode to; read once for all groups of a web ACL. */
export function managedField(field: ManagedField, shared: Shared): Reader & { readonly name: string } {
  const name = NAMES[field] ?? field
  const { looks, texts, decodes } = FIELDS[name]
  const read = (request: Inspected) => (decodes ? variants(texts(request)) : texts(request))
  return { name, ...shared.reader(`managed field ${name}`, () => ({ looks, read })) }
}

/** Bytes, as sent. */
export const fieldSize: Readonly<Partial<Record<ManagedField, (request: Inspected) => number>>> = {
  body: ({ body }) => body?.bytes ?? 0,
  cookies: ({ headers }) => headers.getAll('cookie').join('; ').length,
  'query-string': ({ query }) => query.length,
  'uri-path': ({ path }) => path.length,
}

function queryOf({ query }: Inspected): string[] {
  const texts: string[] = []
  if (query !== '') addPairs(query, texts)
  return texts
}

function bodyOf({ body, headers }: Inspected): string[] {
  const contentType = headers.get('content-type') ?? ''
  return (body?.texts ?? []).flatMap((text) => bodyTexts(text, contentType))
}

/** Names and values of each cookie. */
function cookiesOf({ headers }: Inspected): string[] {
  const texts: string[] = []
  for (const line of headers.getAll('cookie')) {
    for (const cookie of line.split(';')) {
      const at = cookie.indexOf('=')
      if (at < 0) texts.push(cookie.trim())
      else texts.push(cookie.slice(0, at).trim(), cookie.slice(at + 1).trim())
    }
  }
  return texts
}

/** Values, and all names as one text, for few characters can stand in a name; of Cookie each name and value. */
function headersOf(request: Inspected): string[] {
  const { headers } = request
  const names: string[] = []
  const texts = cookiesOf(request)
  const { raw } = headers
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    names.push(name)
    if (name.toLowerCase() !== 'cookie') texts.push(raw[i + 1] as string)
  }
  texts.push(names.join('\n'))
  return texts
}
