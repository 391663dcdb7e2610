//! What a snapshot on disk is: a directory of its id's name with `data.sealed` (frames.ts) and `manifest.json`, which is
//! written last: one without it is the rest of a capture or import that did not come to its end. The manifest's facts are
//! readable by anyone who may read the file; that nobody changed them is proven with the data key when it is opened.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { WrappedKey } from './keys.ts'
import type { SnapshotFacts } from './wish.ts'

export interface Manifest {
  readonly format: 1
  readonly id: string
  /** Group and node of the capture; null for an imported RDB. */
  readonly group: string | null
  readonly node: string | null
  /** ISO times, host clock: when the capture or import began and ended. */
  readonly startedAt: string
  readonly finishedAt: string
  /** How often it was begun. */
  readonly attempt: number
  readonly facts: SnapshotFacts
  readonly dataKey: WrappedKey
  /** HMAC-SHA-256 over all of the above but the data key's wrapping, which may be renewed; base64. */
  readonly proof: string
}

/** A capture that failed for good leaves this in place of a manifest, as `failed.json`. */
export interface FailedCapture {
  readonly id: string
  readonly group: string | null
  readonly node: string | null
  readonly startedAt: string
  readonly finishedAt: string
  readonly attempt: number
  readonly problem: string
}

export const dataFile = (directory: string): string => join(directory, 'data.sealed')
const manifestFile = (directory: string): string => join(directory, 'manifest.json')
const failedFile = (directory: string): string => join(directory, 'failed.json')

/** Ids are names of directories: nothing that leads elsewhere, nothing hidden. */
export const isSnapshotId = (id: string): boolean => /^[a-z0-9][a-z0-9.-]{0,254}$/.test(id)

/** What a data key becomes: one key for the frames, one for the manifest. */
export function keysOf(dataKey: Buffer): { readonly frames: Buffer; readonly manifest: Buffer } {
  const derive = (use: string): Buffer => Buffer.from(hkdfSync('sha256', dataKey, '', `cachefront snapshot ${use}`, 32))
  return { frames: derive('frames'), manifest: derive('manifest') }
}

type Unproven = Omit<Manifest, 'proof'>

/** JSON of what the proof covers, in one fixed order whatever order a file has it in. */
function covered({ dataKey: _renewable, ...rest }: Unproven): string {
  const sorted = (value: unknown): unknown =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, inner]) => [name, sorted(inner)]),
        )
      : value
  return JSON.stringify(sorted(rest))
}

const proofOf = (manifest: Unproven, key: Buffer): string =>
  createHmac('sha256', key).update(covered(manifest)).digest('base64')

export const prove = (manifest: Unproven, key: Buffer): Manifest => ({ ...manifest, proof: proofOf(manifest, key) })

export function isProven({ proof, ...manifest }: Manifest, key: Buffer): boolean {
  const [given, right] = [Buffer.from(proof, 'base64'), Buffer.from(proofOf(manifest, key), 'base64')]
  return given.length === right.length && timingSafeEqual(given, right)
}

export type Stored =
  | { readonly kind: 'ready'; readonly manifest: Manifest }
  | { readonly kind: 'failed'; readonly failed: FailedCapture }
  /** Neither: a capture or import that did not come to its end, or files that are not ours. */
  | { readonly kind: 'unfinished'; readonly problem: string | null }

/** What lies in the directory of a snapshot; null when there is none. @throws the file system's error */
export async function readStored(directory: string): Promise<Stored | null> {
  let names: readonly string[]
  try {
    names = await readdir(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    if (names.includes('manifest.json')) {
      const manifest = JSON.parse(await readFile(manifestFile(directory), 'utf8')) as Manifest
      if (manifest.format === 1) return { kind: 'ready', manifest }
      return { kind: 'unfinished', problem: `its manifest has the format ${manifest.format}, of a later version` }
    }
    if (names.includes('failed.json')) {
      return { kind: 'failed', failed: JSON.parse(await readFile(failedFile(directory), 'utf8')) as FailedCapture }
    }
  } catch (error) {
    return { kind: 'unfinished', problem: `its manifest cannot be read: ${(error as Error).message}` }
  }
  return { kind: 'unfinished', problem: null }
}

/** Whole or not at all, and on the disk when it resolves. */
async function writeWhole(file: string, value: unknown): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true })
  await rename(`${file}.new`, file)
}

export const writeManifest = (directory: string, manifest: Manifest): Promise<void> =>
  writeWhole(manifestFile(directory), manifest)

/** Nothing of what was captured is kept. */
export async function writeFailed(directory: string, failed: FailedCapture): Promise<void> {
  await rm(dataFile(directory), { force: true })
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await writeWhole(failedFile(directory), failed)
}

/** An empty data file in an otherwise empty directory: what an earlier attempt left is gone. */
export async function createData(directory: string): Promise<FileHandle> {
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true, mode: 0o700 })
  return open(dataFile(directory), 'wx', 0o600)
}
