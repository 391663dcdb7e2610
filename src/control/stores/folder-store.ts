//! A directory of this host as a place for snapshots: `--folder NAME=DIR`, named as the bucket `NAME.folder.cachefront`.
import { createReadStream } from 'node:fs'
import { access, constants, link, open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { STORE_PROBLEMS } from '../../services/elasticache/snapshot-stores.ts'
import type { Store } from './store.ts'

export class FolderStore implements Store {
  readonly #bucket: string
  /** Absolute. */
  readonly #directory: string

  constructor(bucket: string, directory: string) {
    this.#bucket = bucket
    this.#directory = directory
  }

  async exportProblem(key: string): Promise<string | null> {
    if (!isName(key)) return `The object ${key} cannot be a file of a folder: it has a slash, or begins with a dot.`
    if (!(await isThere(this.#directory))) return STORE_PROBLEMS.noBucket(this.#bucket)
    if (await isThere(join(this.#directory, key))) return STORE_PROBLEMS.taken(this.#bucket, key)
    const mayWrite = await access(this.#directory, constants.W_OK).then(
      () => true,
      () => false,
    )
    return mayWrite ? null : STORE_PROBLEMS.refused('WRITE', this.#bucket)
  }

  async importProblem(key: string): Promise<string | null> {
    if (!isName(key) || !(await isThere(join(this.#directory, key)))) return STORE_PROBLEMS.noObject(this.#bucket, key)
    return access(join(this.#directory, key), constants.R_OK).then(
      () => null,
      () => STORE_PROBLEMS.refused('READ', this.#bucket),
    )
  }

  async write(key: string, pieces: AsyncIterable<Buffer>, bytes: number, signal: AbortSignal): Promise<void> {
    const path = join(this.#directory, key)
    const partial = join(this.#directory, `.${key}.partial`)
    await rm(partial, { force: true })
    const file = await open(partial, 'wx', 0o600)
    try {
      for await (const piece of pieces) {
        signal.throwIfAborted()
        await file.writeFile(piece)
      }
      await file.datasync()
      // Unlike a rename, it never takes the place of another file. One of this length a control before us has finished.
      await link(partial, path).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST' || (await stat(path)).size !== bytes) throw error
      })
    } finally {
      await file.close()
      await rm(partial, { force: true })
    }
  }

  async read(key: string, signal: AbortSignal, version?: string): Promise<AsyncIterable<Buffer>> {
    if (!isName(key)) throw new Error(`a file of ${this.#bucket} is named by its name alone, not ${key}`)
    if (version !== undefined) throw new Error(`${this.#bucket} is a folder, and files have no versions`)
    if (!(await isThere(join(this.#directory, key)))) throw new Error(`there is no such file in ${this.#directory}`)
    return createReadStream(join(this.#directory, key), { highWaterMark: 1024 * 1024, signal })
  }
}

const isName = (key: string): boolean => key !== '' && !/[/\0]/.test(key) && !key.startsWith('.')

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )
