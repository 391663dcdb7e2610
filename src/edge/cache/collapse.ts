//! Fetches under way. Concurrent misses of a key share one fetch (spec/cloudfront.md 5.7): the first request leads it,
//! the others wait for its head and then read the same bytes while they arrive. An answer that may not be shared lets
//! them go, each to the origin for itself, and its key is remembered so that the next ones do not queue up again.
import { Flight } from './flight.ts'

/** Keys remembered as not worth waiting for, and as too large to keep. */
const UNSHARED_KEYS_MAX = 65_536

/** The fetches of one worker by key. */
export class Flights {
  readonly #running = new Map<string, Flight>()
  readonly #unshared = new Set<string>()
  readonly #oversize = new Set<string>()
  readonly #unsliced = new Set<string>()

  /** The fetch that a request with this key may join, if there is one. */
  of(key: string): Flight | undefined {
    return this.#running.get(key)
  }

  /** True for a key whose last answer could not be shared. */
  isUnshared(key: string): boolean {
    return this.#unshared.size > 0 && this.#unshared.has(key)
  }

  /** Begins a fetch that others may join; it takes the place of an older one of the same key, which goes on alone. */
  begin(key: string, asOf: number): Flight {
    const flight = new Flight(key, asOf)
    this.#running.set(key, flight)
    flight.onOver = () => this.#remove(flight)
    return flight
  }

  /** No more requests may join: its answer is not to be shared. The key is remembered. */
  unshare(flight: Flight): void {
    this.#remove(flight)
    if (this.#unshared.size >= UNSHARED_KEYS_MAX) this.#unshared.clear()
    this.#unshared.add(flight.key)
  }

  /** An answer of this key was shared after all. */
  share(key: string): void {
    if (this.#unshared.size > 0) this.#unshared.delete(key)
    this.fits(key)
  }

  /** True for a key whose object was last seen to be over the limit of what is kept: its ranges are the origin's. */
  isOversize(key: string): boolean {
    return this.#oversize.size > 0 && this.#oversize.has(key)
  }

  /** The object is too large to be kept. */
  outgrow(key: string): void {
    if (this.#oversize.size >= UNSHARED_KEYS_MAX) this.#oversize.clear()
    this.#oversize.add(key)
  }

  /** The object could be kept after all. */
  fits(key: string): void {
    if (this.#oversize.size > 0) this.#oversize.delete(key)
  }

  /** True for a key of a large object whose slices were not to be had. */
  refusesSlices(key: string): boolean {
    return this.#unsliced.size > 0 && this.#unsliced.has(key)
  }

  /** The origin of a large object did not answer ranges as it said: the object passes as a whole from here on. */
  refuseSlices(key: string): void {
    if (this.#unsliced.size >= UNSHARED_KEYS_MAX) this.#unsliced.clear()
    this.#unsliced.add(key)
  }

  /** No more requests may join, for reasons of this one fetch. */
  close(flight: Flight): void {
    this.#remove(flight)
  }

  /** The fetch is known under another key from here on: its answer is one variant of the key that was asked for. */
  move(flight: Flight, key: string): void {
    const joinable = this.#running.get(flight.key) === flight
    this.#remove(flight)
    flight.key = key
    if (joinable && !this.#running.has(key)) this.#running.set(key, flight)
  }

  get size(): number {
    return this.#running.size
  }

  #remove(flight: Flight): void {
    if (this.#running.get(flight.key) === flight) this.#running.delete(flight.key)
  }
}
