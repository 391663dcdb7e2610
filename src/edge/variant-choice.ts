//! Which variant of a key a request selects, and where an answer with Vary is put: strict mode only (cache/variants.ts).
//! Fields count with the values that the origin is sent, for nothing else can have made a difference to its answer.
import { allValues } from '../http/headers.ts'
import { parseVary, soleLanguage } from '../http/vary.ts'
import type { Answer } from './cache/flight.ts'
import { invalidationUri, keyedEncoding } from './cache/key.ts'
import { INDEX, type ObjectMeta, type StoredObject } from './cache/object.ts'
import {
  languageText,
  listsIn,
  packIndex,
  type SelectingFields,
  selects,
  unpackIndex,
  type VariantIndex,
  variantKey,
  variantText,
  wantedLanguageText,
  withVariant,
} from './cache/variants.ts'
import type { Edge } from './edge.ts'
import type { Exchange } from './exchange.ts'
import { headerPairs } from './origin/answer.ts'
import { canDiffer, originHeaders } from './origin/forward.ts'
import { forwardedRequest } from './origin/forwarded.ts'
import type { BehaviorPlan } from './snapshot/snapshot.ts'

/** The key that all variants of what `x` asks for share. */
const primaryKey = (x: Exchange): string => (x.indexKey === '' ? x.key : x.indexKey)

/**
 * The key of the variant that `x` selects by the index at its key: of several that match the most recent one
 * (RFC 9111 4.1). When none does, one in the language that the request prefers to all others, for that is what it would
 * get, whatever else it accepts; at last the key that an answer like the newest one would have.
 */
export function selectVariant(x: Exchange, edge: Edge, index: StoredObject): string {
  const { texts, wanted } = selectionBy(index.variant, x)
  let newest: StoredObject | null = null
  for (const text of texts) {
    const object = edge.store.get(variantKey(index.key, text))
    if (object !== null && (newest === null || object.bornAt > newest.bornAt)) newest = object
  }
  if (newest === null && wanted.length > 0) newest = inWantedLanguage(edge, index, wanted)
  return newest?.key ?? variantKey(index.key, texts[0] as string)
}

function inWantedLanguage(edge: Edge, index: StoredObject, wanted: readonly string[]): StoredObject | null {
  let newest: StoredObject | null = null
  for (const { variant, language } of unpackIndex(index).variants) {
    if (!wanted.includes(language)) continue
    const object = edge.store.get(variantKey(index.key, variant))
    if (object !== null && (newest === null || object.bornAt > newest.bornAt)) newest = object
  }
  return newest
}

/** What a request selects by each list of fields of an index. */
interface Selection {
  /** variantText for each list. */
  readonly texts: readonly string[]
  /** languageText for each list in which languages select, by the language of choice. */
  readonly wanted: readonly string[]
}

/** Selections remembered with one header block. */
const REMEMBERED_MAX = 8

/** Found once for a header block: later requests of the connection that repeat it cost a look into a map. */
function selectionBy(lists: string, x: Exchange): Selection {
  const { headers, httpVersion, method } = x.request
  // Of these two something else than the headers decides what the origin is sent.
  if (httpVersion === '1.0' || method === 'OPTIONS') return makeSelection(lists, x)
  const { forward } = x.behavior as BehaviorPlan
  let known = headers.derived.get(forward) as Map<string, Selection> | undefined
  if (known === undefined || known.size >= REMEMBERED_MAX) {
    known = new Map()
    headers.derived.set(forward, known)
  }
  // What the origin is told of the place that asks it is among the fields, too.
  const by = x.place.keyPrefix + lists
  let selection = known.get(by)
  if (selection === undefined) {
    selection = makeSelection(lists, x)
    known.set(by, selection)
  }
  return selection
}

function makeSelection(lists: string, x: Exchange): Selection {
  const fields = fieldsOf(x)
  const all = listsIn({ variant: lists })
  return {
    texts: all.map((names) => variantText(names, fields)),
    wanted: all.map((names) => wantedLanguageText(names, fields)).filter((text) => text !== ''),
  }
}

/** True when a request that waits for a fetch may read along: its fields select the answer too. */
export const mayShare = (x: Exchange, answer: Answer): boolean =>
  answer.variant === '' || selects(answer.variant, fieldsOf(x))

/** Begins the lookup anew: the index may say something else now. */
export function lookAgain(x: Exchange): void {
  x.key = primaryKey(x)
  x.indexKey = ''
}

/**
 * Says where a fetched answer that may be kept lies, and puts the exchange there: `x.key` becomes its key, the index at
 * the primary one tells of it. An answer without Vary lies at the primary key, where it takes the index's place. One that
 * no other request can select is not kept.
 */
export function placeAnswer(x: Exchange, edge: Edge, answer: Answer): Answer {
  const names = selectingNames(x, answer)
  if (names === null) return { ...answer, notStored: 'vary-star' }
  const primary = primaryKey(x)
  const fields = fieldsOf(x)
  const variant = variantText(names, fields)
  const key = variant === '' ? primary : variantKey(primary, variant)
  if (variant !== '') {
    const language = soleLanguage(allValues(headerPairs(answer.head), 'content-language'))
    tellIndex(x, edge, primary, answer, { variant, language: languageText(names, fields, language) })
  }
  x.indexKey = variant === '' ? '' : primary
  x.key = key
  return { ...answer, variant }
}

function tellIndex(
  x: Exchange,
  edge: Edge,
  primary: string,
  answer: Answer,
  added: { readonly variant: string; readonly language: string },
): void {
  const there = edge.store.get(primary)
  const known = there !== null && there.status === INDEX.variants ? unpackIndex(there) : null
  const change = withVariant(known, added)
  // Under a newer revision it is written again: who sweeps out what an invalidation has killed would take it along.
  if (change === null && there !== null && there.asOf >= answer.asOf) return
  const { index, left } = change ?? { index: known as VariantIndex, left: [] }
  for (const variant of left) edge.store.delete(variantKey(primary, variant))
  x.variantsDropped += left.length
  const { variant, body } = packIndex(index)
  edge.store.put(primary, indexMeta(x, edge, answer, variant), [body])
}

/** An index is no answer: it is never served, so that no time or validator is of interest but how old it may get. */
function indexMeta(x: Exchange, edge: Edge, answer: Answer, variant: string): ObjectMeta {
  const { key, policy } = x.behavior as BehaviorPlan
  const now = edge.clock.now()
  const until = now + policy.maxTtl * 1_000
  return {
    status: INDEX.variants,
    head: '',
    distributionId: key.distributionId,
    uri: invalidationUri(key, x.path, x.request.query),
    contentType: '',
    etag: '',
    lastModified: '',
    bornAt: now,
    freshUntil: until,
    staleUntil: until,
    swrUntil: until,
    ttlSource: answer.ttlSource,
    asOf: answer.asOf,
    tags: '',
    variant,
  }
}

/**
 * Names of the answer's Vary by which requests of one primary key can differ at all; null when no request selects it
 * again. What is part of the key, and what never reaches the origin, is the same for all of them.
 */
function selectingNames(x: Exchange, answer: Answer): readonly string[] | null {
  const { key, forward } = x.behavior as BehaviorPlan
  const names = parseVary(allValues(headerPairs(answer.head), 'vary'))
  if (names === null) return null
  const open = names.filter((name) => {
    if (key.headers.includes(name) || key.generated.some((header) => header.name.toLowerCase() === name)) return false
    // Keyed in its normalized form (spec 4.4), in which no header at all and one without these codings are the same.
    if (name === 'accept-encoding' && (key.gzip || key.brotli)) return keyedEncoding(key, x.request) === ''
    if (name === 'host' && key.host) return false
    if (name === 'cookie' && key.cookies.kind === 'all') return false
    return canDiffer(forward, name)
  })
  return open.includes(NAME_OF_REQUEST) ? null : open
}

/** Each request's own: no two have it in common. */
const NAME_OF_REQUEST = 'x-amz-cf-id'

/** What the origin is sent, made when it is first asked for. */
function fieldsOf(x: Exchange): SelectingFields {
  let lines: Map<string, string[]> | null = null
  return (name) => {
    if (lines === null) {
      lines = new Map()
      const { forward } = x.behavior as BehaviorPlan
      const sent = originHeaders(forward, forwardedRequest(x, true))
      for (let i = 0; i < sent.length; i += 2) {
        const lower = (sent[i] as string).toLowerCase()
        const values = lines.get(lower)
        if (values === undefined) lines.set(lower, [sent[i + 1] as string])
        else values.push(sent[i + 1] as string)
      }
    }
    return lines.get(name) ?? []
  }
}
