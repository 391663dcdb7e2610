//! Both tiers as one store: what is put into memory is written to disk behind, by the worker that owns the key. Reading
//! is memory's alone: the stage disk-lookup brings objects up before.
import type { MemoryStore } from '../memory.ts'
import type { ObjectMeta, StoredObject } from '../object.ts'
import type { Store } from '../store.ts'
import type { DiskTier } from './tier.ts'

export class TieredStore implements Store {
  readonly #memory: MemoryStore
  readonly #disk: DiskTier
  readonly #owns: (key: string) => boolean
  readonly objectBytesMax: number

  /** `owns`: this worker keeps the key; what other workers own is a copy in memory only. */
  constructor(memory: MemoryStore, disk: DiskTier, owns: (key: string) => boolean) {
    this.#memory = memory
    this.#disk = disk
    this.#owns = owns
    this.objectBytesMax = memory.objectBytesMax
  }

  get count(): number {
    return this.#memory.count
  }

  get(key: string): StoredObject | null {
    return this.#memory.get(key)
  }

  put(key: string, meta: ObjectMeta, body: readonly Uint8Array[]): StoredObject | null {
    // A 304 confirmed it: the new object is given the old one's own bytes.
    const confirmed = body.length === 1 && this.#memory.has(key) && this.#memory.get(key)?.body === body[0]
    // Before memory may use the place of the old object again.
    if (this.#owns(key)) this.#disk.put(key, meta, body, confirmed)
    else this.#disk.remove(key)
    return this.#memory.put(key, meta, body)
  }

  delete(key: string): void {
    this.#memory.delete(key)
    this.#disk.remove(key)
  }

  clear(): void {
    this.#memory.clear()
    this.#disk.clear()
  }

  keepUntil(object: StoredObject, freshUntil: number): void {
    this.#memory.keepUntil(object, freshUntil)
    if (this.#owns(object.key)) this.#disk.put(object.key, object, [object.body], true)
  }
}
