//! PURE: finds the `config` lines in what a memcached client sends. It walks command by command, because the data block
//! of a storage command may hold anything, `config get cluster` included. Binary connections pass untouched.

export type Part =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'config'; readonly line: string }

/** Storage commands whose fifth word is the length of the data block that follows. */
const STORAGE: ReadonlySet<string> = new Set(['set', 'add', 'replace', 'append', 'prepend', 'cas'])
/** A command line is at most this long, in bytes: a `get` of 250 keys fits; memcached itself gives up at 2 KB of `get`
 * without a space and at 64 KB otherwise. */
const LINE_BYTES_MAX = 65_536
const BINARY_MAGIC = 0x80
const LINE_FEED = 10

export class CommandReader {
  #binary: boolean | null = null
  /** Bytes of a data block that are still to come, its line break included. */
  #skip = 0
  #line = Buffer.alloc(0)
  isTooLong = false

  /** What to pass on and where a `config` line stood, in order. */
  read(chunk: Buffer): readonly Part[] {
    if (chunk.length === 0) return []
    this.#binary ??= chunk[0] === BINARY_MAGIC
    if (this.#binary) return [{ kind: 'bytes', bytes: chunk }]
    const data = this.#line.length === 0 ? chunk : Buffer.concat([this.#line, chunk])
    this.#line = Buffer.alloc(0)
    const parts: Part[] = []
    let from = 0
    let at = 0
    const pass = (to: number): void => {
      if (to > from) parts.push({ kind: 'bytes', bytes: data.subarray(from, to) })
    }
    while (at < data.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, data.length - at)
        this.#skip -= skipped
        at += skipped
        continue
      }
      const end = data.indexOf(LINE_FEED, at)
      if (end < 0) {
        // An unfinished line waits: it may become a `config` line.
        this.#line = Buffer.from(data.subarray(at))
        this.isTooLong = this.#line.length > LINE_BYTES_MAX
        pass(at)
        return parts
      }
      const line = data.toString('latin1', at, end).trimEnd()
      if (line === 'config' || line.startsWith('config ')) {
        pass(at)
        parts.push({ kind: 'config', line })
        from = end + 1
      } else this.#skip = dataLength(line)
      at = end + 1
    }
    pass(data.length)
    return parts
  }
}

/** Length of the data block after a command line, with its line break; 0 when there is none. */
function dataLength(line: string): number {
  const words = line.split(' ').filter(Boolean)
  const length = words[0] === 'ms' ? words[2] : STORAGE.has(words[0] ?? '') ? words[4] : undefined
  return length !== undefined && /^\d+$/.test(length) ? Number(length) + 2 : 0
}
