//! Streams of RDB bytes into a sealed file and out of one.
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { SealError, Sealer, unseal } from './frames.ts'
import { dataFile } from './manifest.ts'
import { type RdbFacts, RdbReader } from './rdb.ts'

/** Pieces in which sealed files are read. Bytes. */
const READ_BYTES = 1024 * 1024

/** Where frames are written: the directory of a snapshot to be, and the key for its frames. */
export interface SealTarget {
  readonly id: string
  readonly directory: string
  readonly key: Buffer
}

/** Writes the frames of `source` into the target's file and to the disk. @throws RdbError when it is no whole RDB */
export async function sealInto(
  target: SealTarget,
  source: AsyncIterable<Buffer>,
  onBytes: (bytes: number) => void = () => {},
): Promise<RdbFacts> {
  const sealer = new Sealer({ key: target.key, snapshot: target.id })
  const reader = new RdbReader()
  const file = await open(dataFile(target.directory), 'wx', 0o600)
  try {
    await writeAll(file, [sealer.header])
    for await (const chunk of source) {
      reader.push(chunk)
      const frames = sealer.push(chunk)
      if (frames.length === 0) continue
      await writeAll(file, frames)
      onBytes(reader.bytes)
    }
    await writeAll(file, sealer.end())
    const facts = reader.end()
    await file.datasync()
    onBytes(reader.bytes)
    return facts
  } finally {
    await file.close()
  }
}

async function writeAll(file: FileHandle, parts: readonly Buffer[]): Promise<void> {
  const { bytesWritten } = await file.writev([...parts])
  const bytes = parts.reduce((sum, part) => sum + part.length, 0)
  if (bytesWritten !== bytes) throw new Error('ENOSPC: the disk took only a part of what was written')
}

/** @throws SealError, also when its whole length is not `bytes` */
export async function* readSealed(
  file: string,
  key: Buffer,
  snapshot: string,
  bytes: number,
): AsyncGenerator<Buffer, void> {
  const pieces = createReadStream(file, { highWaterMark: READ_BYTES })
  let read = 0
  for await (const text of unseal(pieces, { key, snapshot })) {
    read += text.length
    yield text
  }
  if (read !== bytes) throw new SealError(`it holds ${read} bytes, not the ${bytes} that its manifest tells`)
}
