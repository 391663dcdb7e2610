//! PURE: how far a replica is behind its primary, in time. The replication stream is counted in bytes, which say nothing
//! to a reader; so the primary's offset is noted with the time, and a replica is as old as the last offset it has.
//! Works while the primary and the replica cannot reach each other: the keeper asks both.

/** Offsets noted closer than this to the one before are not kept. Milliseconds. */
const SPACING_MS = 200
/** About 13 s of offsets at the least: well beyond what is allowed to a replica that is read from. */
const KEPT_MAX = 64
/**
 * A replica that was just filled has caught up when it is at most this far behind, besides having all that its primary
 * had when their link came up. Under constant writes it is always some milliseconds behind. Milliseconds.
 */
const CAUGHT_UP_MAX_MS = 1000

interface Sample {
  readonly atMs: number
  readonly offset: number
}

/** A replica as it was seen. */
export interface ReplicaSeen {
  readonly id: string
  /** Of its process; null before it has one. */
  readonly pid: number | null
  /** It was available when this keeper first saw that process: an earlier keeper had waited for it. */
  readonly wasAvailable: boolean
  /** It holds a copy of the data, and has not begun anew. */
  readonly hasData: boolean
  /** Its link to the primary is up. */
  readonly inSync: boolean
  /** Bytes of the stream that it had at `atMs` (monotonic). */
  readonly offset: number
  readonly atMs: number
}

/** How far a replica has come since its process began, or its data was thrown away. */
interface Filling {
  readonly pid: number | null
  /** Of which stream, by `#stream`, `linkedAtMs` and `mark` are. */
  stream: number
  /** When its link was first seen up; null while it is not. */
  linkedAtMs: number | null
  /** What the primary had once the link was up; null until it was asked after that. */
  mark: number | null
  done: boolean
}

export class ReplicaLag {
  #primary = ''
  #samples: Sample[] = []
  /** The primary as it was asked last. */
  #latest: Sample | null = null
  /** Counts primaries and streams. */
  #stream = 0
  readonly #fillings = new Map<string, Filling>()

  /** `primary` had `offset` bytes of the stream at `atMs` (monotonic). Another primary, or a new stream, begins anew. */
  note(primary: string, offset: number, atMs: number): void {
    const last = this.#latest
    if (last !== null && (primary !== this.#primary || offset < last.offset)) {
      this.#samples = []
      this.#stream++
    }
    this.#primary = primary
    this.#latest = { atMs, offset }
    const kept = this.#samples.at(-1)
    if (kept !== undefined && atMs - kept.atMs < SPACING_MS) return
    this.#samples.push({ atMs, offset })
    if (this.#samples.length > KEPT_MAX) this.#samples.shift()
  }

  /**
   * Milliseconds for which a replica that had `offset` bytes at `atMs` was behind what the primary was known to have by
   * then; 0 when it had all of it, or nothing is known. As coarse as the primary is asked: a second.
   */
  of(offset: number, atMs: number): number {
    const before = this.#samples.filter((sample) => sample.atMs <= atMs)
    const newest = before.at(-1)
    const reached = before.findLast((sample) => sample.offset <= offset) ?? before[0]
    return newest === undefined || reached === undefined ? 0 : newest.atMs - reached.atMs
  }

  /**
   * Whether a replica has caught up since it was filled. That its link is up does not say so: what was written while its
   * data was on the way comes after. Once true it stays so until its data is thrown away; from then on `of` tells.
   */
  hasCaughtUp(replica: ReplicaSeen): boolean {
    const filling = this.#fillingOf(replica)
    if (!replica.hasData) filling.done = false
    if (!replica.hasData || !replica.inSync || filling.stream !== this.#stream) {
      filling.linkedAtMs = null
      filling.mark = null
      filling.stream = this.#stream
    }
    if (filling.done || !replica.hasData || !replica.inSync) return filling.done
    filling.linkedAtMs ??= replica.atMs
    if (this.#latest !== null && this.#latest.atMs >= filling.linkedAtMs) filling.mark ??= this.#latest.offset
    const hasAll = filling.mark !== null && replica.offset >= filling.mark
    filling.done = hasAll && this.of(replica.offset, replica.atMs) <= CAUGHT_UP_MAX_MS
    return filling.done
  }

  #fillingOf({ id, pid, wasAvailable }: ReplicaSeen): Filling {
    const known = this.#fillings.get(id)
    if (known?.pid === pid) return known
    const filling = { pid, stream: this.#stream, linkedAtMs: null, mark: null, done: wasAvailable }
    this.#fillings.set(id, filling)
    return filling
  }
}
