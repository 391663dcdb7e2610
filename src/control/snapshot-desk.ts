//! What the CLI asks of snapshots: how far they are, their RDB files out, and RDB files in. An upload is a snapshot only
//! once its last byte has come and its checksum is right; one that stays silent is forgotten with all that it brought.
import { newName } from '../domain/cache-names.ts'
import { cachefrontFault } from '../domain/faults.ts'
import { type SnapshotRecord, sourceId } from '../domain/snapshot.ts'
import type { Vault } from '../keeper/snapshots/vault.ts'
import type { Clock } from '../lib/clock.ts'
import { uuid } from '../lib/ids.ts'
import type { SnapshotDesk, SnapshotState } from '../services/cachefront/snapshot-routes.ts'
import type { SnapshotOwner } from '../services/elasticache/new-snapshot.ts'
import { importedSnapshot } from '../services/elasticache/restore.ts'
import { checkSnapshotNameFree, findSnapshot, mustBeAvailableSnapshot } from '../services/elasticache/snapshots.ts'
import type { State } from '../state/state.ts'
import type { SnapshotsKeeper } from './tasks/snapshots.ts'
import type { Transfers } from './transfers.ts'

/** An upload from which nothing has come for so long is forgotten. Milliseconds. */
const SILENT_MS = 60_000
/** Uploads at a time. */
const UPLOADS_MAX = 4

export interface DeskOptions {
  readonly state: State
  readonly clock: Clock
  readonly owner: SnapshotOwner
  readonly keeper: Pick<SnapshotsKeeper, 'seen'>
  readonly vault: Vault
  readonly transfers: Pick<Transfers, 'progress'>
}

interface Upload {
  readonly record: SnapshotRecord
  readonly pieces: Pieces
  readonly sealed: ReturnType<Vault['import']>
  timer: NodeJS.Timeout
}

export class Desk implements SnapshotDesk {
  readonly #options: DeskOptions
  readonly #uploads = new Map<string, Upload>()

  constructor(options: DeskOptions) {
    this.#options = options
  }

  async list(): Promise<readonly SnapshotState[]> {
    const stored = await this.#options.state.list('snapshot')
    return stored.map(({ doc }) => doc).map((doc) => this.#stateOf(doc))
  }

  #stateOf(doc: SnapshotRecord): SnapshotState {
    const { keeper, transfers } = this.#options
    const seen = doc.status === 'creating' ? keeper.seen()?.snapshots.find(({ id }) => id === doc.data) : undefined
    const restored = doc.status === 'restoring' ? this.#restored(doc.data) : null
    const { name, status, source, createdAt, rdbBytes, problem } = doc
    const of = doc.of === null ? null : sourceId(doc.of)
    const progress = seen ?? restored ?? transfers.progress(name)
    return {
      name,
      status,
      source,
      of,
      createdAt,
      rdbBytes,
      progress: progress === null ? null : { bytes: progress.bytes, bytesTotal: progress.bytesTotal },
      problem: problem ?? seen?.problem ?? null,
    }
  }

  #restored(data: string) {
    return this.#options.keeper.seen()?.groups.find(({ restore }) => restore?.snapshot === data)?.restore ?? null
  }

  async rdb(name: string): Promise<AsyncIterable<Uint8Array>> {
    const { doc } = await findSnapshot(this.#options.state, name)
    mustBeAvailableSnapshot(doc)
    return (await this.#options.vault.open(doc.data)).rdb()
  }

  async beginImport(given: string, engine: 'redis' | 'valkey'): Promise<string> {
    const { state, vault, clock, owner } = this.#options
    const name = newName('snapshot', given)
    await checkSnapshotNameFree(state, name)
    if (this.#uploads.size >= UPLOADS_MAX) {
      throw cachefrontFault('TooManyRequests', `${UPLOADS_MAX} imports are under way: try again when one has ended.`)
    }
    const record: SnapshotRecord = {
      ...importedSnapshot(name, engine, { ...owner, clock }),
      origin: { kind: 'upload' },
    }
    const now = (): string => new Date(clock.wall()).toISOString()
    const pieces = new Pieces()
    const sealed = vault.import(record.data, pieces, { kmsKeyId: null, startedAt: now(), now })
    // Whoever appends or finishes is told.
    sealed.catch((error: Error) => pieces.refuse(error))
    const id = uuid()
    this.#uploads.set(id, { record, pieces, sealed, timer: this.#silence(id) })
    return id
  }

  async append(id: string, piece: Buffer): Promise<void> {
    const upload = this.#find(id)
    clearTimeout(upload.timer)
    upload.timer = this.#silence(id)
    await upload.pieces.push(piece).catch((error: Error) => this.#refuse(id, error))
  }

  async finish(id: string): Promise<void> {
    const { state, clock, vault } = this.#options
    const { record, pieces, sealed, timer } = this.#find(id)
    clearTimeout(timer)
    pieces.end()
    const { facts } = await sealed.catch((error: Error) => this.#refuse(id, error))
    this.#uploads.delete(id)
    try {
      await state.transact(async (tx) => {
        await checkSnapshotNameFree(tx, record.name)
        await tx.put('snapshot', record.name, {
          ...record,
          status: 'available',
          engineVersion: facts.engineVersion,
          memoryBytes: facts.usedMemoryBytes,
          rdbBytes: facts.rdbBytes,
          finishedAt: new Date(clock.now()).toISOString(),
        })
      })
    } catch (error) {
      await vault.remove(record.data)
      throw error
    }
  }

  /** Forgets uploads; what they brought is removed. */
  async close(): Promise<void> {
    const left = [...this.#uploads]
    for (const [id] of left) this.#forget(id, new Error('control ends'))
    await Promise.all(left.map(([, { sealed }]) => sealed.catch(() => {})))
  }

  #find(id: string): Upload {
    const upload = this.#uploads.get(id)
    if (upload !== undefined) return upload
    throw cachefrontFault('NotFound', `There is no import ${id.slice(0, 40)}: begin it anew.`)
  }

  #refuse(id: string, error: Error): never {
    this.#forget(id, error)
    throw cachefrontFault('InvalidRequest', `It was not imported: ${error.message}.`)
  }

  #silence(id: string): NodeJS.Timeout {
    return setTimeout(() => this.#forget(id, new Error('nothing came any more')), SILENT_MS).unref()
  }

  #forget(id: string, error: Error): void {
    const upload = this.#uploads.get(id)
    if (upload === undefined) return
    clearTimeout(upload.timer)
    this.#uploads.delete(id)
    upload.pieces.refuse(error)
  }
}

/** Pieces handed over one at a time: the next is taken when the one before has been sealed. */
class Pieces implements AsyncIterable<Buffer> {
  #next: Buffer | 'end' | Error | null = null
  #wake = Promise.withResolvers<void>()
  #taken = Promise.withResolvers<void>()

  /** Resolves when it was taken. @throws why nothing is taken any more */
  async push(piece: Buffer): Promise<void> {
    if (this.#next instanceof Error) throw this.#next
    this.#taken = Promise.withResolvers()
    this.#next = piece
    this.#wake.resolve()
    await this.#taken.promise
    if (this.#next instanceof Error) throw this.#next
  }

  end(): void {
    if (this.#next === null) this.#next = 'end'
    this.#wake.resolve()
  }

  refuse(error: Error): void {
    this.#next = error
    this.#wake.resolve()
    this.#taken.resolve()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    for (;;) {
      await this.#wake.promise
      this.#wake = Promise.withResolvers()
      const next = this.#next
      if (next === 'end') return
      if (next instanceof Error) throw next
      if (next === null) continue
      this.#next = null
      yield next
      this.#taken.resolve()
    }
  }
}
