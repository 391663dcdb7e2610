//! The snapshots of an installation: `<home>/snapshots/<id>/` sealed with the keys of `<home>/keys/`. The keeper captures
//! into it and restores from it; control imports, exports, copies and renews. Plaintext exists in memory only, a frame
//! at a time. Several processes may use it at once: what is there is there whole (the manifest comes last).
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { SealError } from './frames.ts'
import { Keys } from './keys.ts'
import {
  type CaptureNote,
  dataFile,
  emptyDirectory,
  type FailedCapture,
  isProven,
  isSnapshotId,
  keysOf,
  type Manifest,
  prove,
  readStored,
  type Stored,
  writeFailed,
  writeManifest,
  writeNote,
} from './manifest.ts'
import type { RdbFacts } from './rdb.ts'
import { readSealed, type SealTarget, sealInto } from './sealing.ts'
import type { SnapshotFacts } from './wish.ts'

/** Where a capture or an import is written, and with which key; `commit` makes it a snapshot. */
export interface Draft extends SealTarget {
  /** Makes it ready; `facts` are of the RDB that was sealed into `data.sealed`. */
  commit(facts: RdbFacts, about: About): Promise<Manifest>
}

/** What a manifest says beside what the RDB tells. ISO times. */
export interface About {
  readonly group: string | null
  readonly node: string | null
  readonly startedAt: string
  readonly finishedAt: string
  readonly attempt: number
  readonly keys: SnapshotFacts['keys']
}

export class Vault {
  readonly keys: Keys
  readonly #directory: string

  /** `home` of the installation. */
  constructor(home: string) {
    this.#directory = join(home, 'snapshots')
    this.keys = new Keys(join(home, 'keys'))
  }

  directoryOf(id: string): string {
    if (!isSnapshotId(id)) throw new Error(`${id} cannot be the id of a snapshot`)
    return join(this.#directory, id)
  }

  /** Everything that lies there, sorted by id. */
  async list(): Promise<readonly { readonly id: string; readonly stored: Stored }[]> {
    const names = await readdir(this.#directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    const found = names
      .filter(isSnapshotId)
      .sort()
      .map(async (id) => ({ id, stored: await readStored(this.directoryOf(id)) }))
    return (await Promise.all(found)).flatMap(({ id, stored }) => (stored === null ? [] : [{ id, stored }]))
  }

  stored(id: string): Promise<Stored | null> {
    return readStored(this.directoryOf(id))
  }

  /**
   * A snapshot to be: what an attempt before it left under the id is gone.
   * @throws KeyError when the key cannot be used; the disk's error; Error when there is such a snapshot
   */
  async draft(id: string, kmsKeyId: string | null, now: string): Promise<Draft> {
    const directory = this.directoryOf(id)
    if ((await readStored(directory))?.kind === 'ready') throw new Error(`There is a snapshot ${id} already.`)
    const { dataKey, wrapped, arn } = await this.keys.generate(kmsKeyId, id, now)
    const keys = keysOf(dataKey)
    dataKey.fill(0)
    await emptyDirectory(directory)
    return {
      id,
      directory,
      key: keys.frames,
      commit: async (rdb, about) => {
        const { size } = await stat(dataFile(directory))
        const { keys: counts, ...origin } = about
        const facts: SnapshotFacts = {
          rdbBytes: rdb.bytes,
          sealedBytes: size,
          rdbVersion: rdb.version,
          engineVersion: rdb.engineVersion,
          usedMemoryBytes: rdb.usedMemoryBytes,
          keys: counts,
          kmsKeyArn: arn,
        }
        const manifest = prove({ format: 1, id, ...origin, facts, dataKey: wrapped }, keys.manifest)
        await writeManifest(directory, manifest)
        return manifest
      },
    }
  }

  /**
   * Seals a stream of RDB bytes, cut anywhere, into the new snapshot `id`. What was written is gone again when it fails.
   * @throws KeyError; RdbError when it is no whole RDB; the source's or the disk's error
   */
  async import(
    id: string,
    source: AsyncIterable<Buffer>,
    {
      kmsKeyId,
      startedAt,
      now,
    }: { readonly kmsKeyId: string | null; readonly startedAt: string; readonly now: () => string },
  ): Promise<Manifest> {
    const draft = await this.draft(id, kmsKeyId, startedAt)
    try {
      const facts = await sealInto(draft, source)
      const about = { group: null, node: null, startedAt, finishedAt: now(), attempt: 1, keys: null }
      return await draft.commit(facts, about)
    } catch (error) {
      await this.remove(id)
      throw error
    }
  }

  /**
   * The plaintext RDB of a snapshot, in memory only, a frame at a time. It is whole when the iteration ends by itself; all
   * that came before an error is authentic but not all there was.
   * @throws KeyError, SealError, or Error in words when there is no such snapshot
   */
  async open(id: string): Promise<{ readonly manifest: Manifest; rdb(): AsyncGenerator<Buffer, void> }> {
    const { manifest, key } = await this.unlock(id)
    const file = dataFile(this.directoryOf(id))
    return { manifest, rdb: () => readSealed(file, key, id, manifest.facts.rdbBytes) }
  }

  /** The manifest, proven, and the key of the frames. @throws as `open` */
  async unlock(id: string): Promise<{ readonly manifest: Manifest; readonly key: Buffer }> {
    const stored = await readStored(this.directoryOf(id))
    if (stored === null) throw new Error(`There is no snapshot ${id} in ${this.#directory}.`)
    if (stored.kind === 'failed') throw new Error(`Snapshot ${id} failed: ${stored.failed.problem}`)
    if (stored.kind === 'capturing') throw new Error(`Snapshot ${id} is being captured.`)
    if (stored.kind === 'unfinished') {
      throw new Error(`Snapshot ${id} is not complete${stored.problem === null ? '' : `: ${stored.problem}`}.`)
    }
    const { manifest } = stored
    const dataKey = await this.keys.unwrap(manifest.dataKey, id)
    const keys = keysOf(dataKey)
    dataKey.fill(0)
    if (manifest.id !== id || !isProven(manifest, keys.manifest)) {
      throw new SealError(`the manifest of snapshot ${id} was changed, or belongs to another one`)
    }
    return { manifest, key: keys.frames }
  }

  /** Under another id, sealed anew with a data key of its own and by another key if one is named. @throws as `open` */
  async copy(
    from: string,
    to: string,
    kmsKeyId: string | null,
    startedAt: string,
    now: () => string,
  ): Promise<Manifest> {
    const { manifest, rdb } = await this.open(from)
    const draft = await this.draft(to, kmsKeyId, startedAt)
    try {
      const facts = await sealInto(draft, rdb())
      const { group, node } = manifest
      const about = { group, node, startedAt, finishedAt: now(), attempt: 1, keys: manifest.facts.keys }
      return await draft.commit(facts, about)
    } catch (error) {
      await this.remove(to)
      throw error
    }
  }

  /** Wraps the data key anew where its key has newer material. True when it did. @throws KeyError */
  async renew(id: string): Promise<boolean> {
    const stored = await readStored(this.directoryOf(id))
    if (stored?.kind !== 'ready') return false
    const renewed = await this.keys.renew(stored.manifest.dataKey, id)
    if (renewed === null) return false
    await writeManifest(this.directoryOf(id), { ...stored.manifest, dataKey: renewed })
    return true
  }

  /** Notes in the draft's directory what is captured, for a keeper that has to begin anew. */
  async note(note: CaptureNote): Promise<void> {
    await writeNote(this.directoryOf(note.wish.id), note)
  }

  /** Puts the note that it failed in its place. */
  async fail(failed: FailedCapture): Promise<void> {
    await writeFailed(this.directoryOf(failed.id), failed)
  }

  /** Nothing to do when there is none. */
  async remove(id: string): Promise<void> {
    // The manifest first: what is half deleted is no snapshot any more.
    const directory = this.directoryOf(id)
    await rm(join(directory, 'manifest.json'), { force: true })
    await rm(directory, { recursive: true, force: true })
  }
}
