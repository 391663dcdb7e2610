//! The answer of a folder to one request: head by the file's state, conditions and ranges, then its bytes at the pace of
//! whoever reads them.
import type { FileHandle } from 'node:fs/promises'
import { formatHttpDate } from '../../../http/http-date.ts'
import type { ByteRange } from '../../../http/range.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { OriginRequest, OriginSink, SourceControl } from '../attempts.ts'
import { OriginFailure } from '../failure.ts'
import { type FileState, fileHead, type Head, METHOD_NOT_ALLOWED, NOT_FOUND, redirectTo } from './head.ts'
import { locate } from './locate.ts'

/** Bytes of one read. */
const CHUNK_BYTES = 65_536

export class FileAnswer implements SourceControl {
  readonly #request: OriginRequest
  readonly #sink: OriginSink
  readonly #clock: Clock
  #paused = false
  #resume: (() => void) | null = null
  #aborted = false
  #over = false

  constructor(request: OriginRequest, sink: OriginSink, clock: Clock) {
    this.#request = request
    this.#sink = sink
    this.#clock = clock
  }

  /** `root` as of `locate`; once. Never throws. */
  async begin(root: string): Promise<void> {
    try {
      await this.#answer(root)
    } catch (error) {
      this.fail(error instanceof OriginFailure ? error : new OriginFailure('folder', (error as Error).message))
    }
  }

  fail(failure: OriginFailure): void {
    if (this.#aborted || this.#over) return
    this.#finish()
    this.#sink.onFailure(failure)
  }

  async #answer(root: string): Promise<void> {
    const { method, target } = this.#request
    if (method !== 'GET' && method !== 'HEAD') return this.#text(METHOD_NOT_ALLOWED)
    const path = target.split('?', 1)[0] as string
    const located = await locate(root, path)
    if (located.kind === 'missing') return this.#text(NOT_FOUND)
    if (located.kind === 'directory') return this.#text(redirectTo(path))
    try {
      await this.#file(located.file, located.name)
    } finally {
      await located.file.close()
    }
  }

  async #file(file: FileHandle, name: string): Promise<void> {
    const state = await stateOf(file)
    const head = await fileHead(this.#request, name, state, this.#clock.wall())
    if (this.#aborted) return
    this.#begin(head)
    if (head.range !== null && this.#request.method === 'GET') await this.#bytes(file, head.range, state)
    else this.#end()
  }

  async #bytes(file: FileHandle, { first, last }: ByteRange, state: FileState): Promise<void> {
    for (let at = first; at <= last; ) {
      await this.#flowing()
      if (this.#aborted) return
      const length = Math.min(CHUNK_BYTES, last + 1 - at)
      const chunk = Buffer.allocUnsafeSlow(length)
      const { bytesRead } = await file.read(chunk, 0, length, at)
      if (this.#aborted) return
      if (bytesRead === 0) throw new OriginFailure('object-changed', 'the file became shorter while it was read')
      at += bytesRead
      // The bytes may be of two versions: nobody is to have them all as those of one.
      if (at > last && (await stateOf(file)).etag !== state.etag) {
        throw new OriginFailure('object-changed', 'the file changed while it was read')
      }
      if (this.#aborted) return
      this.#sink.onData(bytesRead === length ? chunk : chunk.subarray(0, bytesRead))
    }
    this.#end()
  }

  #text(head: Head): void {
    if (this.#aborted) return
    this.#begin(head)
    if (this.#request.method !== 'HEAD' && head.body.length > 0) this.#sink.onData(head.body)
    this.#end()
  }

  #begin({ status, statusText, headers }: Head): void {
    this.#sink.onHead(status, statusText, [...headers, 'Date', formatHttpDate(this.#clock.now())])
  }

  #end(): void {
    if (this.#aborted || this.#over) return
    this.#finish()
    this.#sink.onEnd([])
  }

  #finish(): void {
    this.#over = true
  }

  #flowing(): Promise<void> | undefined {
    if (!this.#paused) return undefined
    return new Promise((resolve) => {
      this.#resume = resolve
    })
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#resume?.()
    this.#resume = null
  }

  abort(): void {
    if (this.#aborted || this.#over) return
    this.#aborted = true
    this.#finish()
    this.resume()
  }
}

async function stateOf(file: FileHandle): Promise<FileState> {
  const { ino, size, mtimeNs, mtimeMs } = await file.stat({ bigint: true })
  return {
    size: Number(size),
    // Of another file of the same name, another length or another time: another tag.
    etag: `"${ino.toString(36)}-${size.toString(36)}-${mtimeNs.toString(36)}"`,
    modifiedAt: Number(mtimeMs),
  }
}
