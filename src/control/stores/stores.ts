//! Which place a bucket's name means: a folder of this host (`NAME.folder.cachefront`), or a bucket of S3.
import { type SnapshotStores, STORE_PROBLEMS } from '../../services/elasticache/snapshot-stores.ts'
import { FolderStore } from './folder-store.ts'
import { S3Store, type S3StoreSettings } from './s3-store.ts'
import type { Store } from './store.ts'

const FOLDER_SUFFIX = '.folder.cachefront'

export interface StoresOptions {
  readonly s3: S3StoreSettings
  /** Absolute directory by name. */
  readonly folders: ReadonlyMap<string, string>
}

export class Stores implements SnapshotStores {
  readonly #options: StoresOptions

  constructor(options: StoresOptions) {
    this.#options = options
  }

  /**
   * Null when the bucket's name is that of a folder that there is not. `region`: of a bucket of AWS's own S3; a server that
   * the operator names has that of the settings.
   */
  of(bucket: string, region?: string): Store | null {
    const name = bucket.toLowerCase()
    const { s3 } = this.#options
    if (!name.endsWith(FOLDER_SUFFIX)) {
      return new S3Store(bucket, s3.endpoint === null && region !== undefined ? { ...s3, region } : s3)
    }
    const directory = this.#options.folders.get(name.slice(0, -FOLDER_SUFFIX.length))
    return directory === undefined ? null : new FolderStore(bucket, directory)
  }

  async exportProblem(bucket: string, key: string): Promise<string | null> {
    const store = this.of(bucket)
    return store === null ? STORE_PROBLEMS.noBucket(bucket) : store.exportProblem(key)
  }

  async importProblem(bucket: string, key: string): Promise<string | null> {
    const store = this.of(bucket)
    return store === null ? STORE_PROBLEMS.noBucket(bucket) : store.importProblem(key)
  }
}
