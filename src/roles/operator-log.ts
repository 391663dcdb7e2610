//! What control tells its operator, one line a message, in a file of the home (0600).
import { createWriteStream } from 'node:fs'
import type { Clock } from '../lib/clock.ts'

/** A log that cannot be written never stops the program. */
export function openOperatorLog(file: string, clock: Clock): (line: string) => void {
  const stream = createWriteStream(file, { flags: 'a', mode: 0o600 })
  stream.on('error', () => {})
  return (line) => void stream.write(`${new Date(clock.wall()).toISOString()} ${line.replaceAll('\n', '\\n')}\n`)
}
