//! Where objects' bytes lie: pages of one mebibyte, each cut into slots of one size class, so that a million small
//! objects are a few hundred buffers to the garbage collector. A slot that is being sent is pinned: when it is freed
//! meanwhile, its bytes stay until the last send is done.

/** Bytes of a page. */
export const PAGE_BYTES = 1024 * 1024
/** Bytes of the largest slot; larger objects get a buffer of their own. */
export const SLOT_BYTES_MAX = 64 * 1024
const SLOT_BYTES_MIN = 256
/** Each class is this much larger than the one before: at most a fifth of a slot is wasted. */
const CLASS_GROWTH = 1.25
const SLOTS_MAX = PAGE_BYTES / SLOT_BYTES_MIN
const NONE = -1

const CLASS_BYTES: readonly number[] = (() => {
  const sizes: number[] = []
  for (let bytes = SLOT_BYTES_MIN; bytes < SLOT_BYTES_MAX; bytes = Math.ceil((bytes * CLASS_GROWTH) / 64) * 64) {
    sizes.push(bytes)
  }
  sizes.push(SLOT_BYTES_MAX)
  return sizes
})()

/** Index of the smallest class that holds so many bytes, by bytes / 64. */
const CLASS_OF: Uint8Array = (() => {
  const classes = new Uint8Array(SLOT_BYTES_MAX / 64 + 1)
  for (let unit = 0; unit < classes.length; unit++) classes[unit] = CLASS_BYTES.findIndex((bytes) => bytes >= unit * 64)
  return classes
})()

interface Page {
  readonly buffer: Buffer
  sizeClass: number
  slotBytes: number
  used: number
  free: number[]
  /** Entry in each slot, -1 for none. */
  entries: Int32Array
  pins: Uint16Array
  /** Freed while pinned. */
  condemned: Uint8Array
}

/** A slot is one number: page * SLOTS_MAX + index. */
export class Slabs {
  readonly #pages: Page[] = []
  /** Pages with a free slot, by class. */
  readonly #open: Page[][] = CLASS_BYTES.map(() => [])
  /** Pages of no class. */
  readonly #spare: Page[] = []
  readonly #numberOf = new Map<Page, number>()

  /** Bytes of all pages, used or spare. */
  get bytes(): number {
    return this.#pages.length * PAGE_BYTES
  }

  /** A free slot for `bytes` (at most SLOT_BYTES_MAX) for `entry`, or -1 when a page must be added first. */
  allocate(bytes: number, entry: number): number {
    const sizeClass = CLASS_OF[Math.ceil(bytes / 64)] as number
    const open = this.#open[sizeClass] as Page[]
    let page = open[open.length - 1]
    if (page === undefined) {
      page = this.#spare.pop()
      if (page === undefined) return NONE
      this.#format(page, sizeClass)
      open.push(page)
    }
    const index = page.free.pop() as number
    page.entries[index] = entry
    page.used++
    if (page.free.length === 0) open.splice(open.indexOf(page), 1)
    return (this.#numberOf.get(page) as number) * SLOTS_MAX + index
  }

  addPage(): void {
    const page: Page = {
      buffer: Buffer.allocUnsafeSlow(PAGE_BYTES),
      sizeClass: 0,
      slotBytes: 0,
      used: 0,
      free: [],
      entries: new Int32Array(0),
      pins: new Uint16Array(0),
      condemned: new Uint8Array(0),
    }
    this.#numberOf.set(page, this.#pages.length)
    this.#pages.push(page)
    this.#spare.push(page)
  }

  /** The slot's bytes from `from` up to `to`. */
  view(slot: number, from: number, to: number): Buffer {
    const page = this.#pageOf(slot)
    const start = (slot % SLOTS_MAX) * page.slotBytes
    return page.buffer.subarray(start + from, start + to)
  }

  free(slot: number): void {
    const page = this.#pageOf(slot)
    const index = slot % SLOTS_MAX
    page.entries[index] = NONE
    if ((page.pins[index] as number) > 0) page.condemned[index] = 1
    else this.#release(page, index)
  }

  pin(slot: number): void {
    const page = this.#pageOf(slot)
    ;(page.pins[slot % SLOTS_MAX] as number)++
  }

  unpin(slot: number): void {
    const page = this.#pageOf(slot)
    const index = slot % SLOTS_MAX
    const pins = (page.pins[index] as number) - 1
    page.pins[index] = pins
    if (pins === 0 && page.condemned[index] === 1) {
      page.condemned[index] = 0
      this.#release(page, index)
    }
  }

  /**
   * Entries of a page that another class than that of `bytes` could spare: the one with the fewest entries among the
   * pages of the class with the most pages. Empty when there is none. Freeing them makes the page a spare one.
   */
  victims(bytes: number): number[] {
    const wanted = CLASS_OF[Math.ceil(bytes / 64)] as number
    const counts = new Uint32Array(CLASS_BYTES.length)
    for (const page of this.#pages)
      if (page.slotBytes > 0) counts[page.sizeClass] = (counts[page.sizeClass] as number) + 1
    let richest = NONE
    for (let at = 0; at < counts.length; at++) {
      if (at === wanted || counts[at] === 0) continue
      if (richest === NONE || (counts[at] as number) > (counts[richest] as number)) richest = at
    }
    let best: Page | null = null
    for (const page of this.#pages) {
      if (page.sizeClass !== richest || page.slotBytes === 0 || page.pins.some((pins) => pins > 0)) continue
      if (best === null || page.used < best.used) best = page
    }
    return best === null ? [] : [...best.entries].filter((entry) => entry !== NONE)
  }

  #pageOf(slot: number): Page {
    return this.#pages[Math.floor(slot / SLOTS_MAX)] as Page
  }

  #format(page: Page, sizeClass: number): void {
    const slotBytes = CLASS_BYTES[sizeClass] as number
    const slots = Math.floor(PAGE_BYTES / slotBytes)
    page.sizeClass = sizeClass
    page.slotBytes = slotBytes
    page.used = 0
    page.free = Array.from({ length: slots }, (_, at) => slots - 1 - at)
    page.entries = new Int32Array(slots).fill(NONE)
    page.pins = new Uint16Array(slots)
    page.condemned = new Uint8Array(slots)
  }

  #release(page: Page, index: number): void {
    const open = this.#open[page.sizeClass] as Page[]
    if (page.free.length === 0) open.push(page)
    page.free.push(index)
    page.used--
    if (page.used > 0) return
    open.splice(open.indexOf(page), 1)
    page.slotBytes = 0
    this.#spare.push(page)
  }
}
