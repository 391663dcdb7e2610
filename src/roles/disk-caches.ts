//! Disk caches of workers that there are no more (fewer workers, or the disk cache was turned off) give their space back.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config, HomePaths } from '../config.ts'
import { removeStore } from '../edge/cache/disk/directory.ts'

/** A worker that is being drained leaves its directory in its own time: attempts, and milliseconds between them. */
const ATTEMPTS = 30
const ATTEMPT_EVERY_MS = 1_000

/** Deletes what no wished worker owns. Never throws: what cannot be deleted is told. */
export async function removeUnusedDiskCaches(
  config: Config,
  paths: HomePaths,
  workers: readonly string[],
  log: (line: string) => void,
): Promise<void> {
  const used = new Set(config.diskCacheBytes > 0 ? workers : [])
  try {
    const names = await readdir(paths.cache).catch(() => [])
    for (const name of names) if (!used.has(name)) await removeWhenFree(join(paths.cache, name))
  } catch (error) {
    log(`an unused disk cache could not be deleted: ${(error as Error).message}`)
  }
}

async function removeWhenFree(directory: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await removeStore(directory)) return
    await sleep(ATTEMPT_EVERY_MS, undefined, { ref: false })
  }
  throw new Error(`a process still uses ${directory}`)
}
