//! The home directory of an installation while control runs: made private, locked, with the addresses for the clients.
import { chmod, rename, rm, writeFile } from 'node:fs/promises'
import { controlLock, type InstallationFile, readInstallationFile } from '../cli/installation-file.ts'
import type { HomePaths } from '../config.ts'
import type { MachineLock } from '../lib/machine-lock.ts'
import { makePrivateDirectory } from '../lib/private-directory.ts'
import { fileProblem, StartError } from './errors.ts'

/** Makes the directories. @throws StartError in one line */
export async function makeHome(home: string, paths: HomePaths): Promise<void> {
  try {
    for (const directory of [home, paths.keeper, paths.edge, paths.logs]) await makePrivateDirectory(directory)
    await chmod(home, 0o700)
  } catch (error) {
    const why = fileProblem(error) ?? (error as Error).message
    throw new StartError(
      `The home ${home} cannot be made: ${why}. Give this user the right to write there, or choose another CACHEFRONT_HOME.`,
      error,
    )
  }
}

/** One control plane a home. The kernel gives the lock back when its holder dies. @throws StartError when it runs */
export async function lockHome(home: string, paths: HomePaths): Promise<MachineLock> {
  const lock = await controlLock(home)
  if (lock !== null) return lock
  const other = readInstallationFile(paths.installation)
  const who = other === null ? '' : ` (process ${other.pid}, API ${other.api})`
  throw new StartError(
    `Cachefront runs on ${home} already${who}: use it, end it with \`cachefront down\`, or choose another CACHEFRONT_HOME.`,
  )
}

/** Tells the client commands where everything is; the old content or the new, never a half. */
export async function writeInstallation(paths: HomePaths, file: InstallationFile): Promise<void> {
  const next = `${paths.installation}.new`
  await writeFile(next, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 })
  await rename(next, paths.installation)
}

export const removeInstallation = (paths: HomePaths): Promise<void> => rm(paths.installation, { force: true })
