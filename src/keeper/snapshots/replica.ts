//! An engine's data over the replication protocol, as a replica would ask for it: the engine forks and streams an RDB to
//! the socket (diskless), nothing of it touches a disk. `rdb-only` (redis 7.0, valkey): it closes instead of going on
//! with the stream of writes, and keeps no buffer for us meanwhile.
import type { Socket } from 'node:net'
import { dial } from '../dial.ts'
import type { Door } from '../door.ts'

const DIAL_TIMEOUT_MS = 5000
/** An engine that is waiting for its fork sends an empty line every second; more silence than this is a dead one. */
const SILENCE_MS = 60_000
const MARK_BYTES = 40
/** Longest line before the RDB. Bytes. */
const LINE_BYTES_MAX = 1024

/** The connection to the engine broke, or it refused: another try, perhaps at another node, may succeed. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError'
}

/**
 * The RDB of the engine behind `door`, in pieces as they come; a reader that is slow slows the engine's child.
 * `begun` is called when the engine has agreed; its fork is the moment that the RDB shows.
 * @throws CaptureError
 */
export async function* rdbOf(door: Door, begun: () => void = () => {}): AsyncGenerator<Buffer, void> {
  const socket = await dial(door, DIAL_TIMEOUT_MS).catch((error: Error) => {
    throw new CaptureError(error.message)
  })
  socket.setTimeout(SILENCE_MS, () => socket.destroy(new Error(`it was silent for ${SILENCE_MS / 1000} s`)))
  const source = new Lines(socket)
  try {
    if (door.username !== null && door.password !== null)
      await say(socket, source, ['AUTH', door.username, door.password])
    await say(socket, source, ['REPLCONF', 'capa', 'eof', 'capa', 'psync2'])
    await say(socket, source, ['REPLCONF', 'rdb-only', '1'])
    await say(socket, source, ['PSYNC', '?', '-1'])
    begun()
    const head = await source.line()
    const mark = /^\$EOF:([\x21-\x7e]{40})$/.exec(head)?.[1]
    if (mark === undefined) throw new CaptureError(`it would write its data to a disk first (${head.slice(0, 60)})`)
    yield* untilMark(source, Buffer.from(mark, 'latin1'))
  } catch (error) {
    if (error instanceof CaptureError) throw error
    throw new CaptureError((error as Error).message)
  } finally {
    socket.destroy()
  }
}

/** Sends a command and takes its one-line answer. Never shows what was sent: it may be a password. */
async function say(socket: Socket, source: Lines, words: readonly string[]): Promise<void> {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  socket.write(`*${words.length}\r\n${parts.join('')}`)
  const answer = await source.line()
  if (!answer.startsWith('+')) throw new CaptureError(`it answered ${words[0]} with: ${answer.slice(0, 200)}`)
}

/** Everything before the mark; the last 40 bytes are held back, for they may be the mark. */
async function* untilMark(source: Lines, mark: Buffer): AsyncGenerator<Buffer, void> {
  let held = Buffer.alloc(0)
  for (;;) {
    const piece = await source.piece()
    if (piece === null) throw new CaptureError('the connection ended before the end of the RDB')
    if (piece.length < MARK_BYTES) {
      const all = Buffer.concat([held, piece])
      const free = Math.max(0, all.length - MARK_BYTES)
      if (free > 0) yield all.subarray(0, free)
      held = Buffer.from(all.subarray(free))
    } else {
      if (held.length > 0) yield held
      const free = piece.length - MARK_BYTES
      if (free > 0) yield piece.subarray(0, free)
      held = Buffer.from(piece.subarray(free))
    }
    if (held.equals(mark)) return
  }
}

/** A socket's bytes: lines first, then pieces. */
class Lines {
  readonly #pieces: AsyncIterator<Buffer>
  #held: Buffer = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.#pieces = socket[Symbol.asyncIterator]()
  }

  /** The next line that is not empty (an engine sends empty ones to keep the connection). */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#held.indexOf('\n')
      if (end >= 0) {
        const text = this.#held.toString('latin1', 0, end).replace(/\r$/, '')
        this.#held = this.#held.subarray(end + 1)
        if (text !== '') return text
        continue
      }
      if (this.#held.length > LINE_BYTES_MAX) throw new CaptureError('it does not speak the replication protocol')
      const { value, done } = await this.#pieces.next()
      if (done) throw new CaptureError('it closed the connection')
      this.#held = Buffer.concat([this.#held, value])
    }
  }

  /** What came behind the last line, then what comes; null at the end. */
  async piece(): Promise<Buffer | null> {
    if (this.#held.length > 0) {
      const held = this.#held
      this.#held = Buffer.alloc(0)
      return held
    }
    const { value, done } = await this.#pieces.next()
    return done ? null : value
  }
}
