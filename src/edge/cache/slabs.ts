//! Where objects' bytes lie: pages of 256 KiB, each cut into slots of one size class; 64 pages are one buffer, so that a
//! million small objects are a hundred buffers to the garbage collector. A slot that is being sent is pinned: when it is
//! freed meanwhile, its bytes stay until the last send is done.

/** Bytes of a page. Small enough that sixty size classes do not starve each other in a small cache. */
export const PAGE_BYTES = 256 * 1024
/** Pages of one buffer. The system gives memory to a page when it is first written. */
const CHUNK_PAGES = 64
/** Bytes of the largest slot; larger objects get a buffer of their own. */
export const SLOT_BYTES_MAX = 64 * 1024
const SLOT_BYTES_MIN = 256
/** Up to here a class is 64 bytes larger than the one before: most objects are small, and a million of them count. */
const FINE_BYTES_MAX = 2_048
/** From here to there by half of that: where a body of one kilobyte and its head end. */
const FINEST_BYTES = { from: 1_088, to: 1_344 } as const
/** Sizes of all classes are multiples of it. */
const UNIT_BYTES = 32
/** Beyond, each class is this much larger than the one before: at most an eleventh of a slot is wasted. */
const CLASS_GROWTH = 1.1
const SLOTS_MAX = PAGE_BYTES / SLOT_BYTES_MIN
const NONE = -1

const CLASS_BYTES: readonly number[] = (() => {
  const sizes: number[] = []
  let bytes = SLOT_BYTES_MIN
  for (; bytes < FINE_BYTES_MAX; bytes += bytes >= FINEST_BYTES.from && bytes < FINEST_BYTES.to ? 32 : 64)
    sizes.push(bytes)
  // As many slots as the growth makes of a page, each as large as that number of them allows.
  for (; bytes < SLOT_BYTES_MAX; bytes *= CLASS_GROWTH) {
    const fitting = Math.floor(PAGE_BYTES / Math.floor(PAGE_BYTES / bytes) / 64) * 64
    if (fitting > (sizes.at(-1) as number)) sizes.push(fitting)
  }
  if (sizes.at(-1) !== SLOT_BYTES_MAX) sizes.push(SLOT_BYTES_MAX)
  return sizes
})()

/** Index of the smallest class that holds so many bytes, by bytes / UNIT_BYTES. */
const CLASS_OF: Uint8Array = (() => {
  const classes = new Uint8Array(SLOT_BYTES_MAX / UNIT_BYTES + 1)
  for (let unit = 0; unit < classes.length; unit++)
    classes[unit] = CLASS_BYTES.findIndex((bytes) => bytes >= unit * UNIT_BYTES)
  return classes
})()

interface Page {
  readonly number: number
  sizeClass: number
  slotBytes: number
  used: number
  free: number[]
  /** Entry in each slot, -1 for none. */
  entries: Int32Array
  pins: Uint16Array
  /** Slots that are pinned. */
  pinned: number
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
  readonly #chunks: Buffer[] = []
  /** Bytes of a slot by page: what finding a slot's place needs, without touching the page's other facts. */
  #slotBytes = new Uint32Array(CHUNK_PAGES)

  /** Bytes of all pages, used or spare. */
  get bytes(): number {
    return this.#pages.length * PAGE_BYTES
  }

  /** Slots that are held. */
  get pinned(): number {
    return this.#pages.reduce((sum, page) => sum + page.pinned, 0)
  }

  /** A free slot for `bytes` (at most SLOT_BYTES_MAX) for `entry`, or -1 when a page must be added first. */
  allocate(bytes: number, entry: number): number {
    const sizeClass = CLASS_OF[Math.ceil(bytes / UNIT_BYTES)] as number
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
    if (page.free.length === 0) open.splice(open.lastIndexOf(page), 1)
    return page.number * SLOTS_MAX + index
  }

  addPage(): void {
    const number = this.#pages.length
    if (number % CHUNK_PAGES === 0) {
      this.#chunks.push(Buffer.allocUnsafeSlow(CHUNK_PAGES * PAGE_BYTES))
      const slotBytes = new Uint32Array(number + CHUNK_PAGES)
      slotBytes.set(this.#slotBytes.subarray(0, number))
      this.#slotBytes = slotBytes
    }
    const page: Page = {
      number,
      sizeClass: 0,
      slotBytes: 0,
      used: 0,
      free: [],
      entries: new Int32Array(0),
      pins: new Uint16Array(0),
      pinned: 0,
      condemned: new Uint8Array(0),
    }
    this.#pages.push(page)
    this.#spare.push(page)
  }

  /** The buffer that the slot lies in. */
  bufferOf(slot: number): Buffer {
    return this.#chunks[Math.floor(slot / (SLOTS_MAX * CHUNK_PAGES))] as Buffer
  }

  /** Where in that buffer it begins. */
  offsetOf(slot: number): number {
    const page = Math.floor(slot / SLOTS_MAX)
    return (page % CHUNK_PAGES) * PAGE_BYTES + (slot % SLOTS_MAX) * (this.#slotBytes[page] as number)
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
    const index = slot % SLOTS_MAX
    const pins = page.pins[index] as number
    if (pins === 0) page.pinned++
    page.pins[index] = pins + 1
  }

  unpin(slot: number): void {
    const page = this.#pageOf(slot)
    const index = slot % SLOTS_MAX
    const pins = (page.pins[index] as number) - 1
    page.pins[index] = pins
    if (pins === 0) page.pinned--
    if (pins === 0 && page.condemned[index] === 1) {
      page.condemned[index] = 0
      this.#release(page, index)
    }
  }

  /**
   * Entries of a page that another class than that of `bytes` could spare: of the class with the most pages that has one
   * where nothing is being sent, that with the fewest entries. Empty when there is none. Freeing them makes the page a
   * spare one.
   */
  victims(bytes: number): number[] {
    const wanted = CLASS_OF[Math.ceil(bytes / UNIT_BYTES)] as number
    const counts = new Uint32Array(CLASS_BYTES.length)
    for (const page of this.#pages)
      if (page.slotBytes > 0) counts[page.sizeClass] = (counts[page.sizeClass] as number) + 1
    let best: Page | null = null
    let bestCount = 0
    for (const page of this.#pages) {
      if (page.slotBytes === 0 || page.sizeClass === wanted || page.pinned > 0) continue
      const count = counts[page.sizeClass] as number
      if (best !== null && (count < bestCount || (count === bestCount && page.used >= best.used))) continue
      best = page
      bestCount = count
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
    this.#slotBytes[page.number] = slotBytes
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
    open.splice(open.lastIndexOf(page), 1)
    page.slotBytes = 0
    this.#spare.push(page)
  }
}
