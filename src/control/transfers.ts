//! Snapshots on their way between the vault and the world: exports, imports, copies with another key. One job a snapshot,
//! begun anew by the next control when this one ends: what is half done leaves nothing that is called whole.
import type { SnapshotRecord } from '../domain/snapshot.ts'
import type { Manifest } from '../keeper/snapshots/manifest.ts'
import type { Vault } from '../keeper/snapshots/vault.ts'
import type { Clock } from '../lib/clock.ts'
import type { Stores } from './stores/stores.ts'

/** How a job ended. `facts` of data that is new; null for an export. */
export type TransferEnd =
  | { readonly outcome: 'done'; readonly facts: Manifest['facts'] | null }
  | { readonly outcome: 'failed'; readonly problem: string }

export interface TransferProgress {
  /** Bytes of the RDB so far, of how many; null when nobody knows. */
  readonly bytes: number
  readonly bytesTotal: number | null
}

interface Job {
  readonly kind: TransferKind
  readonly abort: AbortController
  readonly done: Promise<void>
  progress: TransferProgress
  end: TransferEnd | null
}

export type TransferKind = 'export' | 'import' | 'copy'

/** What is to be transferred of a snapshot; null for nothing. An upload is its sender's to carry on. */
export function transferOf(record: SnapshotRecord): TransferKind | null {
  if (record.status === 'exporting') return 'export'
  if (record.status === 'creating' && record.origin.kind === 'import') return 'import'
  return record.status === 'copying' && record.origin.kind === 'copy' && record.origin.from !== undefined
    ? 'copy'
    : null
}

export interface TransfersOptions {
  readonly vault: Vault
  readonly stores: Stores
  readonly clock: Clock
  /** A job has ended. */
  readonly onEnd: () => void
}

export class Transfers {
  readonly #options: TransfersOptions
  /** By the name of the snapshot. */
  readonly #jobs = new Map<string, Job>()

  constructor(options: TransfersOptions) {
    this.#options = options
  }

  /** Begins what is to be transferred and ends what is not any more; `records` are all there are. */
  follow(records: readonly SnapshotRecord[]): void {
    const wanted = new Map(records.map((record) => [record.name, transferOf(record)]))
    for (const [name, job] of this.#jobs) {
      if ((wanted.get(name) ?? null) === job.kind) continue
      job.abort.abort()
      this.#jobs.delete(name)
    }
    for (const record of records) {
      const kind = transferOf(record)
      if (kind !== null && !this.#jobs.has(record.name)) this.#begin(record, kind)
    }
  }

  /** How the job of a snapshot ended; null while it runs, or when there is none. */
  end(name: string): TransferEnd | null {
    return this.#jobs.get(name)?.end ?? null
  }

  progress(name: string): TransferProgress | null {
    return this.#jobs.get(name)?.progress ?? null
  }

  async close(): Promise<void> {
    const jobs = [...this.#jobs.values()]
    for (const { abort } of jobs) abort.abort()
    await Promise.all(jobs.map(({ done }) => done))
  }

  #begin(record: SnapshotRecord, kind: TransferKind): void {
    const abort = new AbortController()
    const job: Job = { kind, abort, done: this.#run(record, kind, abort.signal), progress: NOTHING, end: null }
    this.#jobs.set(record.name, job)
  }

  /** Never throws. */
  async #run(record: SnapshotRecord, kind: TransferKind, signal: AbortSignal): Promise<void> {
    // The job is in the table before it goes on.
    await null
    const job = this.#jobs.get(record.name)
    const end = await this.#carry(record, kind, signal).catch(
      (error: Error): TransferEnd => ({ outcome: 'failed', problem: error.message }),
    )
    if (job === undefined || signal.aborted) return
    job.end = end
    this.#options.onEnd()
  }

  async #carry(record: SnapshotRecord, kind: TransferKind, signal: AbortSignal): Promise<TransferEnd> {
    const { vault, stores, clock } = this.#options
    const now = (): string => new Date(clock.wall()).toISOString()
    const { origin, exporting, kmsKeyId } = record
    if (kind === 'export' && exporting !== null) {
      const { manifest, rdb } = await vault.open(record.data)
      const bytes = manifest.facts.rdbBytes
      await storeOf(stores, exporting.bucket).write(exporting.key, this.#counted(record, rdb(), bytes), bytes, signal)
      return { outcome: 'done', facts: null }
    }
    if (kind === 'copy' && origin.kind === 'copy' && origin.from !== undefined) {
      await vault.remove(record.data)
      const { facts } = await vault.copy(origin.from, record.data, kmsKeyId, now(), now)
      return { outcome: 'done', facts }
    }
    if (origin.kind !== 'import') throw new Error(`snapshot ${record.name} has nothing to be transferred`)
    await vault.remove(record.data)
    const source = await storeOf(stores, origin.bucket).read(origin.key, signal)
    const pieces = this.#counted(record, source, null)
    const { facts } = await vault.import(record.data, pieces, { kmsKeyId, startedAt: now(), now })
    return { outcome: 'done', facts }
  }

  async *#counted(
    { name }: SnapshotRecord,
    pieces: AsyncIterable<Buffer>,
    bytesTotal: number | null,
  ): AsyncGenerator<Buffer, void> {
    const job = this.#jobs.get(name)
    let bytes = 0
    for await (const piece of pieces) {
      yield piece
      bytes += piece.length
      if (job !== undefined) job.progress = { bytes, bytesTotal }
    }
  }
}

const NOTHING: TransferProgress = { bytes: 0, bytesTotal: null }

function storeOf(stores: Stores, bucket: string) {
  const store = stores.of(bucket)
  if (store === null) throw new Error(`no folder is named ${bucket}: start with --folder NAME=DIR`)
  return store
}
