//! Where OCSP responses lie between control, which fetches and verifies them, and the workers, which staple them: a file for
//! each certificate, 0600, the old content or the new and never a half. Only what is good is ever written.

import type { X509Certificate } from 'node:crypto'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateDirectory } from '../private-directory.ts'

/** Milliseconds of the wall clock. */
export interface KeptStaple {
  /** DER. */
  readonly response: Buffer
  readonly thisUpdate: number
  readonly nextUpdate: number
  readonly fetchedAt: number
}

/** Below the directory of the authority (lib/ca/authority.ts). */
export const stapleDirectory = (tls: string): string => join(tls, 'ocsp')

/** Name of a certificate among the files: SHA-256 of its DER. */
export const stapleName = ({ fingerprint256 }: X509Certificate): string =>
  fingerprint256.replaceAll(':', '').toLowerCase()

export const stapleFile = (directory: string, name: string): string => join(directory, `${name}.json`)

/** Null for none, and for one that cannot be used. */
export async function readStaple(directory: string, name: string): Promise<KeptStaple | null> {
  try {
    const kept: unknown = JSON.parse(await readFile(stapleFile(directory, name), 'utf8'))
    const { response, thisUpdate, nextUpdate, fetchedAt } = kept as Readonly<Record<string, unknown>>
    const times = [thisUpdate, nextUpdate, fetchedAt].map((time) => Date.parse(String(time)))
    if (typeof response !== 'string' || response === '' || times.some(Number.isNaN)) return null
    const [from = 0, until = 0, at = 0] = times
    return { response: Buffer.from(response, 'base64'), thisUpdate: from, nextUpdate: until, fetchedAt: at }
  } catch {
    return null
  }
}

/** @throws the file system's error */
export async function writeStaple(directory: string, name: string, staple: KeptStaple): Promise<void> {
  await makePrivateDirectory(directory)
  const file = stapleFile(directory, name)
  const next = `${file}.${randomBytes(4).toString('hex')}.new`
  const text = JSON.stringify({
    thisUpdate: new Date(staple.thisUpdate).toISOString(),
    nextUpdate: new Date(staple.nextUpdate).toISOString(),
    fetchedAt: new Date(staple.fetchedAt).toISOString(),
    response: staple.response.toString('base64'),
  })
  try {
    await writeFile(next, `${text}\n`, { mode: 0o600 })
    await rename(next, file)
  } catch (error) {
    await rm(next, { force: true })
    throw error
  }
}

export const removeStaple = (directory: string, name: string): Promise<void> =>
  rm(stapleFile(directory, name), { force: true })

/** Removes what belongs to no certificate of `names`, halves of a killed control among it; returns how many. */
export async function removeOtherStaples(directory: string, names: ReadonlySet<string>): Promise<number> {
  const files = await readdir(directory).catch(() => [])
  const others = files.filter((file) => !(file.endsWith('.json') && names.has(file.slice(0, -'.json'.length))))
  await Promise.all(others.map((file) => rm(join(directory, file), { force: true })))
  return others.length
}
