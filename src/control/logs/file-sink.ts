//! Logs in files: `<logs>/<log group>/elasticache/<engine>/<cluster>/<node>/<log type>` (0600). One that is too long is set
//! aside as `.1`, over the one before.
import { appendFile, mkdir, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { LogBatch, LogSink } from './sink.ts'

/** Bytes. */
const FILE_BYTES_MAX = 16 * 1024 * 1024

export class FileSink implements LogSink {
  readonly #directory: string

  constructor(logs: string, name: string) {
    // A log group usually begins with a slash.
    this.#directory = join(logs, name)
  }

  async check(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
  }

  async deliver({ stream, lines }: LogBatch): Promise<void> {
    const file = join(this.#directory, stream)
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const size = await stat(file).then(
      (found) => found.size,
      () => 0,
    )
    if (size > FILE_BYTES_MAX) await rename(file, `${file}.1`)
    await appendFile(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  }
}
