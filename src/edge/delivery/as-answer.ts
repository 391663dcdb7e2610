//! A stored object as a peer is told of it: fields, where a viewer gets text.
import type { Answer } from '../cache/flight.ts'
import type { StoredObject } from '../cache/object.ts'

/** `length` is that of the object's body as it lies in the store. */
export function answerOfObject(object: StoredObject): Answer {
  const { status, head, contentType, etag, lastModified, bornAt, freshUntil, staleUntil } = object
  const { swrUntil, ttlSource, asOf, tags, variant } = object
  const length = object.body.length
  const notStored = null
  return {
    status,
    head,
    length,
    contentType,
    etag,
    lastModified,
    bornAt,
    freshUntil,
    staleUntil,
    swrUntil,
    ttlSource,
    asOf,
    tags,
    variant,
    notStored,
  }
}
