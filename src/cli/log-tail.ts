//! The end of growing text files.
import { createReadStream, watch } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError } from './host.ts'

/** How much of the end of a log is read to find its last lines. Bytes. */
const TAIL_BYTES = 1024 * 1024
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

/** Shows each new line; goes on until the process ends. A log that became shorter, or was set aside, is begun anew. */
export async function follow({ file, end }: Tail, show: (line: string) => void): Promise<never> {
  let at = end
  let rest = ''
  for await (const _ of changes(file)) {
    const size = await stat(file).then(
      (found) => found.size,
      () => 0,
    )
    if (size < at) [at, rest] = [0, '']
    if (size === at) continue
    for await (const chunk of createReadStream(file, { start: at, end: size - 1, encoding: 'utf8' })) rest += chunk
    at = size
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) show(line)
  }
  throw new Error(`the watch of ${file} ended`)
}

async function* changes(file: string): AsyncGenerator<void> {
  let wake: () => void = () => {}
  let changed = true
  watch(file, () => {
    changed = true
    wake()
  })
  for (;;) {
    if (changed) {
      changed = false
      yield
      continue
    }
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }
}
