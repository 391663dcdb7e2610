//! Sends what a viewer wants of a large object, slice after slice, at the viewer's own pace. At most the slice that is
//! being sent and a few ahead of it are held for a viewer, and none is begun while the viewer takes nothing.
import { ownsKey } from '../cache/owner.ts'
import { type SlicedVersion, sliceKey } from '../cache/slices.ts'
import type { Edge } from '../edge.ts'
import type { EdgeFault, Exchange } from '../exchange.ts'
import type { Cutter } from './cutter.ts'
import { type SliceChunk, SliceFetch } from './slice-fetch.ts'
import { breakOffOf, type StreamEnd } from './stream.ts'

/** Slices that are fetched before the one that is being sent has gone out. */
export const AHEAD_SLICES = 2
/** Slices that are looked up to tell a viewer beforehand that all of its answer is in the cache; of more it is not told. */
const LOOKED_UP_MAX = 1_024

/** What is known when the first bytes could go out. */
export type Opening =
  | { readonly kind: 'ready'; readonly allCached: boolean }
  | { readonly kind: 'fault'; readonly fault: EdgeFault }
  | { readonly kind: 'viewer-gone' }

export class SliceStream {
  readonly #x: Exchange
  readonly #edge: Edge
  readonly #version: SlicedVersion
  readonly #cutter: Cutter
  /** In the order of the object; the first is the one that is being sent. */
  readonly #fetches: SliceFetch[] = []
  /** The slice up to which all that are needed have been begun. */
  #begunTo = 0
  #wake: () => void = () => {}
  /** The head of the answer has gone out. */
  #isSending = false
  /** Slices that bytes were taken of, and those of them that did not come from the cache. */
  used = 0
  missed = 0

  constructor(x: Exchange, edge: Edge, version: SlicedVersion, cutter: Cutter) {
    this.#x = x
    this.#edge = edge
    this.#version = version
    this.#cutter = cutter
  }

  /**
   * Begins with the first slice and resolves when it is known where that comes from, or why it cannot be had. While they
   * come from the cache the next are begun too: the head of the answer says whether all of them do.
   */
  open(): Promise<Opening> {
    const { reply } = this.#x
    return new Promise((resolve) => {
      this.#wake = inTurns(() => {
        const opening = this.#opening()
        if (opening === null) return
        this.#wake = () => {}
        reply.onAbort = null
        if (opening.kind !== 'ready') this.#leaveAll()
        resolve(opening)
      })
      reply.onAbort = this.#wake
      this.#beginNext()
      this.#wake()
    })
  }

  /** Sends everything after the head; resolves when that is done, the viewer has left, or a slice could not be had. */
  send(): Promise<{ readonly end: StreamEnd; readonly fault: EdgeFault | null }> {
    const { reply } = this.#x
    this.#isSending = true
    return new Promise((resolve) => {
      let blocked = false
      const finish = (end: StreamEnd, fault: EdgeFault | null = null): void => {
        this.#wake = () => {}
        reply.onDrain = reply.onAbort = null
        if (end === 'complete') for (const fetch of this.#fetches) this.#finishWith(fetch)
        else this.#leaveAll()
        resolve({ end, fault })
      }
      this.#wake = inTurns(() => {
        while (!blocked) {
          if (reply.gone) return finish('ClientCommError')
          const fetch = this.#current()
          if (fetch === null) {
            reply.end()
            return finish('complete')
          }
          const chunk = fetch.take()
          if (chunk !== null) blocked = !this.#write(chunk)
          else if (fetch.failure !== null) {
            // The only honest end of a body that cannot be finished.
            reply.abort()
            return finish(breakOffOf(fetch.failure.origin ?? 'reset'), fetch.failure)
          } else return
        }
      })
      reply.onDrain = () => {
        blocked = false
        while (this.#fetches.length <= AHEAD_SLICES && this.#beginNext());
        this.#wake()
      }
      reply.onAbort = () => finish('ClientCommError')
      this.#wake()
    })
  }

  /** Null while it is not known. */
  #opening(): Opening | null {
    if (this.#x.reply.gone) return { kind: 'viewer-gone' }
    for (let at = 0; at <= AHEAD_SLICES; at++) {
      const fetch = this.#fetches[at] ?? (this.#beginNext() ? this.#fetches[at] : undefined)
      if (fetch === undefined) return { kind: 'ready', allCached: true }
      const { failure, result } = fetch
      // What is wrong with a later one is told when its turn comes.
      if (failure !== null) return at === 0 ? { kind: 'fault', fault: failure } : { kind: 'ready', allCached: false }
      if (result === null) return null
      if (result !== 'Hit') return { kind: 'ready', allCached: false }
    }
    return { kind: 'ready', allCached: this.#restIsCached() }
  }

  /** True when every slice that is not begun yet lies in this worker's own cache. */
  #restIsCached(): boolean {
    let lookedUp = 0
    for (let at = this.#sliceFrom(this.#begunTo); at !== null; at = this.#sliceFrom(at + 1)) {
      if (lookedUp++ === LOOKED_UP_MAX) return false
      if (!this.#isCached(sliceKey({ of: this.#version, at }))) return false
    }
    return true
  }

  #isCached(key: string): boolean {
    const { store, disk } = this.#edge
    return store.get(key) !== null || (disk.mayHave(key) && ownsKey(key, this.#edge))
  }

  /** The first slice from number `at` on that holds a byte which is needed; null when there is none. */
  #sliceFrom(at: number): number | null {
    const { sliceBytes } = this.#version
    const byte = this.#cutter.neededFrom(at * sliceBytes)
    return byte === null ? null : Math.floor(byte / sliceBytes)
  }

  /** Begins the next slice that is needed; false when all are begun. */
  #beginNext(): boolean {
    const at = this.#sliceFrom(this.#begunTo)
    if (at === null) return false
    this.#begunTo = at + 1
    const fetch = new SliceFetch({ of: this.#version, at }, () => this.#wake())
    if (this.#fetches.push(fetch) === 1) this.#cutter.skipTo(at * this.#version.sliceBytes)
    fetch.begin(this.#x, this.#edge, this.#isSending)
    return true
  }

  /** The fetch of the slice that the next byte is in; null when no more are needed. */
  #current(): SliceFetch | null {
    if (this.#cutter.done) return null
    const first = this.#fetches[0]
    if (first !== undefined) {
      const needed = this.#sliceFrom(first.slice.at)
      // A slice of which not all bytes came is not spent, and never will be.
      if (needed === first.slice.at && !first.spent) return first
      this.#fetches.shift()
      this.#finishWith(first)
      const next = this.#fetches[0]
      if (next !== undefined) this.#cutter.skipTo(next.slice.at * this.#version.sliceBytes)
    }
    if (this.#fetches.length === 0) this.#beginNext()
    return this.#fetches[0] ?? null
  }

  /** False when the viewer is behind. */
  #write({ bytes, onSent }: SliceChunk): boolean {
    const { reply } = this.#x
    const pieces = this.#cutter.take(bytes)
    const last = pieces.pop()
    for (const piece of pieces) reply.write(piece)
    if (last !== undefined) return reply.write(last, onSent ?? undefined)
    onSent?.()
    return true
  }

  /** The viewer has all that it wants of it; the cache may still want the rest. */
  #finishWith(fetch: SliceFetch): void {
    this.used++
    if (fetch.result !== 'Hit') this.missed++
    fetch.letGo()
  }

  #leaveAll(): void {
    for (const fetch of this.#fetches) fetch.leave()
  }
}

/** Runs `turn` when called, one at a time: calls that come while it runs are made good after it. */
function inTurns(turn: () => void): () => void {
  let running = false
  let again = false
  return () => {
    again = true
    if (running) return
    running = true
    while (again) {
      again = false
      turn()
    }
    running = false
  }
}
