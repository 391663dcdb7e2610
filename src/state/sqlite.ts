//! State in one SQLite file: WAL, an fsync for each commit, one writer. Plain reads have a connection of their own, so
//! that they see the last commit and never the half of a transaction that is still at work.
import { AsyncLocalStorage } from 'node:async_hooks'
import { chmod, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../lib/clock.ts'
import { makePrivateDirectory } from '../lib/private-directory.ts'
import type { Documents, Kind } from './kinds.ts'
import { migrate } from './migrations.ts'
import { ParsedDocuments } from './parsed-documents.ts'
import { readerOf } from './sqlite-reader.ts'
import type { Change, ListRange, State, Stored, Transaction } from './state.ts'
import { asStateError, StateError } from './state-error.ts'

/** Changes that the log keeps; whoever is further behind begins anew with a snapshot. Rows. */
export const CHANGES_KEPT = 100_000
/** How long a statement waits for another process that holds the file. Milliseconds. */
const BUSY_MS = 2_000
/** Size to which the write-ahead log is cut after a checkpoint. Bytes. */
const WAL_BYTES = 16 * 1024 * 1024

export interface SqliteOptions {
  /** Rows; CHANGES_KEPT unless a test wants the horizon near. */
  readonly changesKept?: number
}

/**
 * Opens (and makes, with a directory of mode 0700 and a file of mode 0600) the state in `file`, and proves with one
 * durable write that it can be written.
 * @throws StateError in one line for a person: full disk, no right to write, damaged, written by a newer program.
 */
export async function openSqliteState(file: string, clock: Clock, options: SqliteOptions = {}): Promise<State> {
  let writer: DatabaseSync | undefined
  try {
    await makePrivateDirectory(dirname(file))
    await (await open(file, 'a', 0o600)).close()
    // SQLite gives its -wal and -shm files the mode of the database.
    await chmod(file, 0o600)
    writer = new DatabaseSync(file, { timeout: BUSY_MS })
    writer.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${WAL_BYTES}`)
    migrate(writer, file, clock)
    writer.prepare('UPDATE counter SET opened_at = ?').run(clock.wall())
    const reader = new DatabaseSync(file, { timeout: BUSY_MS, readOnly: true })
    return new SqliteState(file, writer, reader, options.changesKept ?? CHANGES_KEPT)
  } catch (error) {
    if (writer?.isOpen) writer.close()
    throw asStateError(error, file)
  }
}

class SqliteState implements State {
  readonly #file: string
  readonly #writer: DatabaseSync
  readonly #readerConnection: DatabaseSync
  readonly #changesKept: number
  readonly #parsed = new ParsedDocuments()
  readonly #read
  readonly #readInside
  readonly #sql
  readonly #listeners = new Set<(changes: readonly Change[]) => void>()
  /** Marks what runs inside `transact`: a second one in there would wait for itself for ever. */
  readonly #inside = new AsyncLocalStorage<{ open: boolean }>()
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(file: string, writer: DatabaseSync, reader: DatabaseSync, changesKept: number) {
    this.#file = file
    this.#writer = writer
    this.#readerConnection = reader
    this.#changesKept = changesKept
    this.#read = readerOf(reader, this.#parsed)
    this.#readInside = readerOf(writer, this.#parsed)
    this.#sql = {
      put: writer.prepare(
        'INSERT INTO document VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET revision = excluded.revision, body = excluded.body',
      ),
      delete: writer.prepare('DELETE FROM document WHERE kind = ? AND id = ?'),
      change: writer.prepare('INSERT INTO change (revision, kind, id, deleted) VALUES (?, ?, ?, ?)'),
      revision: writer.prepare('UPDATE counter SET revision = ?'),
      horizon: writer.prepare('SELECT revision FROM change WHERE sequence = (SELECT max(sequence) FROM change) - ?'),
      prune: writer.prepare('DELETE FROM change WHERE sequence <= (SELECT max(sequence) FROM change) - ?'),
      pruned: writer.prepare('UPDATE counter SET pruned_revision = ?'),
    }
  }

  async get<K extends Kind>(kind: K, id: string): Promise<Stored<Documents[K]> | undefined> {
    return this.#guarded(() => this.#read.get(kind, id))
  }

  async list<K extends Kind>(kind: K, range: ListRange = {}): Promise<Stored<Documents[K]>[]> {
    return this.#guarded(() => this.#read.list(kind, range))
  }

  async revision(): Promise<number> {
    return this.#guarded(() => this.#read.revision())
  }

  async changesSince(revision: number): Promise<Change[] | null> {
    return this.#guarded(() => this.#read.changesSince(revision))
  }

  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    if (this.#inside.getStore()?.open) {
      return Promise.reject(new Error('a transaction inside a transaction would wait for itself'))
    }
    const run = this.#last.then(() => this.#transactAlone(work))
    this.#last = run.catch(() => undefined)
    return run
  }

  async #transactAlone<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    this.#guarded(() => this.#writer.exec('BEGIN IMMEDIATE'))
    const mark = { open: true }
    const changes = new Map<string, Change>()
    let result: T
    try {
      result = await this.#inside.run(mark, () => work(this.#transaction(mark, changes)))
      mark.open = false
      this.#guarded(() => this.#commit([...changes.values()]))
    } catch (error) {
      mark.open = false
      // SQLite itself has rolled back after some errors, a full disk among them.
      if (this.#writer.isOpen && this.#writer.isTransaction) this.#writer.exec('ROLLBACK')
      throw error
    }
    for (const { kind, id, deleted } of changes.values()) if (deleted) this.#parsed.forget(kind, id)
    if (changes.size > 0) this.#tell([...changes.values()])
    return result
  }

  #transaction(mark: { readonly open: boolean }, changes: Map<string, Change>): Transaction {
    const revision = this.#readInside.revision() + 1
    const guarded = async <T>(act: () => T): Promise<T> => {
      if (!mark.open) throw new Error('this transaction has ended')
      return this.#guarded(act)
    }
    const note = (kind: Kind, id: string, deleted: boolean): void => {
      // The newest change of a document stands, and stands last.
      const key = `${kind}/${id}`
      changes.delete(key)
      changes.set(key, { revision, kind, id, deleted })
    }
    return {
      revision,
      get: (kind, id) => guarded(() => this.#readInside.get(kind, id)),
      list: (kind, range = {}) => guarded(() => this.#readInside.list(kind, range)),
      put: (kind, id, doc) =>
        guarded(() => {
          this.#sql.put.run(kind, id, revision, JSON.stringify(doc))
          note(kind, id, false)
        }),
      delete: (kind, id) =>
        guarded(() => {
          const found = this.#sql.delete.run(kind, id).changes > 0
          if (found) note(kind, id, true)
          return found
        }),
    }
  }

  #commit(changes: readonly Change[]): void {
    const [first] = changes
    if (first !== undefined) {
      for (const c of changes) this.#sql.change.run(c.revision, c.kind, c.id, c.deleted ? 1 : 0)
      this.#sql.revision.run(first.revision)
      const horizon = this.#sql.horizon.get(this.#changesKept)
      if (horizon !== undefined) {
        this.#sql.prune.run(this.#changesKept)
        this.#sql.pruned.run(Number(horizon.revision))
      }
    }
    this.#writer.exec('COMMIT')
  }

  #tell(changes: readonly Change[]): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(changes)
      } catch (error) {
        // The commit stands and the others must hear of it; the bug must not hide either.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  watch(listener: (changes: readonly Change[]) => void): () => void {
    // An own function each time: the same listener may watch twice, and ends only its own watch.
    const own = (changes: readonly Change[]): void => listener(changes)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Waits for the transactions that have been asked for, then closes; a second call does nothing. */
  async close(): Promise<void> {
    await this.#last
    if (this.#closed) return
    this.#closed = true
    this.#listeners.clear()
    this.#readerConnection.close()
    this.#writer.close()
  }

  #guarded<T>(act: () => T): T {
    if (this.#closed) throw new StateError(`The state ${this.#file} is closed.`)
    try {
      return act()
    } catch (error) {
      throw asStateError(error, this.#file)
    }
  }
}
