//! The keys that wrap data keys: those of the key file, and those of a KMS where one is set up. `<home>/keys/` holds the
//! key file and the settings, which control writes and every process reads at each use: a keeper that runs on has the
//! newest ones.
import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateDirectory } from '../../lib/private-directory.ts'
import { DEFAULT_ALIAS, type FileKey, type FileWrapped, KeyError, KeyFile } from './key-file.ts'
import { Kms, type KmsSettings, type KmsWrapped } from './kms.ts'

export type WrappedKey = FileWrapped | KmsWrapped

export interface KeySettings {
  /** Where the key file lies; null for `key-file.json` beside the settings. */
  readonly keyFile: string | null
  /** For ARNs of keys of the file. */
  readonly region: string
  readonly accountId: string
  readonly kms: KmsSettings | null
}

/** A key of the file as people see it: no secret. */
export interface KeySeen {
  readonly arn: string
  readonly alias: string
  readonly createdAt: string
  /** Number of the material that wraps now; it grows with each rotation. */
  readonly material: number
  readonly rotatedAt: string | null
}

/** Before control has written any. */
const SETTINGS: KeySettings = { keyFile: null, region: 'us-east-1', accountId: '123456789012', kms: null }

const DATA_KEY_BYTES = 32

export class Keys {
  readonly #directory: string
  #kms: Kms | null = null

  /** `directory` is made when it is needed (0700). */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** Whole or not at all; 0600, for they hold a secret. */
  async configure(settings: KeySettings): Promise<void> {
    await makePrivateDirectory(this.#directory)
    const file = join(this.#directory, 'settings.json')
    await writeFile(`${file}.new`, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600, flush: true })
    await rename(`${file}.new`, file)
  }

  async #settings(): Promise<KeySettings> {
    const file = join(this.#directory, 'settings.json')
    try {
      return { ...SETTINGS, ...(JSON.parse(await readFile(file, 'utf8')) as Partial<KeySettings>) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return SETTINGS
      throw new KeyError(
        `${file} cannot be read (${(error as Error).message}): start Cachefront again, which writes it.`,
      )
    }
  }

  async #open(): Promise<{ readonly settings: KeySettings; readonly file: KeyFile; readonly kms: Kms | null }> {
    const settings = await this.#settings()
    if (settings.kms === null) this.#kms = null
    else if (JSON.stringify(this.#kms?.settings) !== JSON.stringify(settings.kms)) this.#kms = new Kms(settings.kms)
    return { settings, file: new KeyFile(settings.keyFile ?? join(this.#directory, 'key-file.json')), kms: this.#kms }
  }

  /**
   * ARN of the key that `keyId` (id, ARN, alias or alias ARN) names; null names the installation's own, which is made
   * when there is none. @throws KeyError when there is no such key, or it cannot be used.
   */
  async find(keyId: string | null, now: string): Promise<string> {
    const found = await this.#find(keyId, now)
    return 'kms' in found ? found.kms.find(found.keyId) : found.arn
  }

  async #find(
    keyId: string | null,
    now: string,
  ): Promise<
    | { readonly kms: Kms; readonly keyId: string }
    | { readonly file: KeyFile; readonly keyId: string; readonly arn: string }
  > {
    const { settings, file, kms } = await this.#open()
    if (keyId === null) {
      if (kms !== null && kms.settings.keyId !== null) return { kms, keyId: kms.settings.keyId }
      const key = await file.default(now)
      return { file, keyId: key.id, arn: arnOf(key, settings) }
    }
    const keys = await file.keys()
    // The service's own key can be named before it was used first.
    const own = keyId.split(':').at(-1) === DEFAULT_ALIAS ? [await file.default(now)] : []
    const key = [...own, ...keys].find((one) => names(keyId, one, settings))
    if (key !== undefined) return { file, keyId: key.id, arn: arnOf(key, settings) }
    if (kms !== null) return { kms, keyId }
    throw new KeyError(
      `There is no key ${keyId}: cachefront encryption-keys list shows the keys of this installation, and no KMS is set up (--kms-endpoint).`,
    )
  }

  /** A new data key for `use` (the id of a snapshot), wrapped by the key that `keyId` names. @throws KeyError */
  async generate(
    keyId: string | null,
    use: string,
    now: string,
  ): Promise<{ readonly dataKey: Buffer; readonly wrapped: WrappedKey; readonly arn: string }> {
    const found = await this.#find(keyId, now)
    if ('kms' in found) {
      const made = await found.kms.generate(found.keyId, use)
      return { ...made, arn: made.wrapped.keyId }
    }
    const dataKey = randomBytes(DATA_KEY_BYTES)
    return { dataKey, wrapped: await found.file.wrap(dataKey, found.keyId, use), arn: found.arn }
  }

  /** @throws KeyError naming the key when it is missing or wrong */
  async unwrap(wrapped: WrappedKey, use: string): Promise<Buffer> {
    const { file, kms } = await this.#open()
    if (wrapped.provider === 'key-file') return file.unwrap(wrapped, use)
    if (kms !== null) return kms.unwrap(wrapped, use)
    throw new KeyError(
      `The key ${wrapped.keyId} is in a KMS, and none is set up: give --kms-endpoint and its credentials.`,
    )
  }

  /** The same data key wrapped anew by the newest material of its key; null when that has wrapped it already. */
  async renew(wrapped: WrappedKey, use: string): Promise<WrappedKey | null> {
    const { file, kms } = await this.#open()
    if (wrapped.provider === 'kms') {
      if (kms === null) return null
      return kms.wrap(await this.unwrap(wrapped, use), wrapped.keyId, use)
    }
    const key = (await file.keys()).find(({ id }) => id === wrapped.keyId)
    if (key?.materials.at(-1)?.version === wrapped.material) return null
    return file.wrap(await this.unwrap(wrapped, use), wrapped.keyId, use)
  }

  /** Keys of the file. */
  async list(): Promise<readonly KeySeen[]> {
    const { settings, file } = await this.#open()
    return (await file.keys()).map((key) => seen(key, settings))
  }

  /** @throws KeyError when the alias is taken */
  async create(alias: string, now: string): Promise<KeySeen> {
    const { settings, file } = await this.#open()
    return seen(await file.create(alias, now), settings)
  }

  /** New material for a key of the file. @throws KeyError when there is no such key, a KMS's own included */
  async rotate(keyId: string | null, now: string): Promise<KeySeen> {
    const found = await this.#find(keyId, now)
    if ('kms' in found) throw new KeyError(`The key ${found.keyId} is in the KMS and is rotated there.`)
    const { settings } = await this.#open()
    return seen(await found.file.rotate(found.keyId, now), settings)
  }
}

const arnOf = (key: FileKey, { region, accountId }: KeySettings): string =>
  `arn:aws:kms:${region}:${accountId}:key/${key.id}`

function names(given: string, key: FileKey, settings: KeySettings): boolean {
  const { region, accountId } = settings
  return [key.id, arnOf(key, settings), key.alias, `arn:aws:kms:${region}:${accountId}:${key.alias}`].includes(given)
}

function seen(key: FileKey, settings: KeySettings): KeySeen {
  const { alias, createdAt, materials } = key
  const newest = materials.at(-1)
  return {
    arn: arnOf(key, settings),
    alias,
    createdAt,
    material: newest?.version ?? 0,
    rotatedAt: materials.length > 1 ? (newest?.createdAt ?? null) : null,
  }
}
