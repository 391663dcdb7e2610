//! Walks through what a worker has cached, a page a question (feed-protocol.ts). Each page is a short piece of work, so
//! that a walk through a million objects holds up no viewer; control asks for the next one when its reader has room.
import type { Answering } from './answering.ts'
import { InvalidationPreview } from './cache/invalidation-preview.ts'
import type { ListedObject } from './cache/store.ts'
import { seeObject } from './cache-view.ts'
import type { Answer, Cursor, ObjectsWanted, SeenObject } from './feed-protocol.ts'

/** Longest that a page in memory takes: milliseconds of this worker's time. */
const PAGE_MS_MAX = 1
/** Objects looked at between two looks at the clock. */
const BETWEEN_LOOKS = 16
/** Objects of a page: each is up to some kilobytes of JSON. */
const PAGE_OBJECTS_MAX = 256
/** Objects read from disk for a page; reading waits for nothing else. */
const DISK_PAGE_OBJECTS = 32
/** Walks remembered; with more the oldest is, and its next page fails. */
const WALKS_MAX = 32

interface Walk {
  readonly wanted: ObjectsWanted
  /** Made once: a batch may have 3,000 items. */
  readonly preview: InvalidationPreview | null
}

export class CacheWalks {
  readonly #walks = new Map<string, Walk>()

  page(id: string, wanted: ObjectsWanted | null, cursor: Cursor, answering: Answering): Answer | Promise<Answer> {
    if (wanted !== null) this.#begin(id, wanted, answering)
    const walk = this.#walks.get(id)
    if (walk === undefined) return { kind: 'error', message: `there is no walk ${id}` }
    if (cursor.tier === 'memory') return memoryPage(walk, cursor.at, answering)
    return diskPage(walk, cursor.at, answering).then((answer) => {
      if (answer.next === null) this.#walks.delete(id)
      return answer
    })
  }

  #begin(id: string, wanted: ObjectsWanted, { edge }: Answering): void {
    if (this.#walks.size >= WALKS_MAX) {
      const oldest = this.#walks.keys().next()
      if (!oldest.done) this.#walks.delete(oldest.value)
    }
    const { distributionId, invalidation } = wanted
    const rootObject = edge.snapshot.distributions.get(distributionId)?.doc.defaultRootObject ?? ''
    this.#walks.set(id, {
      wanted,
      preview: invalidation === null ? null : new InvalidationPreview(invalidation, rootObject),
    })
  }
}

type Page = Extract<Answer, { kind: 'objects' }>

function memoryPage(walk: Walk, from: number, answering: Answering): Page {
  const { store, disk, edge } = answering
  const until = edge.clock.monotonic() + PAGE_MS_MAX
  const objects: SeenObject[] = []
  let looked = 0
  const visit = (object: ListedObject): void => {
    looked++
    const seen = see(walk, object, disk.mayHave(object.key) ? ['memory', 'disk'] : ['memory'], answering)
    if (seen !== null) objects.push(seen)
  }
  const enough = (): boolean => {
    if (objects.length >= PAGE_OBJECTS_MAX) return true
    // The first ones always, so that each page gets on.
    return looked > 0 && looked % BETWEEN_LOOKS === 0 && edge.clock.monotonic() >= until
  }
  const next = store.scan(from, visit, enough)
  return {
    kind: 'objects',
    objects,
    looked,
    next: next === null ? { tier: 'disk', at: 0 } : { tier: 'memory', at: next },
  }
}

async function diskPage(walk: Walk, from: number, answering: Answering): Promise<Page> {
  const { store, disk } = answering
  const { objects, next } = await disk.list(DISK_PAGE_OBJECTS, from)
  // What is in memory too was seen there.
  const seen = objects.flatMap((object) =>
    store.has(object.key) ? [] : (see(walk, object, ['disk'], answering) ?? []),
  )
  return {
    kind: 'objects',
    objects: seen,
    looked: objects.length,
    next: next === null ? null : { tier: 'disk', at: next },
  }
}

/** Null for what is not wanted, or is dead already. */
function see(
  { wanted, preview }: Walk,
  object: ListedObject,
  tiers: SeenObject['tiers'],
  answering: Answering,
): SeenObject | null {
  const { meta } = object
  if (meta.distributionId !== wanted.distributionId || !meta.uri.startsWith(wanted.prefix)) return null
  const items = preview?.itemsFor(meta) ?? []
  if (preview !== null && items.length === 0) return null
  return seeObject(object, tiers, items, answering)
}
