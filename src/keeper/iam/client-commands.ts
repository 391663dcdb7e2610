//! What a client sends to an engine, with the logins of IAM users exchanged: everything passes as it came, but the
//! arguments of AUTH and HELLO go through `exchange`. The engine answers each command itself, so answers keep their order
//! in RESP2 and RESP3 and in any pipeline.
import { Transform, type TransformCallback } from 'node:stream'

/** Arguments of one login, and bytes of each: longer ones are nobody's. */
const ARGUMENTS_MAX = 16
const ARGUMENT_BYTES_MAX = 16 * 1024
const LINE_BYTES_MAX = 64 * 1024
/** Names of commands that are looked at are not longer. */
const NAME_BYTES_MAX = 7

/** Arguments of a login, the name first -> what the engine gets instead. */
export type Exchange = (args: readonly string[], inTransaction: boolean) => Promise<readonly string[]>

/** A client that breaks the protocol in a way that could hide a login is cut off. */
class ProtocolError extends Error {}

interface Line {
  readonly text: string
  /** Position behind the line break. */
  readonly next: number
}

export class ClientCommands extends Transform {
  readonly #exchange: Exchange
  /** Bytes that cannot be judged before more come. */
  #held: Buffer = Buffer.alloc(0)
  /** Bulk strings of the command under way that pass, and bytes of the one under way, its line break included. */
  #bulks = 0
  #bytes = 0
  #inTransaction = false

  constructor(exchange: Exchange) {
    super()
    this.#exchange = exchange
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#take(chunk).then(
      () => done(),
      (error: Error) => done(error),
    )
  }

  async #take(chunk: Buffer): Promise<void> {
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    let from = 0
    let at = 0
    const passTo = (end: number): void => {
      if (end > from) this.push(data.subarray(from, end))
      from = end
    }
    while (at < data.length) {
      if (this.#bytes > 0) {
        const passing = Math.min(this.#bytes, data.length - at)
        this.#bytes -= passing
        at += passing
      } else if (this.#bulks > 0) {
        const line = lineAt(data, at)
        if (line === null) break
        this.#bytes = lengthOf(line, '$') + 2
        this.#bulks--
        at = line.next
      } else {
        const login = this.#begin(data, at)
        if (login === null) break
        if (login.args !== null) {
          passTo(at)
          const args = await this.#exchange(login.args, this.#inTransaction)
          this.push(encode(args))
          from = login.next
        }
        at = login.next
      }
    }
    passTo(at)
    this.#held = Buffer.from(data.subarray(at))
  }

  /** A command begins at `at`: its arguments when it is a login, null when more bytes are needed to tell. */
  #begin(data: Buffer, at: number): { readonly args: readonly string[] | null; readonly next: number } | null {
    const line = lineAt(data, at)
    if (line === null) return null
    if (data[at] !== 0x2a) return inlineCommand(line)
    const count = lengthOf(line, '*')
    if (count <= 0) return { args: null, next: line.next }
    const head = lineAt(data, line.next)
    if (head === null) return null
    const nameBytes = lengthOf(head, '$')
    if (nameBytes > NAME_BYTES_MAX) {
      this.#bulks = count
      return { args: null, next: line.next }
    }
    const end = head.next + nameBytes
    if (data.length < end + 2) return null
    const name = data.toString('latin1', head.next, end).toUpperCase()
    if (name !== 'AUTH' && name !== 'HELLO') {
      this.#note(name)
      this.#bulks = count - 1
      return { args: null, next: end + 2 }
    }
    if (count > ARGUMENTS_MAX) throw new ProtocolError(`${name} with ${count} arguments`)
    return readArguments(data, line.next, count)
  }

  #note(name: string): void {
    if (name === 'MULTI') this.#inTransaction = true
    else if (name === 'EXEC' || name === 'DISCARD' || name === 'RESET') this.#inTransaction = false
  }
}

function lineAt(data: Buffer, at: number): Line | null {
  const end = data.indexOf(0x0a, at)
  if (end < 0) {
    if (data.length - at > LINE_BYTES_MAX) throw new ProtocolError('a line that does not end')
    return null
  }
  const text = data.toString('latin1', at, end)
  return { text: text.endsWith('\r') ? text.slice(0, -1) : text, next: end + 1 }
}

/** The engine itself ends a connection that breaks this. */
function lengthOf({ text }: Line, mark: '*' | '$'): number {
  const length = /^-?\d{1,10}$/.test(text.slice(1)) ? Number(text.slice(1)) : Number.NaN
  if (text[0] !== mark || Number.isNaN(length) || (mark === '$' && length < 0)) throw new ProtocolError('no length')
  return length
}

/** One that is typed: words with spaces between. */
function inlineCommand({ text, next }: Line): { readonly args: readonly string[] | null; readonly next: number } {
  const words = text.trim().split(/\s+/)
  // A quoted name would hide a login; no client writes one.
  if (/^["']/.test(words[0] ?? '')) throw new ProtocolError('a quoted inline command')
  return { args: /^(?:auth|hello)$/i.test(words[0] ?? '') ? words : null, next }
}

function readArguments(
  data: Buffer,
  from: number,
  count: number,
): { readonly args: readonly string[]; readonly next: number } | null {
  const args: string[] = []
  let at = from
  while (args.length < count) {
    const line = lineAt(data, at)
    if (line === null) return null
    const bytes = lengthOf(line, '$')
    if (bytes > ARGUMENT_BYTES_MAX) throw new ProtocolError('an argument of a login that is too long')
    if (data.length < line.next + bytes + 2) return null
    args.push(data.toString('utf8', line.next, line.next + bytes))
    at = line.next + bytes + 2
  }
  return { args, next: at }
}

function encode(args: readonly string[]): Buffer {
  const bulks = args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`)
  return Buffer.from(`*${args.length}\r\n${bulks.join('')}`)
}
