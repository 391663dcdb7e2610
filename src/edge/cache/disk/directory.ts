//! The directory of a store: made private, owned by one process, and what is done with a journal that cannot be used.
import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type MachineLock, tryMachineLock } from '../../../lib/machine-lock.ts'
import { makePrivateDirectory } from '../../../lib/private-directory.ts'

/** Milliseconds that a worker waits for another process to leave the directory, and between two attempts. */
const LOCK_MS = 1_000
const LOCK_RETRY_MS = 20

const SET_ASIDE = 'set-aside-'

/** Why what was there is not used. */
export type Unusable = 'damaged' | 'other-version' | 'other-size' | 'incomplete' | 'missing'

export const UNUSABLE_WORDS: Readonly<Record<Unusable, string>> = {
  damaged: 'its journal is damaged',
  'other-version': 'another version of the program wrote it',
  'other-size': 'its files are too large for the limit',
  incomplete: 'invalidations are missing in its journal',
  missing: 'its journal is gone',
}

/**
 * Makes the directory (0700) and takes it for this process; the kernel gives it back when the process dies.
 * @throws when it cannot be made, or another process keeps it
 */
export async function takeDirectory(directory: string): Promise<MachineLock> {
  await makePrivateDirectory(directory)
  for (let waited = 0; ; waited += LOCK_RETRY_MS) {
    const lock = await tryMachineLock(lockName(directory))
    if (lock !== null) return lock
    if (waited >= LOCK_MS) throw new Error(`another process uses ${directory}`)
    await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS))
  }
}

const lockName = (directory: string): string => `disk cache ${directory}`

/** Deletes a store that no process uses; false when one does. @throws the system's error */
export async function removeStore(directory: string): Promise<boolean> {
  const lock = await tryMachineLock(lockName(directory))
  if (lock === null) return false
  try {
    await rm(directory, { recursive: true, force: true })
  } finally {
    await lock.release()
  }
  return true
}

/** Puts the journal under a name that says why; an older one that was set aside goes. @throws the system's error */
export async function setAside(directory: string, why: Unusable): Promise<void> {
  const older = (await readdir(directory)).filter((name) => name.startsWith(SET_ASIDE))
  for (const name of older) await rm(join(directory, name), { force: true, recursive: true })
  if (why !== 'missing') await rename(join(directory, 'journal'), join(directory, `${SET_ASIDE}${why}-journal`))
}

/** True when there are segments of some store. */
export async function hasSegments(directory: string): Promise<boolean> {
  return (await readdir(directory)).some((name) => name.startsWith('segment-'))
}
