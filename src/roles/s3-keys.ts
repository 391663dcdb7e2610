//! The keys for S3 origins, from control to the workers: a file below the home (0600), which a worker reads when it starts.
//! Not by arguments, which every user of the host can see and the ledger keeps, nor by the environment, which the keeper
//! would have to be started anew for. Which keys they are is a random name: with other keys a worker has another argument,
//! and the keeper replaces it, adopted or not.
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import type { S3Keys } from '../edge/origin/sign.ts'
import { uuid } from '../lib/ids.ts'

interface KeysFile extends S3Keys {
  readonly name: string
}

/** Puts them into the file, or takes the file away; returns their name, empty for none. @throws the file system's error */
export async function keepS3Keys(file: string, keys: S3Keys | null): Promise<string> {
  if (keys === null) {
    await rm(file, { force: true })
    return ''
  }
  const kept = await readFile(file, 'utf8').then(parsed, () => null)
  const { accessKeyId, secretAccessKey } = keys
  if (kept?.accessKeyId === accessKeyId && kept.secretAccessKey === secretAccessKey) return kept.name
  const next: KeysFile = { name: uuid(), accessKeyId, secretAccessKey }
  await writeFile(`${file}.new`, `${JSON.stringify(next)}\n`, { mode: 0o600, flush: true })
  await rename(`${file}.new`, file)
  return next.name
}

/** @throws Error for a person when the file cannot be read */
export async function readS3Keys(file: string): Promise<S3Keys> {
  const kept = await readFile(file, 'utf8').then(parsed, (error: Error) => {
    throw new Error(`The keys for S3 origins cannot be read: ${error.message}`)
  })
  if (kept === null) throw new Error(`${file} does not hold the keys for S3 origins.`)
  return { accessKeyId: kept.accessKeyId, secretAccessKey: kept.secretAccessKey }
}

function parsed(text: string): KeysFile | null {
  try {
    const { name, accessKeyId, secretAccessKey } = JSON.parse(text) as Partial<KeysFile>
    return name && accessKeyId && secretAccessKey ? { name, accessKeyId, secretAccessKey } : null
  } catch {
    return null
  }
}
