//! PURE: how far a replica is behind its primary, in time. The replication stream is counted in bytes, which say nothing
//! to a reader; so the primary's offset is noted with the time, and a replica is as old as the last offset it has.
//! Works while the primary and the replica cannot reach each other: the keeper asks both.

/** Offsets noted closer than this to the one before are not kept. Milliseconds. */
const SPACING_MS = 200
/** About 13 s of offsets at the least: well beyond what is allowed to a replica that is read from. */
const KEPT_MAX = 64

interface Sample {
  readonly atMs: number
  readonly offset: number
}

export class ReplicaLag {
  #primary = ''
  #samples: Sample[] = []

  /** `primary` had `offset` bytes of the stream at `atMs` (monotonic). Another primary, or a new stream, begins anew. */
  note(primary: string, offset: number, atMs: number): void {
    const last = this.#samples.at(-1)
    if (primary !== this.#primary || (last !== undefined && offset < last.offset)) this.#samples = []
    else if (last !== undefined && atMs - last.atMs < SPACING_MS) return
    this.#primary = primary
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
}
