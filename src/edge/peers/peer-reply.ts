//! The answer to a peer, in the frames of peers/protocol.ts.
import type { Socket } from 'node:net'
import type { Answer } from '../cache/flight.ts'
import type { EdgeFault, PeerAnswer, Told } from '../exchange.ts'
import type { ViewerReply } from '../listen/viewer.ts'
import { type PeerAlone, type PeerHead, type PeerHint, TRAILERS } from './protocol.ts'

/** A reply in frames. What the stages say as HTTP text is not used: the head goes as fields. */
export class PeerReply implements ViewerReply, PeerAnswer {
  readonly #socket: Socket
  readonly #ofSamePlace: boolean
  readonly closes = false
  readonly remote = true
  onDrain: (() => void) | null = null
  onAbort: (() => void) | null = null
  bytesSent = 0
  #over = false
  readonly #drained = (): void => this.onDrain?.()
  readonly #closed = (): void => {
    this.#over = true
    this.onAbort?.()
  }

  /** `ofSamePlace` as of PeerQuestion. */
  constructor(socket: Socket, ofSamePlace: boolean) {
    this.#socket = socket
    this.#ofSamePlace = ofSamePlace
    socket.on('drain', this.#drained)
    socket.once('close', this.#closed)
  }

  get gone(): boolean {
    return this.#socket.destroyed
  }

  announce(answer: Answer, told: Told): void {
    this.#send({ kind: 'answer', answer, ...told })
  }

  fault(fault: EdgeFault, told: Told): void {
    this.#send({ kind: 'fault', fault: { ...fault }, ...told })
    this.end()
  }

  /** Of another place nobody knows better than its own memory whether answers are shared there. */
  alone(): void {
    if (this.#ofSamePlace) this.#send({ kind: 'alone' })
  }

  hint(status: number, headers: readonly string[]): void {
    this.#send({ kind: 'hint', status, headers })
  }

  behind(): void {
    this.#send({ kind: 'behind' })
    this.end()
  }

  whole(_head: string, body: Uint8Array | null, onSent: (() => void) | null): void {
    if (body !== null && body.length > 0) {
      this.#socket.cork()
      this.#frame(body.length)
      this.#socket.write(body, () => onSent?.())
      this.end()
      this.#socket.uncork()
      return
    }
    this.end()
    onSent?.()
  }

  head(): void {}

  write(chunk: Uint8Array, onSent?: () => void): boolean {
    if (this.#over || chunk.length === 0) {
      onSent?.()
      return true
    }
    this.bytesSent += chunk.length
    this.#frame(chunk.length)
    return this.#socket.write(chunk, onSent)
  }

  end(trailers: readonly string[] = []): void {
    if (this.#over) return
    if (trailers.length > 0) {
      const text = Buffer.from(JSON.stringify(trailers))
      this.#frame(TRAILERS)
      this.#frame(text.length)
      this.#socket.write(text)
    }
    this.#frame(0)
    this.#finish()
  }

  abort(): void {
    this.#socket.destroy()
  }

  #send(head: PeerHead | PeerHint | PeerAlone): void {
    this.#socket.write(`${JSON.stringify(head)}\n`)
  }

  #frame(length: number): void {
    const bytes = Buffer.allocUnsafe(4)
    bytes.writeUInt32BE(length)
    this.#socket.write(bytes)
  }

  #finish(): void {
    this.#over = true
    this.#socket.off('drain', this.#drained)
    this.#socket.off('close', this.#closed)
  }
}
