//! Keeps a log short that a process of ours appends to by its own file descriptor (a standard output).
import { copyFileSync, statSync, truncateSync } from 'node:fs'

/** A log that is longer is set aside. Bytes. */
export const LOG_BYTES_MAX = 16 * 1024 * 1024

/**
 * Sets a file that has grown too long aside as `.1`, over the one before; its writer, which appends, goes on from the
 * beginning. A line that is written meanwhile is lost.
 */
export function limitFile(file: string, bytesMax = LOG_BYTES_MAX): void {
  try {
    if (statSync(file).size <= bytesMax) return
    copyFileSync(file, `${file}.1`)
    truncateSync(file)
  } catch {
    // It is not there yet, or the disk is full: the next look tries again.
  }
}
