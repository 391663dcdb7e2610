//! Counts the lines of a log, rotated parts included, to see that a server really wrote one for each request.
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

async function parts(file: string): Promise<string[]> {
  const names = await readdir(dirname(file))
  return names
    .filter((name) => name === basename(file) || name.startsWith(`${basename(file)}.`))
    .map((name) => join(dirname(file), name))
}

/** Resolves when `file` (rotated parts included) has not grown for `quietMs` milliseconds: what was buffered is written. */
export async function logSettled(file: string, quietMs: number): Promise<void> {
  let size = -1
  let since = 0
  while (since < quietMs) {
    let now = 0
    for (const part of await parts(file)) now += (await stat(part).catch(() => ({ size: 0 }))).size
    since = now === size ? since + LOOK_MS : 0
    size = now
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

const LOOK_MS = 100

/** Lines of `file` and of files whose name begins with it and a dot; those that begin with `comment` do not count. */
export async function countLines(file: string, comment?: string): Promise<number> {
  let lines = 0
  for (const part of await parts(file)) {
    let atStart = true
    for await (const chunk of createReadStream(part) as AsyncIterable<Buffer>) {
      for (let lf = chunk.indexOf(10), from = 0; lf >= 0; from = lf + 1, lf = chunk.indexOf(10, from)) {
        const commented = comment !== undefined && atStart && chunk[from] === comment.charCodeAt(0)
        if (!commented) lines++
        atStart = true
      }
      atStart = chunk.at(-1) === 10
    }
  }
  return lines
}
