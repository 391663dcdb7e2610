//! What the keeper must not forget, in one SQLite file under its home (0600): the wish, who is primary, which process
//! runs where, which addresses are given out, and what happened that control has not acknowledged yet.
//! Intent is written before the act: after a crash at any instant the same decider goes on from here.
import { chmodSync, closeSync, openSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { ProcessIdentity } from '../lib/process.ts'
import type { KeeperEvent, KeeperWish, NodeState } from './protocol.ts'
import type { RestoreRecord } from './snapshots/restoration.ts'
import type { CertificateOrigin } from './transit.ts'

/** Events kept for a control that stays away; older ones are dropped first. About 20 MB. */
const EVENTS_KEPT_MAX = 100_000

/** The process of a node as it was started. */
export interface NodeRecord {
  readonly group: string
  readonly node: string
  readonly process: ProcessIdentity
  readonly binaryVersion: string
  /** What it was doing; `available` and then dead means lost. */
  readonly phase: NodeState
  /** Configuration it was started with: what cannot be read back from the engine is compared with this. */
  readonly startedWith: readonly (readonly [string, string])[]
  /** ISO time of its first answer; null before. */
  readonly availableSince: string | null
  /** Engine and version that it was started for, `redis 7.1`; absent in ledgers that were written earlier. */
  readonly startedFor?: string | null
  /** Directory of its process where that is not the node's usual one: it took the place of another, or came over. */
  readonly dir?: string
}

export interface GroupRecord {
  readonly id: string
  /** Node that is primary, as decided; null for memcached. */
  readonly primary: string | null
  /** Version of the membership list of a memcached cluster, rising by one with each change. */
  readonly membershipVersion: number
  /** memcached: pid of each listed node's process by address, to tell a node that was replaced; absent: not noted yet. */
  readonly memberProcesses?: Readonly<Record<string, number>>
  readonly members: readonly string[]
  /** Numbers of wished restarts already done, by node. */
  readonly restarts: Readonly<Record<string, number>>
  /** A failover that was begun and whose event has not been written; the next keeper tells of it when it is done. */
  readonly failover?: { readonly from: string; readonly to: string } | null
  /** Number of the last wished role change that is done; absent for none. */
  readonly roleChange?: number
  /** Of a group that gets its data from a snapshot, from its beginning; absent for any other. */
  readonly restore?: RestoreRecord
  /** Of the newest certificate; absent for a group that never had one. */
  readonly certificate?: CertificateOrigin
}

export interface WorkerRecord {
  readonly name: string
  readonly process: ProcessIdentity
  readonly version: string
  readonly args: readonly string[]
  readonly restarts: number
}

/**
 * Room that the ledger holds ready, in the file and in the log before it: what a failover has to write down finds a place
 * on a full disk. Bytes; many times what any number of failovers writes between two checkpoints.
 */
const RESERVE_BYTES = 1024 * 1024

const SCHEMA = `
  pragma journal_mode = wal;
  -- A checkpoint after 512 KiB: the log goes back to its beginning long before the room that it holds is used up.
  pragma wal_autocheckpoint = 128;
  pragma synchronous = normal;
  pragma busy_timeout = 2000;
  create table if not exists fact (name text primary key, body text not null) strict;
  create table if not exists address (address text primary key, owner text not null, purpose text not null,
    unique (owner, purpose)) strict;
  create table if not exists node (group_id text, node text, body text not null, primary key (group_id, node)) strict;
  create table if not exists grp (id text primary key, body text not null) strict;
  create table if not exists secret (group_id text, name text, body text not null, primary key (group_id, name)) strict;
  create table if not exists worker (name text primary key, body text not null) strict;
  create table if not exists event (sequence integer primary key autoincrement, at text not null,
    group_id text not null, body text not null) strict;
`

export class Ledger {
  readonly #db: DatabaseSync

  /** Opens or makes the ledger at `path`. @throws when the file cannot be written. */
  constructor(path: string) {
    // Before SQLite makes files beside it, which take over its mode: it holds secrets.
    closeSync(openSync(path, 'a', 0o600))
    chmodSync(path, 0o600)
    this.#db = new DatabaseSync(path)
    this.#db.exec(SCHEMA)
    this.#reserve(path)
  }

  /** Writes what it removes again: the pages stay with the file, and the log keeps its length until it is closed. */
  #reserve(path: string): void {
    if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) >= RESERVE_BYTES) return
    try {
      this.#run(`insert or replace into fact values ('reserve', hex(zeroblob(${RESERVE_BYTES / 2})))`)
      this.#run(`delete from fact where name = 'reserve'`)
    } catch {
      // The disk is full already: it must do with what it has.
    }
  }

  close(): void {
    this.#db.close()
  }

  #all<T>(sql: string, ...values: (string | number)[]): T[] {
    return this.#db.prepare(sql).all(...values) as T[]
  }

  #run(sql: string, ...values: (string | number)[]): void {
    this.#db.prepare(sql).run(...values)
  }

  /** All that `write` does, or nothing of it: a keeper killed in its middle has done none. */
  atomically(write: () => void): void {
    this.#db.exec('begin immediate')
    try {
      write()
      this.#db.exec('commit')
    } catch (error) {
      this.#db.exec('rollback')
      throw error
    }
  }

  fact<T>(name: string): T | null {
    const row = this.#all<{ body: string }>('select body from fact where name = ?', name)[0]
    return row === undefined ? null : (JSON.parse(row.body) as T)
  }

  setFact(name: string, value: unknown): void {
    this.#run('insert or replace into fact values (?, ?)', name, JSON.stringify(value))
  }

  wish(): KeeperWish | null {
    return this.fact<KeeperWish>('wish')
  }

  setWish(wish: KeeperWish): void {
    this.setFact('wish', wish)
  }

  /** Addresses given out, by `owner` and what for. */
  addresses(): readonly { readonly address: string; readonly owner: string; readonly purpose: string }[] {
    return this.#all('select address, owner, purpose from address')
  }

  addAddress(address: string, owner: string, purpose: string): void {
    this.#run('insert into address values (?, ?, ?)', address, owner, purpose)
  }

  /** Gives back one address of `owner`, or all of them. */
  dropAddress(owner: string, purpose?: string): void {
    if (purpose === undefined) this.#run('delete from address where owner = ?', owner)
    else this.#run('delete from address where owner = ? and purpose = ?', owner, purpose)
  }

  nodes(): readonly NodeRecord[] {
    return this.#all<{ body: string }>('select body from node').map((row) => JSON.parse(row.body) as NodeRecord)
  }

  setNode(record: NodeRecord): void {
    this.#run('insert or replace into node values (?, ?, ?)', record.group, record.node, JSON.stringify(record))
  }

  dropNode(group: string, node: string): void {
    this.#run('delete from node where group_id = ? and node = ?', group, node)
  }

  group(id: string): GroupRecord | null {
    const row = this.#all<{ body: string }>('select body from grp where id = ?', id)[0]
    return row === undefined ? null : (JSON.parse(row.body) as GroupRecord)
  }

  groupIds(): readonly string[] {
    return this.#all<{ id: string }>('select id from grp').map((row) => row.id)
  }

  setGroup(record: GroupRecord): void {
    this.#run('insert or replace into grp values (?, ?)', record.id, JSON.stringify(record))
  }

  /** A secret of a group by its name (`admin`); null when none is kept. Secrets go with the group. */
  secret(group: string, name: string): string | null {
    const sql = 'select body from secret where group_id = ? and name = ?'
    return this.#all<{ body: string }>(sql, group, name)[0]?.body ?? null
  }

  setSecret(group: string, name: string, secret: string): void {
    this.#run('insert or replace into secret values (?, ?, ?)', group, name, secret)
  }

  dropGroup(id: string): void {
    this.#run('delete from secret where group_id = ?', id)
    this.#run('delete from grp where id = ?', id)
  }

  workers(): readonly WorkerRecord[] {
    return this.#all<{ body: string }>('select body from worker').map((row) => JSON.parse(row.body) as WorkerRecord)
  }

  setWorker(record: WorkerRecord): void {
    this.#run('insert or replace into worker values (?, ?)', record.name, JSON.stringify(record))
  }

  dropWorker(name: string): void {
    this.#run('delete from worker where name = ?', name)
  }

  /** Events that control has not acknowledged, oldest first. */
  events(): readonly KeeperEvent[] {
    return this.#all<{ sequence: number; at: string; group_id: string; body: string }>(
      'select * from event order by sequence',
    ).map((row) => ({
      sequence: row.sequence,
      at: row.at,
      groupId: row.group_id,
      event: JSON.parse(row.body) as KeeperEvent['event'],
    }))
  }

  /** Writes an event down and returns it with its number (numbers never repeat, not even after acknowledgement). */
  addEvent(at: string, groupId: string, event: KeeperEvent['event']): KeeperEvent {
    this.#run('insert into event (at, group_id, body) values (?, ?, ?)', at, groupId, JSON.stringify(event))
    const { sequence } = this.#all<{ sequence: number }>('select last_insert_rowid() as sequence')[0]!
    this.#run('delete from event where sequence <= ?', sequence - EVENTS_KEPT_MAX)
    return { sequence, at, groupId, event }
  }

  acknowledgeEvents(upTo: number): void {
    this.#run('delete from event where sequence <= ?', upTo)
  }
}
