//! RDB files on this side of the API: out of a snapshot into a directory, out of a file into a snapshot.
import { link, open, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CliError } from './host.ts'
import { type LocalApi, localBody, localDocument } from './local-call.ts'
import type { Say } from './progress.ts'
import { bytesText, fileError } from './snapshots.ts'

/** Bytes of a file in one call: as base64 it stays below the API's limit of 2 MiB. */
const PIECE_BYTES = 1024 * 1024

/** Writes `NAME-0001.rdb`, whole or not at all, readable by its owner; returns its path. @throws CliError */
export async function exportToDirectory(api: LocalApi, name: string, directory: string, say: Say): Promise<string> {
  const path = resolve(join(directory, `${name}-0001.rdb`))
  const partial = `${path}.partial`
  const body = await localBody(api, `/_cachefront/snapshots/${encodeURIComponent(name)}`)
  try {
    const file = await open(partial, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? fileError(`The directory ${resolve(directory)}`, error) : error
    })
    try {
      let bytes = 0
      for await (const piece of body) {
        await file.writeFile(piece as Buffer)
        bytes += (piece as Buffer).length
        say(bytesText(bytes))
      }
      if (!body.complete) throw new Error('the answer broke off')
      await file.datasync()
      await link(partial, path)
    } finally {
      await file.close()
      await rm(partial, { force: true })
    }
  } catch (error) {
    body.destroy()
    throw error instanceof CliError ? error : fileError(path, error as NodeJS.ErrnoException)
  }
  return path
}

/** @throws CliError, also when the file is no whole RDB */
export async function importFile(
  api: LocalApi,
  path: string,
  about: { readonly name: string; readonly engine: string },
  say: Say,
): Promise<void> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw fileError(path, error)
  })
  try {
    const { upload } = (await localDocument(api, '/_cachefront/snapshot-imports', about)) as { upload: string }
    const route = `/_cachefront/snapshot-imports/${upload}`
    const buffer = Buffer.alloc(PIECE_BYTES)
    let bytes = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES).catch((error: NodeJS.ErrnoException) => {
        throw fileError(path, error)
      })
      if (bytesRead === 0) break
      await localDocument(api, route, { data: buffer.subarray(0, bytesRead).toString('base64') })
      bytes += bytesRead
      say(bytesText(bytes))
    }
    await localDocument(api, route, { end: true })
  } finally {
    await file.close()
  }
}
