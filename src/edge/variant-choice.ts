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
 * The key of the variant that `x` selects by the index at its key. Of several that match the most recent one
 * (RFC 9111 4.1); when none is there, the key that an answer like the newest one would have.
 */
export function selectVariant(x: Exchange, edge: Edge, index: StoredObject): string {
  const primary = index.key
  const fields = fieldsOf(x, edge)
  const lists = listsIn(index)
  const keys = lists.map((names) => variantKey(primary, variantText(names, fields)))
  const there = keys.flatMap((key) => edge.store.get(key) ?? [])
  there.push(...inWantedLanguage(edge, index, lists, fields))
  let newest: StoredObject | null = null
  for (const object of there) if (newest === null || object.bornAt > newest.bornAt) newest = object
  return newest?.key ?? (keys[0] as string)
}

/**
 * An answer in the one language that a request prefers to all others is what this request would get, whatever else it
 * accepts; so it matches, if not exactly (RFC 9111 4.1 allows to rank by preference).
 */
function inWantedLanguage(
  edge: Edge,
  index: StoredObject,
  lists: readonly (readonly string[])[],
  fields: SelectingFields,
): StoredObject[] {
  const wanted = new Set(lists.map((names) => wantedLanguageText(names, fields)).filter((text) => text !== ''))
  if (wanted.size === 0) return []
  const { variants } = unpackIndex(index)
  return variants
    .filter(({ language }) => wanted.has(language))
    .flatMap(({ variant }) => edge.store.get(variantKey(index.key, variant)) ?? [])
}

/** True when a request that waits for a fetch may read along: its fields select the answer too. */
export const mayShare = (x: Exchange, edge: Edge, answer: Answer): boolean =>
  answer.variant === '' || selects(answer.variant, fieldsOf(x, edge))

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
  const fields = fieldsOf(x, edge)
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
  if (change === null) return
  for (const variant of change.left) edge.store.delete(variantKey(primary, variant))
  x.variantsDropped += change.left.length
  const { variant, body } = packIndex(change.index)
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
    if (key.headers.includes(name) || (key.generated as readonly string[]).includes(name)) return false
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
function fieldsOf(x: Exchange, edge: Edge): SelectingFields {
  let lines: Map<string, string[]> | null = null
  return (name) => {
    if (lines === null) {
      lines = new Map()
      const { forward } = x.behavior as BehaviorPlan
      const sent = originHeaders(forward, forwardedRequest(x, edge.pop.via, true))
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
