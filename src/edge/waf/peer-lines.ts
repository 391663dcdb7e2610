//! Asks other workers of the POP, one question after the other on one connection to each.
import { connect, type Socket } from 'node:net'
import type { WorkerIdentity } from '../feed-protocol.ts'
import type { WafAnswer, WafQuestion } from './peer-question.ts'

/** A worker that has not answered by then is dead or frozen. Milliseconds. */
const ANSWER_MS_MAX = 1_000
/** Bytes of an answer. */
const ANSWER_BYTES_MAX = 256 * 1024

/** Asks a worker; null when no answer comes. */
export type AskWorker = (worker: Pick<WorkerIdentity, 'peerSocket'>, question: WafQuestion) => Promise<WafAnswer | null>

export class PeerLines {
  readonly #lines = new Map<string, Line>()
  #closed = false

  ask(worker: Pick<WorkerIdentity, 'peerSocket'>, question: WafQuestion): Promise<WafAnswer | null> {
    if (this.#closed) return Promise.resolve(null)
    const { peerSocket } = worker
    let line = this.#lines.get(peerSocket)
    if (line === undefined || line.over) {
      line = new Line(peerSocket)
      this.#lines.set(peerSocket, line)
    }
    return line.ask(question)
  }

  close(): void {
    this.#closed = true
    for (const line of this.#lines.values()) line.end()
    this.#lines.clear()
  }
}

/** One connection. Answers come in the order of the questions; a late one ends it, and all that wait. */
class Line {
  readonly #socket: Socket
  readonly #waiting: ((answer: WafAnswer | null) => void)[] = []
  #text = ''
  over = false

  constructor(path: string) {
    this.#socket = connect(path)
    this.#socket.setEncoding('utf8')
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => this.end())
    this.#socket.on('timeout', () => this.#waiting.length > 0 && this.end())
    this.#socket.on('data', (piece: string) => this.#read(piece))
    this.#socket.unref()
  }

  ask(question: WafQuestion): Promise<WafAnswer | null> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#socket.setTimeout(ANSWER_MS_MAX)
      this.#socket.write(`${JSON.stringify(question)}\n`)
    })
  }

  end(): void {
    this.over = true
    this.#text = ''
    this.#socket.destroy()
    for (const resolve of this.#waiting.splice(0)) resolve(null)
  }

  #read(piece: string): void {
    this.#text += piece
    if (this.#text.length > ANSWER_BYTES_MAX) this.end()
    for (let end = this.#text.indexOf('\n'); end >= 0; end = this.#text.indexOf('\n')) {
      const line = this.#text.slice(0, end)
      this.#text = this.#text.slice(end + 1)
      try {
        this.#waiting.shift()?.(JSON.parse(line) as WafAnswer)
      } catch {
        this.end()
      }
    }
    if (this.#waiting.length === 0) this.#socket.setTimeout(0)
  }
}
