//! A tier of storage, as the request path and the questions of control see it: memory alone, or memory with a disk
//! behind it (disk/tiered-store.ts).
import type { ObjectMeta, StoredObject } from './object.ts'

export interface Store {
  /** The object with this key, fresh or not; counts as a use for eviction. */
  get(key: string): StoredObject | null
  /** Keeps an object in place of an older one with the key; null when it does not fit. Body pieces are copied. */
  put(key: string, meta: ObjectMeta, body: readonly Uint8Array[]): StoredObject | null
  delete(key: string): void
  clear(): void
  /** Changes how long an object is fresh. */
  keepUntil(object: StoredObject, freshUntil: number): void
  /** Bytes of the largest object (key, head and body) that it keeps. */
  readonly objectBytesMax: number
  readonly count: number
}

export interface ListedObject {
  readonly key: string
  readonly bytes: number
  readonly meta: ObjectMeta
}
