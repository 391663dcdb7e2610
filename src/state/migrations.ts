//! The schema of the SQLite state as numbered steps. A step that was ever released is never edited: a change is a new row.
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../lib/clock.ts'
import { StateError } from './state-error.ts'

interface Migration {
  readonly number: number
  readonly name: string
  readonly sql: string
}

const MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    name: 'documents and their changes',
    sql: `
      CREATE TABLE document (
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (kind, id)
      ) WITHOUT ROWID, STRICT;
      CREATE TABLE change (
        sequence INTEGER PRIMARY KEY,
        revision INTEGER NOT NULL,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        deleted INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX change_revision ON change (revision);
      CREATE TABLE counter (
        revision INTEGER NOT NULL,
        pruned_revision INTEGER NOT NULL,
        opened_at INTEGER NOT NULL
      ) STRICT;
      INSERT INTO counter VALUES (0, 0, 0);
    `,
  },
  {
    number: 2,
    name: 'ids and revisions without the pages of the bodies',
    sql: 'CREATE INDEX document_revision ON document (kind, id, revision)',
  },
]

/** Number of the newest step; a database that has a later one was written by a newer program. */
export const SCHEMA_VERSION = MIGRATIONS.at(-1)?.number ?? 0

/**
 * Brings the database to SCHEMA_VERSION, all steps in one transaction.
 * @throws StateError when a newer program wrote it.
 */
export function migrate(db: DatabaseSync, file: string, clock: Clock): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    db.exec('CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT, applied_at INTEGER) STRICT')
    const at = Number(db.prepare('SELECT coalesce(max(number), 0) AS number FROM migration').get()?.number)
    if (at > SCHEMA_VERSION) {
      throw new StateError(
        `The state ${file} was written by a newer Cachefront (schema ${at}, this one knows ${SCHEMA_VERSION}): ` +
          'use that version, or choose another CACHEFRONT_HOME.',
      )
    }
    const record = db.prepare('INSERT INTO migration VALUES (?, ?, ?)')
    for (const step of MIGRATIONS) {
      if (step.number <= at) continue
      db.exec(step.sql)
      record.run(step.number, step.name, clock.wall())
    }
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
