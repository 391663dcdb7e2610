//! The variants of a key in strict mode (RFC 9111 4.1). CloudFront makes none: there the cache policy's headers decide.
//!
//! An answer with Vary lies at a secondary key: the primary one, an empty line, and the values of the selecting fields,
//! as the origin saw them and in the form that all values of one meaning share (http/vary.ts). At the primary key lies
//! an index: which fields select, and what variants there are. An index is only a guide. Without it the next answer
//! makes it anew, and a variant's key is the same as before; each variant is checked against invalidations by itself.
import { createHash } from 'node:crypto'
import { preferredLanguage, selectingValue } from '../../http/vary.ts'

/** Variants of one key. The one stored longest ago leaves for another; Exchange.variantsDropped counts it. */
export const VARIANTS_MAX = 64
/** Different lists of selecting fields that the answers of one key had. The oldest leaves with its variants. */
export const LISTS_MAX = 8
/** Characters of the values in a key; longer ones are told by their hash. */
const TEXT_MAX = 256

/** All lines of a request field by its lower-case name, as the origin saw them. */
export type SelectingFields = (name: string) => readonly string[]

/** What selects a variant: a line for each selecting field, its name alone when the request did not have it. */
export function variantText(names: readonly string[], fields: SelectingFields): string {
  return textOf(names, (name) => selectingValue(name, fields(name)))
}

/**
 * The same with the answer's language in the place of what the request said of languages: all requests that prefer this
 * language to every other can have the variant. Empty when languages do not select.
 */
export function languageText(names: readonly string[], fields: SelectingFields, language: string | null): string {
  if (language === null || !names.includes(LANGUAGE)) return ''
  return textOf(names, (name) => (name === LANGUAGE ? `${CHOSEN}${language}` : selectingValue(name, fields(name))))
}

/** As languageText, for a request: by the one language that it prefers. */
export function wantedLanguageText(names: readonly string[], fields: SelectingFields): string {
  return names.includes(LANGUAGE) ? languageText(names, fields, preferredLanguage(fields(LANGUAGE))) : ''
}

const LANGUAGE = 'accept-language'
/** Before an answer's language: no field value has a NUL in it (RFC 9110 5.5), so none is ever taken for one. */
const CHOSEN = '\0'

function textOf(names: readonly string[], wordsOf: (name: string) => string | null): string {
  const lines = names.map((name) => {
    const value = wordsOf(name)
    return value === null ? name : `${name}: ${value}`
  })
  const text = lines.join('\n')
  if (text.length <= TEXT_MAX) return text
  // No field name has a space in it: this is never taken for lines.
  return `${HASHED}${createHash('sha256').update(text, 'latin1').digest('hex')} ${names.join(',')}`
}

const HASHED = 'sha256 '

/** The selecting fields of a variant. */
export function namesIn(variant: string): readonly string[] {
  if (variant === '') return []
  if (variant.startsWith(HASHED)) return variant.slice(variant.lastIndexOf(' ') + 1).split(',')
  return variant.split('\n').map((line) => {
    const colon = line.indexOf(':')
    return colon < 0 ? line : line.slice(0, colon)
  })
}

/** True when a request with these fields selects the variant; what no field selected is for all. */
export const selects = (variant: string, fields: SelectingFields): boolean =>
  variant === '' || variantText(namesIn(variant), fields) === variant

/** Where a variant lies. No primary key has an empty line (cache/key.ts), so that the two are never taken for another. */
export const variantKey = (primary: string, variant: string): string => `${primary}\n\n${variant}`

/** The key that all variants share; of a slice of one, that of the slice if there were no variants. */
export function withoutVariant(key: string): string {
  const from = key.indexOf('\n\n')
  if (from < 0) return key
  const slice = key.indexOf('\n#slice ', from)
  return slice < 0 ? key.slice(0, from) : key.slice(0, from) + key.slice(slice)
}

export interface IndexedVariant {
  readonly variant: string
  /** languageText of it; empty for none. */
  readonly language: string
}

export interface VariantIndex {
  /** Lists of selecting fields, that of the newest answer first. */
  readonly lists: readonly (readonly string[])[]
  /** The newest first. */
  readonly variants: readonly IndexedVariant[]
}

const EMPTY: VariantIndex = { lists: [], variants: [] }

/** An index as an object holds it: its lists in ObjectMeta.variant, its variants in the body. */
export interface PackedIndex {
  readonly variant: string
  readonly body: Buffer
}

export const packIndex = ({ lists, variants }: VariantIndex): PackedIndex => ({
  variant: lists.map((names) => names.join(',')).join(' '),
  body: Buffer.from(JSON.stringify(variants.map(({ variant, language }) => [variant, language])), 'latin1'),
})

export const listsIn = ({ variant }: Pick<PackedIndex, 'variant'>): (readonly string[])[] =>
  variant.split(' ').map((names) => names.split(','))

export function unpackIndex(packed: PackedIndex): VariantIndex {
  const rows = JSON.parse(packed.body.toString('latin1')) as [variant: string, language: string][]
  return { lists: listsIn(packed), variants: rows.map(([variant, language]) => ({ variant, language })) }
}

/**
 * The index after a variant was stored, with those that must leave for it; null when it stays as it is. A variant that
 * is stored again counts as new when it was about to become one of the older half, so that the ones in use stay.
 */
export function withVariant(
  index: VariantIndex | null,
  added: IndexedVariant,
): { readonly index: VariantIndex; readonly left: readonly string[] } | null {
  const { lists, variants } = index ?? EMPTY
  const names = namesIn(added.variant)
  const list = names.join()
  const at = variants.findIndex(({ variant }) => variant === added.variant)
  const isKnown = at >= 0 && at < VARIANTS_MAX / 2 && variants[at]?.language === added.language
  if (isKnown && lists[0]?.join() === list) return null
  const newLists = [names, ...lists.filter((other) => other.join() !== list)].slice(0, LISTS_MAX)
  const kept = new Set(newLists.map((other) => other.join()))
  const all = [added, ...variants.filter(({ variant }) => variant !== added.variant)]
  const stay = all.filter(({ variant }, rank) => rank < VARIANTS_MAX && kept.has(namesIn(variant).join()))
  const staying = new Set(stay)
  return {
    index: { lists: newLists, variants: stay },
    left: all.filter((one) => !staying.has(one)).map(({ variant }) => variant),
  }
}
