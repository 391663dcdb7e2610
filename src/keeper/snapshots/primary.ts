//! A primary that serves one snapshot to one replica: answers the handshake, sends the RDB as a diskless primary does, and
//! waits until the replica says that it has loaded it. The engine takes the data from the socket into memory.
import { randomBytes } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'

/** Largest command of a handshake. Bytes. */
const COMMAND_BYTES_MAX = 16 * 1024

export interface PrimaryOptions {
  readonly address: string
  /** What the replica must authenticate as; null where engines have no users. */
  readonly username: string | null
  readonly password: string | null
  /** The RDB; asked for once. An error of it ends the connection in the middle, which makes the replica drop it all. */
  readonly rdb: () => AsyncIterable<Buffer>
  /** Bytes handed over so far. */
  readonly onBytes: (bytes: number) => void
}

export interface Primary {
  readonly port: number
  /** Resolves when the replica has acknowledged the whole. @throws the error of `rdb`, or that the replica hung up */
  readonly loaded: Promise<void>
  close(): void
}

export async function servePrimary(options: PrimaryOptions): Promise<Primary> {
  const { promise: loaded, resolve, reject } = Promise.withResolvers<void>()
  const sockets = new Set<Socket>()
  let taken = false
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    new Replica(socket, options, {
      take: () => {
        const isFirst = !taken
        taken = true
        return isFirst
      },
      loaded: resolve,
      failed: (error) => {
        socket.destroy()
        reject(error)
      },
    })
  })
  loaded.catch(() => {})
  await new Promise<void>((listening, failed) => {
    server.once('error', failed)
    server.listen(0, options.address, listening)
  })
  return {
    port: (server.address() as { readonly port: number }).port,
    loaded,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

interface Course {
  /** True for the first who asks for the data. */
  take(): boolean
  loaded(): void
  failed(error: Error): void
}

/** One connection of a replica. */
class Replica {
  readonly #socket: Socket
  readonly #options: PrimaryOptions
  readonly #course: Course
  #held: Buffer = Buffer.alloc(0)
  #isKnown: boolean
  #isServed = false
  #isSent = false

  constructor(socket: Socket, options: PrimaryOptions, course: Course) {
    this.#socket = socket
    this.#options = options
    this.#course = course
    this.#isKnown = options.password === null
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('close', () => {
      if (this.#isServed) course.failed(new Error('the engine closed the connection before it had loaded the data'))
    })
  }

  #read(chunk: Buffer): void {
    this.#held = Buffer.concat([this.#held, chunk])
    for (;;) {
      const command = readCommand(this.#held)
      if (command === null) break
      this.#held = this.#held.subarray(command.bytes)
      this.#answer(command.words)
    }
    if (this.#held.length > COMMAND_BYTES_MAX) this.#socket.destroy()
  }

  #answer([name = '', ...words]: readonly string[]): void {
    const say = (line: string): boolean => this.#socket.write(`${line}\r\n`)
    const command = name.toUpperCase()
    if (command === 'AUTH') {
      const { username, password } = this.#options
      this.#isKnown = words.at(-1) === password && (words.length === 1 || words[0] === username)
      say(this.#isKnown ? '+OK' : '-WRONGPASS invalid username-password pair')
    } else if (!this.#isKnown) say('-NOAUTH Authentication required.')
    else if (command === 'PING') say('+PONG')
    else if (command === 'REPLCONF') this.#replconf(words, say)
    else if (command === 'PSYNC' || command === 'SYNC') this.#serve()
    else say('-ERR this primary only serves a snapshot')
  }

  #replconf([what = '']: readonly string[], say: (line: string) => boolean): void {
    if (what.toUpperCase() !== 'ACK') say('+OK')
    else if (this.#isSent) this.#course.loaded()
  }

  #serve(): void {
    if (!this.#course.take()) {
      this.#socket.destroy()
      return
    }
    this.#isServed = true
    void this.#send().then(
      () => {
        this.#isSent = true
      },
      (error: Error) => this.#course.failed(error),
    )
  }

  async #send(): Promise<void> {
    const [run, mark] = [randomBytes(20).toString('hex'), randomBytes(20).toString('hex')]
    await this.#write(Buffer.from(`+FULLRESYNC ${run} 0\r\n$EOF:${mark}\r\n`))
    let bytes = 0
    for await (const piece of this.#options.rdb()) {
      await this.#write(piece)
      bytes += piece.length
      this.#options.onBytes(bytes)
    }
    await this.#write(Buffer.from(mark))
  }

  /** Waits while the engine is slower than the disk. */
  #write(piece: Buffer): Promise<void> {
    const socket = this.#socket
    if (socket.destroyed) throw new Error('the engine closed the connection in the middle of the data')
    if (socket.write(piece)) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    const done = (): void => {
      socket.off('drain', done)
      socket.off('close', done)
      resolve()
    }
    socket.on('drain', done)
    socket.on('close', done)
    return promise
  }
}

/** The first command in `bytes`, and its length with the empty lines before it; null when it is not whole yet. */
function readCommand(bytes: Buffer): { readonly words: readonly string[]; readonly bytes: number } | null {
  let at = 0
  // A replica that is loading sends empty lines to keep the connection.
  while (bytes[at] === 0x0a || bytes[at] === 0x0d) at += 1
  const line = (): string | null => {
    const end = bytes.indexOf('\r\n', at)
    if (end < 0) return null
    const text = bytes.toString('latin1', at, end)
    at = end + 2
    return text
  }
  const head = line()
  if (head === null) return null
  const words: string[] = []
  for (let left = Number(head.slice(1)); left > 0; left--) {
    const size = line()
    if (size === null) return null
    const length = Number(size.slice(1))
    if (!(length >= 0) || bytes.length < at + length + 2) return null
    words.push(bytes.toString('utf8', at, at + length))
    at += length + 2
  }
  return { words, bytes: at }
}
