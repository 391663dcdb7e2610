//! Which objects the disk tier has and where: the table of their places, and where the newer meta of some of them lies.
import { FLAG, LocationTable, NONE, type Place } from './location-table.ts'
import { kindNumber } from './record.ts'

export class ObjectIndex {
  readonly table = new LocationTable()
  /** Places of the `meta` records that count, by hash. */
  readonly #renewals = new Map<string, Place>()

  placeOf(slot: number): Place {
    return { segment: this.table.segment(slot), unit: this.table.unit(slot), length: this.table.length(slot) }
  }

  /** True while the object with this hash lies there. */
  isAt(a: number, b: number, { segment, unit }: Omit<Place, 'length'>): boolean {
    const slot = this.table.find(a, b)
    return slot !== NONE && this.table.segment(slot) === segment && this.table.unit(slot) === unit
  }

  renewalOf(a: number, b: number): Place | undefined {
    return this.#renewals.size === 0 ? undefined : this.#renewals.get(nameOf(a, b))
  }

  set(a: number, b: number, { segment, unit, length }: Place): void {
    if (this.#renewals.size > 0) this.#renewals.delete(nameOf(a, b))
    this.table.set(a, b, segment, unit, length)
  }

  renew(a: number, b: number, place: Place): void {
    const slot = this.table.find(a, b)
    if (slot === NONE) return
    this.table.flag(slot, FLAG.renewed)
    this.#renewals.set(nameOf(a, b), place)
  }

  forget(a: number, b: number): void {
    const slot = this.table.find(a, b)
    if (slot === NONE) return
    if (this.#renewals.size > 0) this.#renewals.delete(nameOf(a, b))
    this.table.remove(slot)
  }

  /** Forgets what lies in a segment; returns how many objects. */
  forgetSegment(segment: number): number {
    if (this.#renewals.size > 0)
      for (const slot of this.table.slotsOf(segment))
        this.#renewals.delete(nameOf(this.table.hashA(slot), this.table.hashB(slot)))
    return this.table.removeSegment(segment)
  }

  /** A record as it was found on opening; later ones overrule earlier ones. `kind` as of record.ts (`kindNumber`). */
  enter(a: number, b: number, kind: number, place: Place): void {
    if (kind === OBJECT) this.set(a, b, place)
    else if (kind === META) this.renew(a, b, place)
    else this.forget(a, b)
  }

  clear(): void {
    this.table.clear()
    this.#renewals.clear()
  }
}

const OBJECT = kindNumber('object')
const META = kindNumber('meta')

const nameOf = (a: number, b: number): string => `${a},${b}`
