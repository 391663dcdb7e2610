//! What control tells its operator, one line a message, in a file of the home (0600).
import { appendFileSync, renameSync, statSync } from 'node:fs'
import type { Clock } from '../lib/clock.ts'

/** The log is set aside at this size, over the one that was set aside before: it never takes twice as much. Bytes. */
const ROTATE_BYTES = 16 * 1024 * 1024

/** A log that cannot be written never stops the program. A line is in the file when the function returns. */
export function openOperatorLog(file: string, clock: Clock, rotateBytes = ROTATE_BYTES): (line: string) => void {
  let size = sizeOf(file)
  return (line) => {
    // Events of the API are JSON documents that have their own time.
    const time = line.startsWith('{') ? '' : `${new Date(clock.wall()).toISOString()} `
    const text = `${time}${line.replaceAll('\n', '\\n')}\n`
    try {
      if (size >= rotateBytes) {
        renameSync(file, `${file}.1`)
        size = 0
      }
      appendFileSync(file, text, { mode: 0o600 })
      size += Buffer.byteLength(text)
    } catch {
      // A full disk or a lost directory: the log has a gap.
    }
  }
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size
  } catch {
    return 0
  }
}
