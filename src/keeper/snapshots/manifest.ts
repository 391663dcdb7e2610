//! What a snapshot on disk is: a directory of its id's name with `data.sealed` (frames.ts) and `manifest.json`, which is
//! written last: one without it is the rest of a capture or import that did not come to its end. The manifest's facts are
//! readable by anyone who may read the file; that nobody changed them is proven with the data key when it is opened.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { WrappedKey } from './keys.ts'
import type { SnapshotFacts, SnapshotWish } from './wish.ts'

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

/** What a keeper is capturing, as `capturing.json`: the next keeper begins anew with it, whatever is wished by then. */
export interface CaptureNote {
  readonly wish: SnapshotWish
  readonly attempt: number
  readonly startedAt: string
}

export const dataFile = (directory: string): string => join(directory, 'data.sealed')
const manifestFile = (directory: string): string => join(directory, 'manifest.json')
const failedFile = (directory: string): string => join(directory, 'failed.json')
const noteFile = (directory: string): string => join(directory, 'capturing.json')

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
  /** A keeper is capturing it, or was when it ended. */
  | { readonly kind: 'capturing'; readonly note: CaptureNote }
  /** None of these: an import that has not come to its end, or files that are not ours. */
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
    if (names.includes('capturing.json')) {
      return { kind: 'capturing', note: JSON.parse(await readFile(noteFile(directory), 'utf8')) as CaptureNote }
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

export const writeNote = (directory: string, note: CaptureNote): Promise<void> => writeWhole(noteFile(directory), note)

export async function writeManifest(directory: string, manifest: Manifest): Promise<void> {
  await writeWhole(manifestFile(directory), manifest)
  await rm(noteFile(directory), { force: true })
}

/** Nothing of what was captured is kept. */
export async function writeFailed(directory: string, failed: FailedCapture): Promise<void> {
  await emptyDirectory(directory)
  await writeWhole(failedFile(directory), failed)
}

/** Makes it, or empties it. */
export async function emptyDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true, mode: 0o700 })
}
