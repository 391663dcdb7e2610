//! Which items of an invalidation hit an object, before there is one: a dry run. Pure; the same rules as
//! invalidation.ts, which forgets the texts and so cannot say which.
import type { InvalidationDoc } from '../../domain/distribution.ts'
import { invalidatedPaths } from '../snapshot/encode-path.ts'

type ItemsByText = Map<string, string[]>

/** Says for each object which items hit it, in the user's own words and order; none for one that lives. */
export class InvalidationPreview {
  readonly #exact: ItemsByText = new Map()
  /** Wildcards by the length of what is before the star: an object is looked up once for each length. */
  readonly #prefixes = new Map<number, ItemsByText>()
  readonly #tags: ItemsByText = new Map()
  readonly #order: ReadonlyMap<string, number>

  /** `rootObject` is the distribution's default root object, empty for none. */
  constructor({ paths: items, tagHeader }: InvalidationDoc, rootObject: string) {
    this.#order = new Map(items.map((item, at) => [item, at] as const).reverse())
    for (const item of items) {
      if (item.startsWith('#')) {
        if (tagHeader !== undefined) put(this.#tags, `${tagHeader},${item.slice(1).toLowerCase()}`, item)
        continue
      }
      for (const path of invalidatedPaths(item, rootObject)) {
        if (path.endsWith('*')) put(this.#ofLength(path.length - 1), path.slice(0, -1), item)
        else put(this.#exact, path, item)
      }
    }
  }

  itemsFor({ uri, tags }: { readonly uri: string; readonly tags: string }): readonly string[] {
    const found = new Set(this.#exact.get(uri))
    for (const [length, items] of this.#prefixes) {
      if (length > uri.length) continue
      for (const item of items.get(uri.slice(0, length)) ?? []) found.add(item)
    }
    if (this.#tags.size > 0 && tags !== '') {
      const [header, ...own] = tags.slice(0, -1).split(',')
      for (const tag of own) for (const item of this.#tags.get(`${header},${tag}`) ?? []) found.add(item)
    }
    return [...found].sort((a, b) => (this.#order.get(a) ?? 0) - (this.#order.get(b) ?? 0))
  }

  #ofLength(length: number): ItemsByText {
    let items = this.#prefixes.get(length)
    if (items === undefined) {
      items = new Map()
      this.#prefixes.set(length, items)
    }
    return items
  }
}

function put(items: ItemsByText, text: string, item: string): void {
  const known = items.get(text)
  if (known === undefined) items.set(text, [item])
  else if (!known.includes(item)) known.push(item)
}
