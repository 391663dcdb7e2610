//! Fetches under way. Concurrent misses of a key share one fetch (spec/cloudfront.md 5.7): the first request leads it,
//! the others wait for its head and then read the same bytes while they arrive. An answer that may not be shared lets
//! them go, each to the origin for itself, and its key is remembered so that the next ones do not queue up again.
//! What is remembered of keys is bounded: who asks for many keys makes the oldest ones forgotten, and each of those then
//! costs one fetch that others wait for until its head is here, no more.
import { Flight } from './flight.ts'
import { RememberedKeys } from './remembered-keys.ts'

/** The fetches of one worker by key. */
export class Flights {
  readonly #running = new Map<string, Flight>()
  readonly #unshared = new RememberedKeys()
  readonly #oversize = new RememberedKeys()
  readonly #unsliced = new RememberedKeys()
  readonly #gone = new RememberedKeys<string>()

  /** The fetch that a request with this key may join, if there is one. */
  of(key: string): Flight | undefined {
    return this.#running.get(key)
  }

  /** True for a key whose last answer could not be shared. */
  isUnshared(key: string): boolean {
    return this.#unshared.has(key)
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
    this.#unshared.set(flight.key, true)
  }

  /** An answer of this key was shared after all. */
  share(key: string): void {
    this.#unshared.delete(key)
    this.fits(key)
  }

  /** True for a key whose object was last seen to be over the limit of what is kept: its ranges are the origin's. */
  isOversize(key: string): boolean {
    return this.#oversize.has(key)
  }

  /** The object is too large to be kept. */
  outgrow(key: string): void {
    this.#oversize.set(key, true)
  }

  /** The object could be kept after all. */
  fits(key: string): void {
    this.#oversize.delete(key)
  }

  /** True for a key of a large object whose slices were not to be had. */
  refusesSlices(key: string): boolean {
    return this.#unsliced.has(key)
  }

  /** The origin of a large object did not answer ranges as it said: the object passes as a whole from here on. */
  refuseSlices(key: string): void {
    this.#unsliced.set(key, true)
  }

  /** The origin no longer has this version of a large object (cache/slices.ts, versionName). */
  loseVersion(key: string, version: string): void {
    this.#gone.set(key, version)
  }

  /** True for a version that was lost: who keeps the key elsewhere may not have heard of it. */
  hasLost(key: string, version: string): boolean {
    return this.#gone.get(key) === version
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
