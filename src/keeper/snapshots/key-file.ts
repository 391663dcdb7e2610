//! The key file: keys of this installation that wrap data keys of snapshots (0600, JSON, in a directory of its own; made
//! at first use). A key keeps its id when it is rotated and gets new material; what older material wrapped stays readable.
//! It holds secrets: no error, log or answer ever contains more of it than ids.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { chmod, link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { uuid } from '../../lib/ids.ts'
import { makePrivateDirectory } from '../../lib/private-directory.ts'

/** The alias of the key that is made at first use; AWS's own name for the service's default key. */
export const DEFAULT_ALIAS = 'alias/aws/elasticache'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32

/** A key is missing, wrong or not reachable; the message names it and says what to do. */
export class KeyError extends Error {
  override readonly name = 'KeyError'
}

interface Material {
  /** 1, 2, ...; the last one wraps. */
  readonly version: number
  readonly createdAt: string
  /** 32 bytes, base64. */
  readonly secret: string
}

export interface FileKey {
  readonly id: string
  readonly alias: string
  readonly createdAt: string
  readonly materials: readonly Material[]
}

interface KeyFileText {
  readonly format: 1
  readonly keys: readonly FileKey[]
}

/** A data key wrapped by a key of the file: AES-256-GCM, base64. */
export interface FileWrapped {
  readonly provider: 'key-file'
  readonly keyId: string
  readonly material: number
  readonly wrapped: string
}

export class KeyFile {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** All keys; none when there is no file. @throws KeyError when it cannot be read, or others could read it. */
  async keys(): Promise<readonly FileKey[]> {
    let text: string
    try {
      const { mode } = await stat(this.path)
      if ((mode & 0o077) !== 0) {
        throw new KeyError(`The key file ${this.path} can be read by others: chmod 600 ${this.path}`)
      }
      text = await readFile(this.path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      if (error instanceof KeyError) throw error
      throw new KeyError(`The key file ${this.path} cannot be read: ${(error as Error).message}`)
    }
    const keys = parsed(text)
    if (keys === null) throw new KeyError(`The key file ${this.path} is damaged: put its copy back.`)
    return keys
  }

  /** The key made at first use. */
  async default(now: string): Promise<FileKey> {
    const found = (await this.keys()).find((key) => key.alias === DEFAULT_ALIAS)
    return found ?? this.create(DEFAULT_ALIAS, now)
  }

  /** @throws KeyError when the alias is taken. */
  async create(alias: string, now: string): Promise<FileKey> {
    const keys = await this.keys()
    if (keys.some((key) => key.alias === alias)) throw new KeyError(`There is a key ${alias} already.`)
    const key: FileKey = { id: uuid(), alias, createdAt: now, materials: [material(1, now)] }
    if (await this.#write([...keys, key], keys.length === 0)) return key
    // Another process made the file in this moment.
    return (await this.keys()).find((other) => other.alias === alias) ?? this.create(alias, now)
  }

  /** New material for a key: from here on it wraps. @throws KeyError when there is no such key. */
  async rotate(id: string, now: string): Promise<FileKey> {
    const keys = await this.keys()
    const before = keys.find((key) => key.id === id)
    if (before === undefined) throw this.#noKey(id)
    const next = material(before.materials.length + 1, now)
    const key: FileKey = { ...before, materials: [...before.materials, next] }
    await this.#write(
      keys.map((other) => (other === before ? key : other)),
      false,
    )
    return key
  }

  /** `use` is authenticated beside the data key: unwrapped for another use it is an error. */
  async wrap(dataKey: Buffer, id: string, use: string): Promise<FileWrapped> {
    const key = (await this.keys()).find((one) => one.id === id)
    const newest = key?.materials.at(-1)
    if (newest === undefined) throw this.#noKey(id)
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', Buffer.from(newest.secret, 'base64'), nonce)
    cipher.setAAD(Buffer.from(`${id}\n${newest.version}\n${use}`))
    const wrapped = Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()])
    return { provider: 'key-file', keyId: id, material: newest.version, wrapped: wrapped.toString('base64') }
  }

  /** @throws KeyError when the key is not in the file, or is not the one that wrapped. */
  async unwrap({ keyId, material: version, wrapped }: FileWrapped, use: string): Promise<Buffer> {
    const key = (await this.keys()).find((one) => one.id === keyId)
    const secret = key?.materials.find((one) => one.version === version)?.secret
    if (secret === undefined) throw this.#noKey(keyId, version)
    const bytes = Buffer.from(wrapped, 'base64')
    const nonce = bytes.subarray(0, NONCE_BYTES)
    const options = { authTagLength: TAG_BYTES }
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(secret, 'base64'), nonce, options)
    decipher.setAAD(Buffer.from(`${keyId}\n${version}\n${use}`))
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
    try {
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES)), decipher.final()])
    } catch {
      throw new KeyError(
        `Key ${keyId} (material ${version}) of ${this.path} is not the one that this was wrapped with, or it was changed: put the right key file back.`,
      )
    }
  }

  #noKey(id: string, version?: number): KeyError {
    const which = version === undefined ? `key ${id}` : `key ${id} (material ${version})`
    return new KeyError(`The key file ${this.path} has no ${which}: put the key file back that holds it.`)
  }

  /** False when `isFirst` and a file is there by now. */
  async #write(keys: readonly FileKey[], isFirst: boolean): Promise<boolean> {
    const text: KeyFileText = { format: 1, keys }
    const draft = `${this.path}.${uuid()}`
    await makePrivateDirectory(dirname(this.path))
    try {
      await writeFile(draft, `${JSON.stringify(text, null, 2)}\n`, { mode: 0o600, flush: true })
      await chmod(draft, 0o600)
      if (!isFirst) {
        await rename(draft, this.path)
        return true
      }
      // Unlike a rename it does not replace: keys that another process has just made and used must not vanish.
      await link(draft, this.path)
      return true
    } catch (error) {
      if (isFirst && (error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw new KeyError(`The key file ${this.path} cannot be written: ${(error as Error).message}`)
    } finally {
      await rm(draft, { force: true })
    }
  }
}

const material = (version: number, now: string): Material => ({
  version,
  createdAt: now,
  secret: randomBytes(KEY_BYTES).toString('base64'),
})

function parsed(text: string): readonly FileKey[] | null {
  try {
    const { format, keys } = JSON.parse(text) as Partial<KeyFileText>
    const isWhole = (key: FileKey): boolean =>
      typeof key.id === 'string' &&
      key.materials.length > 0 &&
      key.materials.every((one) => Buffer.from(one.secret, 'base64').length === KEY_BYTES)
    return format === 1 && Array.isArray(keys) && keys.every(isWhole) ? keys : null
  } catch {
    return null
  }
}
