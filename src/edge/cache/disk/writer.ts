//! Writes behind: records wait in memory, in bounded number, and go to the active segment in batches, one batch at a
//! time. When the segment is full the next one is begun, and the oldest is emptied before it is needed.
import { seal, UNIT_BYTES } from './record.ts'
import type { Segment } from './segment.ts'
import type { SegmentPool } from './segment-pool.ts'

/** Bytes and records that are written in one call. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024
const BATCH_RECORDS_MAX = 256
/** After a write that failed nothing is written for so long. Milliseconds. */
const PAUSE_MS = 5_000

export interface PendingWrite {
  readonly record: Buffer
  readonly hashA: number
  readonly hashB: number
  /** As of record.ts (`kindNumber`). */
  readonly kind: number
  /** Told where it lies; not called for one that was dropped. */
  readonly onPlaced: (segment: number, unit: number, length: number) => void
  /** Told that it was dropped: there was no room in time, or the disk refused it. */
  readonly onDropped: () => void
  /** Overtaken by a later write of the key: it need not be written. */
  dropped: boolean
}

export interface WriterParts {
  readonly pool: SegmentPool
  /** Empties a full segment, keeping what is worth it by `addFirst`. */
  readonly empty: (segment: Segment) => Promise<void>
  /** The disk failed (`error`), or works again (null). */
  readonly onTrouble: (error: Error | null) => void
}

export class Writer {
  readonly #parts: WriterParts
  /** What is kept of an emptied segment goes before anything else. */
  #kept: PendingWrite[] = []
  #waiting: PendingWrite[] = []
  #running: Promise<void> | null = null
  #emptying: Promise<void> | null = null
  #pause: NodeJS.Timeout | null = null
  #troubled = false
  /** The active segment is full and there is no other: what is kept of the oldest has no place to go. */
  #short = false
  #closed = false
  pendingBytes = 0

  constructor(parts: WriterParts) {
    this.#parts = parts
  }

  get paused(): boolean {
    return this.#pause !== null
  }

  add(write: PendingWrite): void {
    this.pendingBytes += write.record.length
    this.#waiting.push(write)
    if (this.#pause === null) this.#running ??= this.#run()
  }

  /** For what `empty` keeps. */
  addFirst(write: PendingWrite): void {
    this.pendingBytes += write.record.length
    if (this.#short || this.#pause !== null) {
      this.#drop(write)
      return
    }
    this.#kept.push(write)
    this.#running ??= this.#run()
  }

  /** Resolves when nothing waits any more, or the disk has failed. */
  async idle(): Promise<void> {
    while (this.#running !== null || this.#emptying !== null) {
      await this.#running
      await this.#emptying
    }
  }

  /** Everything that waits is dropped. */
  clear(): void {
    for (const write of [...this.#kept, ...this.#waiting]) this.#drop(write)
    this.#kept = []
    this.#waiting = []
  }

  /** Writes what waits and then no more. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#pause !== null) clearTimeout(this.#pause)
    await this.idle()
    this.clear()
  }

  #drop(write: PendingWrite): void {
    this.pendingBytes -= write.record.length
    write.dropped = true
    write.onDropped()
  }

  async #run(): Promise<void> {
    // What comes in the same turn of the loop goes into the same batch.
    await new Promise((resolve) => setImmediate(resolve))
    try {
      while (this.#kept.length + this.#waiting.length > 0) {
        const batch = this.#collect()
        if (batch === null) await this.#turn()
        else if (batch.length > 0) await this.#write(this.#parts.pool.active as Segment, batch)
      }
      if (this.#troubled) this.#parts.onTrouble(null)
      this.#troubled = false
    } catch (error) {
      this.#fail(error as Error)
    } finally {
      this.#running = null
      if (this.#pause === null && this.#kept.length + this.#waiting.length > 0) this.#running = this.#run()
    }
  }

  /** What goes into the active segment next; null when the first that waits does not fit into it. */
  #collect(): PendingWrite[] | null {
    const { active } = this.#parts.pool
    if (active === null) return null
    const batch: PendingWrite[] = []
    let bytes = 0
    for (const queue of [this.#kept, this.#waiting]) {
      let at = 0
      let full = false
      for (; at < queue.length && batch.length < BATCH_RECORDS_MAX && bytes < BATCH_BYTES_MAX; at++) {
        const write = queue[at] as PendingWrite
        if (write.dropped) {
          this.#drop(write)
          continue
        }
        full = bytes + write.record.length > active.room(batch.length + 1)
        if (full) break
        batch.push(write)
        bytes += write.record.length
      }
      queue.splice(0, at)
      if (full) return batch.length === 0 ? null : batch
    }
    return batch
  }

  async #write(active: Segment, batch: readonly PendingWrite[]): Promise<void> {
    const { pool } = this.#parts
    const { epoch } = active
    for (const { record } of batch) seal(record, pool.storeId, epoch)
    const from = active.end
    try {
      await active.write(
        batch.map((write) => write.record),
        from,
      )
    } catch (error) {
      for (const write of batch) this.#drop(write)
      throw error
    }
    // The store was cleared meanwhile: this segment is another one now.
    if (active.epoch !== epoch || pool.active !== active) {
      for (const write of batch) this.#drop(write)
      return
    }
    for (const { record, hashA, hashB, kind, onPlaced, dropped } of batch) {
      const unit = active.end / UNIT_BYTES
      const length = record.length / UNIT_BYTES
      active.contents.add(hashA, hashB, kind, unit, length)
      active.end += record.length
      this.pendingBytes -= record.length
      if (!dropped) onPlaced(active.number, unit, length)
    }
  }

  async #turn(): Promise<void> {
    const { pool } = this.#parts
    if (!pool.hasFree) {
      this.#short = true
      for (const write of this.#kept.splice(0)) this.#drop(write)
      this.#emptying ??= this.#empty()
      await this.#emptying
      this.#short = false
    }
    await pool.turn()
    if (!pool.hasFree) this.#emptying ??= this.#empty()
  }

  async #empty(): Promise<void> {
    try {
      const oldest = this.#parts.pool.oldest()
      if (oldest !== null) await this.#parts.empty(oldest)
    } catch (error) {
      this.#parts.onTrouble(error as Error)
    } finally {
      this.#emptying = null
    }
  }

  #fail(error: Error): void {
    this.#troubled = true
    this.#parts.onTrouble(error)
    this.clear()
    if (this.#closed) return
    this.#pause = setTimeout(() => {
      this.#pause = null
    }, PAUSE_MS)
    this.#pause.unref()
  }
}
