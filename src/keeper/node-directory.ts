//! The directory of a node goes with the node: its log, an append-only file, the key that memcached serves TLS with.
import { rm, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'

/** With that of its group, once no other node is in it. @throws the file system's error */
export async function removeNodeDirectory(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true })
  await rmdir(dirname(dir)).catch((error: NodeJS.ErrnoException) => {
    // Not empty, or gone already.
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(error.code ?? '')) throw error
  })
}
