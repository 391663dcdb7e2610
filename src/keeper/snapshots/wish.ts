//! What control wishes of snapshots and what the keeper sees of them. A snapshot is a directory
//! `<home>/snapshots/<id>/` with sealed files and a manifest (manifest.ts); it outlives its group, and it is deleted only
//! when its id stands among the wished deletions: a control that lost its state deletes nothing by leaving it out.

/**
 * Capture the data of a group, once. Idempotent: an id that is ready or failed already is not captured again, so the wish
 * may stay as long as control likes; one that disappears from the wish while it is captured is finished all the same.
 */
export interface SnapshotWish {
  /** Chosen by control and never used again, not even after a deletion: `[a-z0-9][a-z0-9.-]*`, at most 255 bytes. */
  readonly id: string
  /** Id of the GroupWish that is captured; redis and valkey only. */
  readonly group: string
  /** `replica`: one in sync, the primary where there is none. `primary`: the freshest data. Else a node of the group. */
  readonly from: 'replica' | 'primary' | { readonly node: string }
  /** Key that wraps the data key: an id, ARN or alias the keys here know; null for the installation's own key. */
  readonly kmsKeyId: string | null
}

/** `capturing` also while it waits for its group to settle; `ready` and `failed` stay. */
export type SnapshotState = 'capturing' | 'ready' | 'failed'

export interface SnapshotSeen {
  readonly id: string
  readonly state: SnapshotState
  /** Group and node it is captured from; the node is null before one was chosen, and both for an imported one. */
  readonly group: string | null
  readonly node: string | null
  /** Bytes of plaintext RDB sealed so far; the whole size when it is ready. */
  readonly bytes: number
  /** An estimate, from the engine's memory; null when nothing is known. Exact when it is ready. */
  readonly bytesTotal: number | null
  /** 1 for the first try; a broken connection or a keeper that died begins anew with the next number. */
  readonly attempt: number
  /** ISO times, host clock. */
  readonly startedAt: string
  readonly finishedAt: string | null
  /** Why it failed, or what the capture waits for, in words for a person. */
  readonly problem: string | null
  /** What is in it; null before it is ready. */
  readonly facts: SnapshotFacts | null
}

/** Known from the captured stream itself, or from the node at that moment. */
export interface SnapshotFacts {
  /** Bytes of the plaintext RDB. */
  readonly rdbBytes: number
  /** Bytes of the sealed files on disk. */
  readonly sealedBytes: number
  /** Format of the RDB: 10 for redis 7.0, 11 for redis 7.2, 80 for valkey 9. */
  readonly rdbVersion: number
  /** From the RDB's own header (`redis-ver`, `valkey-ver`), e.g. `7.0.15`; null where it names none. */
  readonly engineVersion: string | null
  /** Bytes of memory that the data set took in the engine (`used-mem` of the RDB's header); null where it names none. */
  readonly usedMemoryBytes: number | null
  /** Keys by number of the database, at the moment of the capture; null for an imported RDB. */
  readonly keys: Readonly<Record<string, number>> | null
  /** Key that wraps its data key, as the keys here name it (an ARN). */
  readonly kmsKeyArn: string
}

/** How a new group gets its data: see `GroupWish.restoreFrom`. */
export interface RestoreWish {
  /** Id of a snapshot that is ready in the snapshot directory, captured or imported. */
  readonly snapshot: string
}

export interface RestoreSeen {
  readonly snapshot: string
  /**
   * `waiting` for its node to start; `loading`; `done`; `failed` for good: nothing of the group is served, and it stays
   * so until it is no longer wished.
   */
  readonly state: 'waiting' | 'loading' | 'done' | 'failed'
  /** Bytes of plaintext RDB handed to the engine, of how many. */
  readonly bytes: number
  readonly bytesTotal: number | null
  /** 1 for the first try; an engine or keeper that died in the middle begins anew with the next number. */
  readonly attempt: number
  readonly problem: string | null
}
