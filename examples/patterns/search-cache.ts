//! Search-result cache: the ids that a search has found, in order, as a list of their own, so that every page of the
//! result comes from it. Equal searches that are written differently share a key. A change of the catalogue makes all
//! results old at once, by a number in their keys: nothing has to be looked for and deleted; the old ones expire.
import { createHash } from 'node:crypto'
import type { Cache } from './support/cache.ts'

const VERSION = 'search:version'
/** Seconds. */
const KEPT_SECONDS = 300
const RESULTS_MAX = 1_000

export interface Search {
  readonly words: string
  readonly filters?: Readonly<Record<string, string>>
}

export interface ResultPage {
  readonly ids: readonly string[]
  readonly total: number
  readonly from: 'cache' | 'search'
}

export class SearchCache {
  readonly #cache: Cache
  readonly #search: (search: Search) => Promise<readonly string[]>

  constructor(cache: Cache, search: (search: Search) => Promise<readonly string[]>) {
    this.#cache = cache
    this.#search = search
  }

  /** @param page from 0 */
  async find(search: Search, page: number, size: number): Promise<ResultPage> {
    const { primary } = this.#cache
    // The version is read before the search: a change that comes in between leaves its results under the old number.
    const key = keyOf(search, (await primary.get(VERSION)) ?? '0')
    const kept = await primary
      .multi()
      .exists(key)
      .llen(key)
      .lrange(key, ...span(page, size))
      .exec()
    if (kept?.[0]?.[1] === 1) {
      const total = Number(kept[1]?.[1]) - 1
      return { ids: kept[2]?.[1] as string[], total, from: 'cache' }
    }
    const ids = (await this.#search(search)).slice(0, RESULTS_MAX)
    // The first element is a mark, so that a search that finds nothing is remembered too.
    await primary
      .multi()
      .del(key)
      .rpush(key, 'ids:', ...ids)
      .expire(key, KEPT_SECONDS)
      .exec()
    const [first, last] = span(page, size)
    return { ids: ids.slice(first - 1, last), total: ids.length, from: 'search' }
  }

  /** After a change of what searches look at. */
  async catalogueChanged(): Promise<void> {
    await this.#cache.primary.incr(VERSION)
  }
}

/** First and last element of a page, behind the mark. */
const span = (page: number, size: number): [number, number] => [page * size + 1, (page + 1) * size]

/** Case, order of words, order of filters and spaces do not make another search. */
function keyOf({ words, filters = {} }: Search, version: string): string {
  const sorted = words.toLowerCase().split(/\s+/).filter(Boolean).sort()
  const wanted = Object.entries(filters).sort(([a], [b]) => (a < b ? -1 : 1))
  const hash = createHash('sha256')
    .update(JSON.stringify([sorted, wanted]))
    .digest('base64url')
  return `search:${version}:${hash}`
}

export async function demo(cache: Cache, say: (line: string) => void): Promise<void> {
  let searches = 0
  const results = new SearchCache(cache, async ({ words }) => {
    searches++
    return Array.from({ length: 25 }, (_, n) => `${words.toLowerCase().trim()}-${n + 1}`)
  })
  const show = ({ ids, total, from }: ResultPage): string => `${ids[0]} ... ${ids.at(-1)} of ${total}, from ${from}`
  say(`"red shoes": ${show(await results.find({ words: 'red shoes' }, 0, 10))}`)
  say(`"Shoes  RED", third page: ${show(await results.find({ words: 'Shoes  RED' }, 2, 10))}`)
  await results.catalogueChanged()
  say(`after a change: ${show(await results.find({ words: 'red shoes' }, 0, 10))}; searches made: ${searches}`)
}
