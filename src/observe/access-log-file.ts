//! The file behind the access log: buffered, written behind the requests, rotated, never a reason to fail.
import { close, open, readdir, rename, stat, unlink, write } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '../lib/clock.ts'
import { ACCESS_LOG_HEADER, type LineSink } from './access-log.ts'
import { COUNTER, type Counters } from './counters.ts'

const fs = {
  close: promisify(close),
  open: promisify(open),
  readdir: promisify(readdir),
  rename: promisify(rename),
  stat: promisify(stat),
  unlink: promisify(unlink),
  write: promisify(write),
}

export interface AccessLogFileOptions {
  readonly path: string
  readonly clock: Clock
  readonly counters: Counters
  /** Bytes after which the file is set aside. Default 256 MiB. */
  readonly rotateBytes?: number
  /** What each file begins with; that of the access log unless it is another log. */
  readonly header?: string
  /** Rotated files that are kept; older ones are deleted. Default 24. */
  readonly keepFiles?: number
}

/** Lines are written when this many bytes wait, or this many milliseconds after the first of them. */
const FLUSH_BYTES = 262_144
const FLUSH_MS = 200
/**
 * Characters of lines that are joined before they become bytes. A line is a tree of pieces: while it is new they are in
 * the processor's cache; 64 KB of lines later they are not, and turning them into bytes took a tenth of a hit's time.
 */
const JOIN_CHARACTERS = 4_096
/** Bytes that may wait for a slow disk; lines beyond are dropped and counted. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024
/** How often the path is compared with the open file: somebody may have moved it away. */
const LOOK_MS = 5_000
const HOUR_MS = 3_600_000

export class AccessLogFile implements LineSink {
  readonly #path: string
  readonly #clock: Clock
  readonly #counters: Counters
  readonly #rotateBytes: number
  readonly #keepFiles: number
  readonly #header: string
  /** Lines that are not bytes yet. */
  #text = ''
  #buffer = Buffer.allocUnsafeSlow(FLUSH_BYTES)
  /** Bytes of the buffer that hold lines, and those of them that were handed to the system. */
  #used = 0
  #handed = 0
  /** Bytes that were handed to the system and are not written yet. */
  #waiting = 0
  #timer: NodeJS.Timeout | null = null
  /** Writes follow one another on this chain; it never rejects. */
  #tail: Promise<void> = Promise.resolve()
  #fd = -1
  #inode = -1
  #size = 0
  #hour = 0
  #lookedAt = 0

  constructor(options: AccessLogFileOptions) {
    this.#path = options.path
    this.#clock = options.clock
    this.#counters = options.counters
    this.#rotateBytes = options.rotateBytes ?? 256 * 1024 * 1024
    this.#keepFiles = options.keepFiles ?? 24
    this.#header = options.header ?? ACCESS_LOG_HEADER
  }

  append(line: string): void {
    if (this.#waiting > WAITING_BYTES_MAX) {
      this.#counters.add(COUNTER.logLinesLost)
      return
    }
    this.#counters.add(COUNTER.logLines)
    this.#text += line
    if (this.#text.length >= JOIN_CHARACTERS) this.#join()
    if (this.#timer === null) this.#timer = setTimeout(() => this.#flush(), FLUSH_MS).unref()
  }

  /** Turns the lines into bytes. Fields are escaped to ASCII: a character is a byte. */
  #join(): void {
    const { length } = this.#text
    if (this.#used + length > FLUSH_BYTES) {
      this.#hand()
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(FLUSH_BYTES, length))
      this.#used = this.#handed = 0
    }
    this.#buffer.write(this.#text, this.#used, 'latin1')
    this.#used += length
    this.#text = ''
  }

  /** Gives the system what it does not have yet; the rest of the buffer goes on being filled. */
  #hand(): void {
    if (this.#used > this.#handed) this.#queue(this.#buffer.subarray(this.#handed, this.#used))
    this.#handed = this.#used
  }

  #queue(bytes: Buffer): void {
    this.#waiting += bytes.length
    this.#tail = this.#tail.then(() => this.#write(bytes))
  }

  /** Writes what waits; resolves when it is in the file. */
  flush(): Promise<void> {
    this.#flush()
    return this.#tail
  }

  async close(): Promise<void> {
    await this.flush()
    await this.#closeFile()
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#text !== '') this.#join()
    this.#hand()
  }

  async #write(bytes: Buffer): Promise<void> {
    try {
      await this.#ready()
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await fs.write(this.#fd, bytes, at, bytes.length - at, null)
        at += bytesWritten
      }
      this.#size += bytes.length
    } catch {
      // A full disk or a lost directory: the log has a gap, viewers do not notice. The next write opens anew.
      this.#counters.add(COUNTER.logErrors)
      await this.#closeFile()
    } finally {
      this.#waiting -= bytes.length
    }
  }

  /** Opens the file when it is not open, was moved away, is too large or of a past hour. */
  async #ready(): Promise<void> {
    if (this.#fd >= 0 && this.#clock.monotonic() - this.#lookedAt >= LOOK_MS) {
      this.#lookedAt = this.#clock.monotonic()
      const there = await fs.stat(this.#path).catch(() => null)
      if (there?.ino !== this.#inode) await this.#closeFile()
    }
    const hour = Math.floor(this.#clock.wall() / HOUR_MS)
    if (this.#fd >= 0 && (this.#size >= this.#rotateBytes || hour !== this.#hour)) await this.#rotate()
    if (this.#fd >= 0) return
    this.#fd = await fs.open(this.#path, 'a', 0o600)
    this.#lookedAt = this.#clock.monotonic()
    const opened = await fs.stat(this.#path)
    this.#inode = opened.ino
    this.#size = opened.size
    this.#hour = hour
    if (this.#size > 0 || this.#header === '') return
    const { bytesWritten } = await fs.write(this.#fd, Buffer.from(this.#header, 'latin1'))
    this.#size = bytesWritten
  }

  /** `access.log` becomes `access.log.2026-11-21-04.1`, numbered within its hour; the oldest beyond the limit go. */
  async #rotate(): Promise<void> {
    const prefix = `${basename(this.#path)}.`
    const hour = new Date(this.#hour * HOUR_MS).toISOString().slice(0, 13).replace('T', '-')
    await this.#closeFile()
    const folder = dirname(this.#path)
    const old = (await fs.readdir(folder)).filter((name) => name.startsWith(prefix)).sort(byHourAndNumber)
    const number = old.filter((name) => name.startsWith(`${prefix}${hour}.`)).length + 1
    await fs.rename(this.#path, join(folder, `${prefix}${hour}.${number}`))
    for (const name of old.slice(0, Math.max(0, old.length + 1 - this.#keepFiles))) await fs.unlink(join(folder, name))
  }

  async #closeFile(): Promise<void> {
    const fd = this.#fd
    this.#fd = -1
    this.#inode = -1
    if (fd >= 0) await fs.close(fd).catch(() => {})
  }
}

function byHourAndNumber(a: string, b: string): number {
  const cut = (name: string) => name.lastIndexOf('.')
  const hours = a.slice(0, cut(a)).localeCompare(b.slice(0, cut(b)))
  return hours !== 0 ? hours : Number(a.slice(cut(a) + 1)) - Number(b.slice(cut(b) + 1))
}
