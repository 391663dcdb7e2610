//! The segment files of a store: how many there may be, which one is written to, which comes next, which is the oldest.
import { readdir, rm } from 'node:fs/promises'
import { Segment, segmentFile } from './segment.ts'

const FILE_NAME = /^segment-(\d{4,5})$/

export class SegmentPool {
  /** Bytes of one segment. */
  readonly segmentBytes: number
  /** How many of them there may be. */
  readonly max: number
  readonly #directory: string
  readonly #segments: Segment[] = []
  storeId: number
  /** Of the newest life. */
  lastEpoch = 0
  active: Segment | null = null

  constructor(directory: string, segmentBytes: number, max: number, storeId: number) {
    this.#directory = directory
    this.segmentBytes = segmentBytes
    this.max = max
    this.storeId = storeId
  }

  /** Opens the files that are there, all free as yet; those that are too many are removed. @throws the system's error */
  async openExisting(): Promise<{ readonly segments: readonly Segment[]; readonly cutOff: number }> {
    let cutOff = 0
    const numbers = (await readdir(this.#directory))
      .map((name) => FILE_NAME.exec(name)?.[1])
      .filter((digits) => digits !== undefined)
      .map(Number)
      .sort((x, y) => x - y)
    for (const number of numbers) {
      if (number >= this.max) {
        await rm(segmentFile(this.#directory, number), { force: true })
        continue
      }
      const { segment, hadBytes } = await Segment.open(this.#directory, number, this.segmentBytes)
      if (hadBytes < this.segmentBytes) cutOff++
      this.#segments[number] = segment
    }
    return { segments: this.all, cutOff }
  }

  /** In the order of their numbers. */
  get all(): readonly Segment[] {
    return this.#segments.filter((segment) => segment !== undefined)
  }

  segment(number: number): Segment {
    return this.#segments[number] as Segment
  }

  /** Bytes of the files. */
  get bytes(): number {
    return this.all.length * this.segmentBytes
  }

  /** True when the next segment need not be emptied first. */
  get hasFree(): boolean {
    return this.all.length < this.max || this.all.some((segment) => segment.state === 'free')
  }

  /** Ends the life of the active segment and begins another one. @throws the system's error */
  async turn(): Promise<Segment> {
    const before = this.active
    this.active = null
    // A table of contents that cannot be written only makes the next opening slower.
    if (before !== null) await before.finish(this.storeId).catch(() => {})
    const free = this.all.find((segment) => segment.state === 'free') ?? (await this.#make())
    await free.begin(this.storeId, ++this.lastEpoch)
    this.active = free
    return free
  }

  async #make(): Promise<Segment> {
    if (this.all.length >= this.max) throw new Error('no segment could be emptied')
    let number = 0
    while (this.#segments[number] !== undefined) number++
    const { segment } = await Segment.open(this.#directory, number, this.segmentBytes)
    this.#segments[number] = segment
    return segment
  }

  /** The full one that was begun first. */
  oldest(): Segment | null {
    let oldest: Segment | null = null
    for (const segment of this.all)
      if (segment.state === 'full' && (oldest === null || segment.epoch < oldest.epoch)) oldest = segment
    return oldest
  }

  /** Everything counts as never written. */
  clear(storeId: number): void {
    this.storeId = storeId
    this.active = null
    for (const segment of this.all) segment.free()
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((segment) => segment.close()))
  }
}
