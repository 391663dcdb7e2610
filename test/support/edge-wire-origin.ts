//! An origin that reads requests off the wire itself, by the letter of RFC 9112 and nothing else: what it understood, in
//! which order and on which connection. Whatever it cannot read is a finding of its own.
import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface WireRequest {
  readonly method: string
  readonly target: string
  readonly version: string
  /** Name, value, name, value ... as they came. */
  readonly headers: readonly string[]
  readonly body: string
  /** Lines of the trailer section. */
  readonly trailers: readonly string[]
  /** Connections are numbered in the order in which they were opened. */
  readonly connection: number
}

/** A request before its body. */
export type WireHead = Omit<WireRequest, 'body' | 'trailers'>

export interface WireOrigin {
  readonly port: number
  readonly requests: WireRequest[]
  /** Bytes that are no request: one line of explanation each. */
  readonly unreadable: string[]
  close(): Promise<void>
}

/** Writes the answer to a whole request. */
export type WireAnswerer = (socket: Socket, request: WireRequest) => void

export interface WireOptions {
  /** Called with the head alone; true when it has answered already (and the body is still read). */
  readonly onHead?: (socket: Socket, head: WireHead) => boolean
}

export async function startWireOrigin(answer: WireAnswerer, options: WireOptions = {}): Promise<WireOrigin> {
  const requests: WireRequest[] = []
  const unreadable: string[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    const connection = connections++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    const reader = new WireReader(connection, {
      head: (head) => options.onHead?.(socket, head) ?? false,
      whole: (request, answered) => {
        requests.push(request)
        if (!answered) answer(socket, request)
      },
      unreadable: (why) => {
        unreadable.push(why)
        socket.destroy()
      },
    })
    socket.on('data', (bytes) => reader.read(bytes.toString('latin1')))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    unreadable,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

interface Hears {
  head(head: WireHead): boolean
  whole(request: WireRequest, answered: boolean): void
  unreadable(why: string): void
}

const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) (HTTP\/1\.1)$/
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?([\t\x20-\x7e\x80-\xff]*)$/

/** Takes requests from one connection; stops for good at what it cannot read. */
class WireReader {
  readonly #connection: number
  readonly #hears: Hears
  #text = ''
  #head: WireHead | null = null
  #answered = false
  #body = ''
  /** Bytes of the body, or of the chunk, that are still to come; null between chunks. */
  #left: number | null = 0
  #chunked = false
  #broken = false

  constructor(connection: number, hears: Hears) {
    this.#connection = connection
    this.#hears = hears
  }

  read(text: string): void {
    this.#text += text
    while (!this.#broken && (this.#head === null ? this.#takeHead() : this.#takeBody())) {}
  }

  #fail(why: string): false {
    this.#broken = true
    this.#hears.unreadable(`${why}: ${JSON.stringify(this.#text.slice(0, 200))}`)
    return false
  }

  #takeHead(): boolean {
    const end = this.#text.indexOf('\r\n\r\n')
    if (end < 0) {
      // A request begins with its method: anything else is what is left of something.
      if (this.#text !== '' && !/^[A-Z]/.test(this.#text)) return this.#fail('no method')
      return false
    }
    const [line = '', ...fields] = this.#text.slice(0, end).split('\r\n')
    const parts = REQUEST_LINE.exec(line)
    if (parts === null) return this.#fail('no request line')
    const headers: string[] = []
    for (const field of fields) {
      const match = FIELD_LINE.exec(field)
      if (match === null) return this.#fail('no field line')
      headers.push(match[1] as string, match[2] as string)
    }
    const values = (name: string) => headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name)
    const [length, anotherLength] = values('content-length')
    const codings = values('transfer-encoding')
    if (anotherLength !== undefined || (length !== undefined && codings.length > 0)) return this.#fail('two framings')
    if (length !== undefined && !/^[0-9]+$/.test(length)) return this.#fail('no length')
    if (codings.length > 0 && codings.join(',') !== 'chunked') return this.#fail('unknown coding')
    this.#text = this.#text.slice(end + 4)
    this.#chunked = codings.length > 0
    this.#left = this.#chunked ? null : Number(length ?? 0)
    this.#body = ''
    const [, method = '', target = '', version = ''] = parts
    this.#head = { method, target, version, headers, connection: this.#connection }
    this.#answered = this.#hears.head(this.#head)
    return true
  }

  #takeBody(): boolean {
    if (this.#left !== null) {
      const data = this.#text.slice(0, this.#left)
      this.#text = this.#text.slice(data.length)
      this.#body += data
      this.#left -= data.length
      if (this.#left > 0) return false
      if (!this.#chunked) return this.#whole()
      if (this.#text.length < 2) {
        this.#left = 0
        return false
      }
      if (!this.#text.startsWith('\r\n')) return this.#fail('no end of chunk')
      this.#text = this.#text.slice(2)
      this.#left = null
      return true
    }
    const end = this.#text.indexOf('\r\n')
    if (end < 0) return false
    const size = this.#text.slice(0, end)
    if (!/^[0-9a-f]{1,8}$/i.test(size)) return this.#fail('no chunk size')
    if (Number.parseInt(size, 16) === 0) {
      const last = this.#text.indexOf('\r\n\r\n', end)
      if (last < 0) return false
      const trailers = this.#text
        .slice(end + 2, last + 2)
        .split('\r\n')
        .slice(0, -1)
      if (!trailers.every((line) => FIELD_LINE.test(line))) return this.#fail('no trailer line')
      this.#text = this.#text.slice(last + 4)
      return this.#whole(trailers)
    }
    this.#text = this.#text.slice(end + 2)
    this.#left = Number.parseInt(size, 16)
    return true
  }

  #whole(trailers: readonly string[] = []): boolean {
    const head = this.#head as WireHead
    this.#head = null
    this.#hears.whole({ ...head, body: this.#body, trailers }, this.#answered)
    return true
  }
}
