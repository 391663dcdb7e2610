//! The key of tokens that make an edge explain a request: a file of the home (0600) that control makes and workers read.
import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'

const KEY_BYTES = 32

/** That of an earlier start, or a new one. @throws the file system's error */
export async function keepExplainKey(file: string): Promise<Uint8Array> {
  const kept = await readExplainKey(file)
  if (kept !== null) return kept
  const key = randomBytes(KEY_BYTES)
  await writeFile(`${file}.new`, key, { mode: 0o600 })
  await rename(`${file}.new`, file)
  return key
}

/** Null when there is none: then nothing is explained beyond loopback. */
export async function readExplainKey(file: string): Promise<Uint8Array | null> {
  const key = await readFile(file).catch(() => null)
  return key?.length === KEY_BYTES ? key : null
}
