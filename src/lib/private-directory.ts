//! Directories that belong to this user alone.
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes `path`, and what is missing above it, with mode 0700; one that is there stays as it is.
 * Not `mkdir({ recursive: true })`: on a file system that makes no directories (/proc) Node tries for ever.
 * @throws the file system's error; ENOTDIR when something else than a directory is in the way.
 */
export async function makePrivateDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') {
      if ((await stat(path)).isDirectory()) return
      throw Object.assign(new Error(`${path} is not a directory`), { code: 'ENOTDIR' })
    }
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    await makePrivateDirectory(dirname(path))
    await mkdir(path, { mode: 0o700 })
  }
}
