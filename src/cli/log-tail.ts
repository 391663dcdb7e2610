//! The end of growing text files.
import { watch } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CliError } from './host.ts'

/** How much of the end of a log is read to find its last lines. Bytes. */
const TAIL_BYTES = 1024 * 1024
/** Most that is read at once of what was added. Bytes. */
const CHUNK_BYTES = 256 * 1024
/** The heading is within this much of the beginning. Bytes. */
const HEADING_BYTES = 4096

export interface Tail {
  readonly file: string
  /** Lines of the beginning that start with `#`. */
  readonly heading: readonly string[]
  /** Whole lines of the end. */
  readonly lines: readonly string[]
  /** Offset behind the last whole line. */
  readonly end: number
}

/** Access logs that are being written; those set aside have longer names. @throws CliError when there is none */
export async function findLogs(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => [] as string[])
  const logs = names.filter((name) => /^access-[^.]+\.log$/.test(name)).sort()
  if (logs.length === 0)
    throw new CliError(`There is no log yet (${directory}): the edge writes one with its first request.`)
  return logs.map((name) => join(directory, name))
}

export async function readTail(file: string): Promise<Tail> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const head = Buffer.alloc(Math.min(size, HEADING_BYTES))
    await handle.read(head, 0, head.length, 0)
    const heading = head
      .toString('utf8')
      .split('\n')
      .filter((line) => line.startsWith('#'))
    const from = Math.max(0, size - TAIL_BYTES)
    const bytes = Buffer.alloc(size - from)
    await handle.read(bytes, 0, bytes.length, from)
    const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1)
    const lines = whole
      .toString('utf8')
      .split('\n')
      .slice(from > 0 ? 1 : 0, -1)
    return { file, heading, lines: lines.filter((line) => !line.startsWith('#')), end: from + whole.length }
  } finally {
    await handle.close()
  }
}

/**
 * Shows each new line until `signal`. A log that was set aside is read to its end, then its successor from the beginning;
 * so is one that became shorter.
 * @throws CliError when the directory is gone
 */
export async function follow({ file, end }: Tail, show: (line: string) => void, signal?: AbortSignal): Promise<void> {
  let reading = await open(file)
  let at = end
  let rest = ''
  const readOn = async (): Promise<void> => {
    const { size } = await reading.stat()
    if (size < at) [at, rest] = [0, '']
    if (size === at) return
    const bytes = Buffer.alloc(Math.min(size - at, CHUNK_BYTES))
    const { bytesRead } = await reading.read(bytes, 0, bytes.length, at)
    at += bytesRead
    // Fields are escaped to ASCII: a character is a byte.
    const lines = (rest + bytes.toString('latin1', 0, bytesRead)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) show(line)
    if (at < size) await readOn()
  }
  try {
    for await (const _ of changes(dirname(file), signal)) {
      await readOn()
      const successor = await open(file).catch(() => null)
      if (successor === null) continue
      if ((await successor.stat()).ino === (await reading.stat()).ino) {
        await successor.close()
        continue
      }
      // What was written between the last look and the renaming.
      await readOn()
      await reading.close()
      ;[reading, at, rest] = [successor, 0, '']
      await readOn()
    }
  } finally {
    await reading.close()
  }
}

/** Once at the beginning, then whenever something happened in the directory. */
async function* changes(directory: string, signal: AbortSignal | undefined): AsyncGenerator<void> {
  let wake: () => void = () => {}
  let changed = true
  let broken: Error | null = null
  const watcher = watch(directory, () => {
    changed = true
    wake()
  })
  watcher.on('error', (error) => {
    broken = error
    wake()
  })
  const onAbort = (): void => wake()
  signal?.addEventListener('abort', onAbort)
  try {
    while (signal?.aborted !== true) {
      if (broken !== null) throw new CliError(`${directory} can be watched no longer: ${(broken as Error).message}`)
      if (changed) {
        changed = false
        yield
        continue
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    watcher.close()
    signal?.removeEventListener('abort', onAbort)
  }
}
