//! Desired state, durable: what every API call writes and every reconciler reads. The interface of sqlite.ts (and later of
//! PostgreSQL, which is why it is asynchronous). Every commit takes the next revision; watchers hear of it afterwards.
import type { Documents, Kind } from './kinds.ts'

/** A document as it is stored. */
export interface Stored<T> {
  readonly id: string
  /** Revision of the commit that wrote this version of the document. */
  readonly revision: number
  readonly doc: T
}

/** One document that a commit wrote or deleted. */
export interface Change {
  readonly revision: number
  readonly kind: Kind
  readonly id: string
  readonly deleted: boolean
}

export interface ListRange {
  /** Ids greater than this one (ids are sorted by their bytes). */
  readonly after?: string
  /** Ids that begin with this. */
  readonly prefix?: string
  readonly limit?: number
}

export interface Reader {
  get<K extends Kind>(kind: K, id: string): Promise<Stored<Documents[K]> | undefined>
  list<K extends Kind>(kind: K, range?: ListRange): Promise<Stored<Documents[K]>[]>
}

/** All or nothing. Reads inside see the writes before them. */
export interface Transaction extends Reader {
  /** The revision that this commit will have. */
  readonly revision: number
  /** Writes the whole document, new or not. */
  put<K extends Kind>(kind: K, id: string, doc: Documents[K]): Promise<void>
  /** False when there was none. */
  delete(kind: Kind, id: string): Promise<boolean>
}

export interface State extends Reader {
  /** Revision of the newest commit; 0 at the beginning. */
  revision(): Promise<number>
  /**
   * Runs `work` alone (one transaction at a time) and commits durably when it resolves; a throw rolls all of it back.
   * A transaction that writes nothing takes no revision.
   */
  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  /** Changes after `revision`, oldest first; null when the log no longer reaches back that far. */
  changesSince(revision: number): Promise<Change[] | null>
  /** Calls after each commit of this process, in order. Returns what ends the watch. */
  watch(listener: (changes: readonly Change[]) => void): () => void
  close(): Promise<void>
}
