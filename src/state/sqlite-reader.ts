//! The reading half of the SQLite state, over one connection: the writer has one inside transactions, plain reads another.
import type { DatabaseSync } from 'node:sqlite'
import type { Documents, Kind } from './kinds.ts'
import { isKeptParsed, type ParsedDocuments } from './parsed-documents.ts'
import type { Change, ListRange, Stored } from './state.ts'

/** Sorts behind every id: no id contains the highest code point. */
const BEHIND_ALL = '\u{10FFFF}'

export interface SqliteReader {
  get<K extends Kind>(kind: K, id: string): Stored<Documents[K]> | undefined
  list<K extends Kind>(kind: K, range: ListRange): Stored<Documents[K]>[]
  revision(): number
  /** Null when the log has been pruned past `revision`, or when this state never had that revision. */
  changesSince(revision: number): Change[] | null
}

/** `parsed` is what all readers of a state share. */
export function readerOf(db: DatabaseSync, parsed: ParsedDocuments): SqliteReader {
  const sql = {
    get: db.prepare('SELECT id, revision, body FROM document WHERE kind = ? AND id = ?'),
    // Text compares by its bytes (collation BINARY over UTF-8).
    list: db.prepare(
      'SELECT id, revision, body FROM document WHERE kind = ? AND id > ? AND id >= ? AND id < ? ORDER BY id LIMIT ?',
    ),
    ids: db.prepare(
      'SELECT id, revision FROM document INDEXED BY document_revision WHERE kind = ? AND id > ? AND id >= ? AND id < ? ORDER BY id LIMIT ?',
    ),
    counter: db.prepare('SELECT revision, pruned_revision FROM counter'),
    changes: db.prepare('SELECT revision, kind, id, deleted FROM change WHERE revision > ? ORDER BY sequence'),
  }
  sql.ids.setReturnArrays(true)
  const counter = (): { revision: number; pruned: number } => {
    const row = sql.counter.get()
    return { revision: Number(row?.revision), pruned: Number(row?.pruned_revision) }
  }
  const stored = <K extends Kind>(row: Record<string, unknown>): Stored<Documents[K]> => ({
    id: String(row.id),
    revision: Number(row.revision),
    doc: JSON.parse(String(row.body)) as Documents[K],
  })
  return {
    get: <K extends Kind>(kind: K, id: string) => {
      const row = sql.get.get(kind, id)
      return row === undefined ? undefined : stored<K>(row)
    },
    list: <K extends Kind>(kind: K, range: ListRange) => {
      const prefix = range.prefix ?? ''
      // -1 is SQLite's way of saying no limit.
      const bounds = [range.after ?? '', prefix, prefix + BEHIND_ALL, range.limit ?? -1] as const
      if (!isKeptParsed(kind)) return sql.list.all(kind, ...bounds).map((row) => stored<K>(row))
      // What a transaction has written may yet be rolled back.
      const committed = counter().revision
      return (sql.ids.all(kind, ...bounds) as unknown as [string, number][]).map(([id, revision]) => {
        const known = parsed.get(kind, id, revision)
        if (known !== undefined) return known as Stored<Documents[K]>
        const made = stored<K>(sql.get.get(kind, id) as Record<string, unknown>)
        return revision <= committed ? (parsed.keep(kind, made) as Stored<Documents[K]>) : made
      })
    },
    revision: () => counter().revision,
    changesSince: (revision) => {
      const at = counter()
      if (revision < at.pruned || revision > at.revision) return null
      return sql.changes.all(revision).map((row) => ({
        revision: Number(row.revision),
        kind: row.kind as Kind,
        id: String(row.id),
        deleted: row.deleted === 1,
      }))
    },
  }
}
