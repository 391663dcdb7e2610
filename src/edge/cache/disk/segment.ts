//! One segment file: of fixed size, made once, used again and again, never unlinked while the store is in use. Nothing
//! of it is mapped into memory: a file that is cut off under us makes a short read, not a fatal signal.
import { constants, readSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { UNIT_BYTES } from './record.ts'
import { Contents, contentsBytes, MARK_BYTES, writeContents, writeMark } from './segment-format.ts'

/** `free` ones may be written anew, one is `active` and written to, `full` ones are read. */
export type SegmentState = 'free' | 'active' | 'full'

export const segmentFile = (directory: string, number: number): string =>
  join(directory, `segment-${String(number).padStart(4, '0')}`)

export class Segment {
  readonly number: number
  readonly bytes: number
  readonly #file: FileHandle
  state: SegmentState = 'free'
  /** Which life of the file this is; 0 while it is free. */
  epoch = 0
  /** Where the next record goes. Bytes. */
  end = MARK_BYTES
  /** What was written in this life, for its table of contents; emptied when that is written. */
  contents = new Contents()
  /** Reads under way. */
  #readers = 0
  #unread: (() => void) | null = null

  private constructor(number: number, bytes: number, file: FileHandle) {
    this.number = number
    this.bytes = bytes
    this.#file = file
  }

  /** Opens the file, or makes it, with the right size. @throws the system's error */
  static async open(directory: string, number: number, bytes: number): Promise<{ segment: Segment; hadBytes: number }> {
    // Neither truncated nor exclusive: it is there after a restart.
    const file = await open(segmentFile(directory, number), constants.O_RDWR | constants.O_CREAT, 0o600)
    try {
      const hadBytes = (await file.stat()).size
      if (hadBytes !== bytes) await file.truncate(bytes)
      return { segment: new Segment(number, bytes, file), hadBytes }
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Bytes that are left for records when as many more of them are to be listed at the end. */
  room(moreRecords: number): number {
    return this.bytes - contentsBytes(this.contents.records + moreRecords) - this.end
  }

  /** Begins a new life. @throws the system's error */
  async begin(storeId: number, epoch: number): Promise<void> {
    await this.write([writeMark({ storeId, epoch })], 0)
    this.epoch = epoch
    this.end = MARK_BYTES
    this.contents = new Contents()
    this.state = 'active'
  }

  /** Nothing more is written in this life. @throws the system's error; the segment is full all the same. */
  async finish(storeId: number): Promise<void> {
    const { contents } = this
    this.state = 'full'
    this.contents = new Contents(1)
    const bytes = writeContents(contents, { storeId, epoch: this.epoch })
    await this.write([bytes], this.bytes - bytes.length)
  }

  free(): void {
    this.state = 'free'
    this.epoch = 0
  }

  /** @throws the system's error, or one that says that not all could be written */
  async write(pieces: readonly Uint8Array[], at: number): Promise<void> {
    let bytes = 0
    for (const piece of pieces) bytes += piece.length
    const { bytesWritten } = await this.#file.writev(pieces as Uint8Array[], at)
    if (bytesWritten !== bytes)
      throw new Error(`only ${bytesWritten} of ${bytes} bytes could be written: the disk is full`)
  }

  /** Null when the file ends before, or cannot be read. */
  async read(unit: number, bytes: number): Promise<Buffer | null> {
    this.#readers++
    try {
      const buffer = Buffer.allocUnsafeSlow(bytes)
      const { bytesRead } = await this.#file.read(buffer, 0, bytes, unit * UNIT_BYTES)
      return bytesRead === bytes ? buffer : null
    } catch {
      return null
    } finally {
      this.#readers--
      if (this.#readers === 0) this.#unread?.()
    }
  }

  /** As `read`, into memory that the next read may use again; false when it fails. */
  readNow(into: Buffer, unit: number, bytes: number): boolean {
    try {
      return readSync(this.#file.fd, into, 0, bytes, unit * UNIT_BYTES) === bytes
    } catch {
      return false
    }
  }

  /** As much as there is, up to `bytes`, from the byte `at`; for looking through a whole file. */
  async readUpTo(at: number, bytes: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(bytes, this.bytes - at))
    const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, at)
    return buffer.subarray(0, bytesRead)
  }

  /** Resolves when no read is under way. */
  async unread(): Promise<void> {
    if (this.#readers === 0) return
    await new Promise<void>((resolve) => {
      this.#unread = resolve
    })
    this.#unread = null
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
