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
  /** Rotated files that are kept; older ones are deleted. Default 24. */
  readonly keepFiles?: number
}

/** Lines are written when this many bytes wait, or this many milliseconds after the first of them. */
const FLUSH_BYTES = 65_536
const FLUSH_MS = 200
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
  #buffer = ''
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
  }

  append(line: string): void {
    if (this.#waiting + this.#buffer.length > WAITING_BYTES_MAX) {
      this.#counters.add(COUNTER.logLinesLost)
      return
    }
    this.#counters.add(COUNTER.logLines)
    this.#buffer += line
    if (this.#buffer.length >= FLUSH_BYTES) this.#flush()
    else if (this.#timer === null) this.#timer = setTimeout(() => this.#flush(), FLUSH_MS).unref()
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
    if (this.#buffer === '') return
    // Fields are escaped to ASCII: a character is a byte.
    const bytes = Buffer.from(this.#buffer, 'latin1')
    this.#buffer = ''
    this.#waiting += bytes.length
    this.#tail = this.#tail.then(() => this.#write(bytes))
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
    if (this.#size > 0) return
    const { bytesWritten } = await fs.write(this.#fd, Buffer.from(ACCESS_LOG_HEADER, 'latin1'))
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
