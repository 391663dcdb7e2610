//! The database's side of write-behind: takes the log in its order, in batches, each write once.
//!
//!   PATTERNS_PRIMARY=127.16.0.1:6379 PATTERNS_DATABASE=items.db node examples/patterns/write-behind-worker.ts
//!
//! It may be killed at any moment: rows, ids and place in the log change in one transaction of the database.
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { client, endpointOf } from './support/cache.ts'
import { LOG } from './write-behind.ts'

const BATCH = 50
/** Milliseconds between two looks at a log that is empty. */
const LOOK_MS = 20
/** Ids of writes that are remembered: far more than can be repeated, for a repetition follows at once. */
const REMEMBERED = 10_000

export function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file)
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS item (id TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS write (id TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS place (one INTEGER PRIMARY KEY CHECK (one = 1), entry TEXT NOT NULL) STRICT;
    INSERT OR IGNORE INTO place VALUES (1, '0-0');`)
  return database
}

export function readValue(database: DatabaseSync, id: string): string | null {
  return (
    (database.prepare('SELECT value FROM item WHERE id = ?').get(id) as { value: string } | undefined)?.value ?? null
  )
}

/** Applies the next writes of the log. @returns how many entries it has taken */
export async function applyBatch(redis: Redis, database: DatabaseSync): Promise<number> {
  const { entry } = database.prepare('SELECT entry FROM place').get() as { entry: string }
  // What an earlier run has committed and did not live to remove.
  await redis.xtrim(LOG, 'MINID', next(entry))
  const entries = await redis.xrange(LOG, `(${entry}`, '+', 'COUNT', BATCH)
  const last = entries.at(-1)?.[0]
  if (last === undefined) return 0
  database.exec('BEGIN IMMEDIATE')
  try {
    for (const [, fields] of entries) applyOne(database, fields)
    database.prepare('UPDATE place SET entry = ?').run(last)
    database.prepare('DELETE FROM write WHERE number <= (SELECT MAX(number) FROM write) - ?').run(REMEMBERED)
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
  await redis.xtrim(LOG, 'MINID', next(last))
  return entries.length
}

function applyOne(database: DatabaseSync, fields: readonly string[]): void {
  const field = (name: string): string => fields[fields.indexOf(name) + 1] ?? ''
  const isNew = database
    .prepare('INSERT OR IGNORE INTO write SELECT ?, COALESCE(MAX(number), 0) + 1 FROM write')
    .run(field('write')).changes
  if (!isNew) return
  database
    .prepare('INSERT INTO item VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET value = excluded.value')
    .run(field('id'), field('value'))
}

/** The smallest id of an entry after this one. */
function next(entry: string): string {
  const [time, number] = entry.split('-')
  return `${time}-${BigInt(number ?? 0) + 1n}`
}

async function main(primary: string, file: string): Promise<void> {
  const redis = client(endpointOf(primary))
  const database = openDatabase(file)
  process.send?.('ready')
  for (;;) {
    const taken = await applyBatch(redis, database).catch((error: Error) => {
      console.error(`write-behind: ${error.message}; trying again`)
      return 0
    })
    if (taken === 0) await sleep(LOOK_MS)
  }
}

if (import.meta.main) {
  const { PATTERNS_PRIMARY, PATTERNS_DATABASE } = process.env
  if (PATTERNS_PRIMARY === undefined || PATTERNS_DATABASE === undefined) {
    console.error('PATTERNS_PRIMARY and PATTERNS_DATABASE say where the log is and which file is the database.')
    process.exit(2)
  }
  // It does not outlive the program that started it.
  process.on('disconnect', () => process.exit(0))
  await main(PATTERNS_PRIMARY, PATTERNS_DATABASE)
}
