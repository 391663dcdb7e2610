//! What went into the cache as it came because too much was being compressed: it is compressed from there once there is
//! room again. Otherwise it would stay so for as long as the origin confirms it (spec/cloudfront.md 5.8: a 304 never
//! compresses). CloudFront leaves it at best effort; ours comes a little later. The worker that fetched the object does
//! it; copies at other workers follow when they are fetched anew.
import { type ContentCoding, compressedHeaders } from '../../http/compressible.ts'
import { firstValue } from '../../http/headers.ts'
import { isSameAnswer } from '../cache/finding.ts'
import type { BodyFilter } from '../cache/flight.ts'
import type { StoredObject } from '../cache/object.ts'
import type { Store } from '../cache/store.ts'
import { headerPairs } from '../origin/answer.ts'

/** Objects remembered; over it the oldest stays as it is until it is fetched anew. */
const OWED_MAX = 1_024
/** Bytes that are handed to the compression at a time, so that other bodies have their turns. */
const PIECE_BYTES = 64 * 1024

interface Owed {
  readonly coding: ContentCoding
  readonly store: Store
  readonly bornAt: number
  readonly asOf: number
}

export class OwedCompressions {
  readonly #begin: (coding: ContentCoding, length: number) => BodyFilter | null
  readonly #owed = new Map<string, Owed>()

  /** `begin` as of Compressions: null when there is no room. */
  constructor(begin: (coding: ContentCoding, length: number) => BodyFilter | null) {
    this.#begin = begin
  }

  get size(): number {
    return this.#owed.size
  }

  add(store: Store, { key, bornAt, asOf }: StoredObject, coding: ContentCoding): void {
    this.#owed.delete(key)
    if (this.#owed.size >= OWED_MAX) {
      const oldest = this.#owed.keys().next()
      if (!oldest.done) this.#owed.delete(oldest.value)
    }
    this.#owed.set(key, { coding, store, bornAt, asOf })
  }

  /** There is room: the next one that is still there is begun. */
  next(): void {
    for (const [key, owed] of this.#owed) {
      const object = owed.store.get(key)
      if (object !== null && isSameAnswer(object, owed)) {
        const filter = this.#begin(owed.coding, object.body.length)
        if (filter === null) return
        this.#owed.delete(key)
        compress(object, owed, filter)
        return
      }
      this.#owed.delete(key)
    }
  }
}

/** Puts the compressed form in the object's place, unless something else lies there by then. */
function compress(object: StoredObject, { store, coding }: Owed, filter: BodyFilter): void {
  const chunks: Uint8Array[] = []
  object.hold()
  filter.attach({
    onFiltered: (chunk) => void chunks.push(chunk),
    onFilteredEnd: () => {
      object.release()
      const now = store.get(object.key)
      if (now === null || !isSameAnswer(now, object) || now.head !== object.head) return
      const headers = compressedHeaders(headerPairs(now.head), coding)
      store.put(
        now.key,
        { ...now, head: withHeaders(now.head, headers), etag: firstValue(headers, 'etag') ?? '' },
        chunks,
      )
    },
    // It stays as it is.
    onFilterFailure: object.release,
  })
  const { body } = object
  for (let from = 0; from < body.length; from += PIECE_BYTES) filter.write(body.subarray(from, from + PIECE_BYTES))
  filter.end()
}

const statusLine = (head: string): string => head.slice(0, head.indexOf('\r\n') + 2)

function withHeaders(head: string, headers: readonly string[]): string {
  let text = statusLine(head)
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
  return text
}
