//! The keeper's Unix socket: one control at a time. A newer one replaces the older, which may be a control that hangs.
import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { type JsonLines, jsonLines } from '../lib/json-lines.ts'
import type { FromKeeper, KeeperEvent, KeeperSeen, ToKeeper } from './protocol.ts'

export interface ControlHandlers {
  readonly greeting: () => FromKeeper
  readonly seen: () => KeeperSeen
  readonly events: () => readonly KeeperEvent[]
  /** `reply` speaks on the connection that the message came over. */
  readonly receive: (message: ToKeeper, reply: (message: FromKeeper) => void) => void
}

export class ControlSocket {
  readonly #path: string
  readonly #handlers: ControlHandlers
  readonly #server: Server
  #control: { readonly socket: Socket; readonly lines: JsonLines<FromKeeper> } | null = null
  readonly #sockets = new Set<Socket>()

  constructor(path: string, handlers: ControlHandlers) {
    this.#path = path
    this.#handlers = handlers
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /** Listens. A socket that a dead keeper left is removed: the caller holds the lock of this home. */
  open(): Promise<void> {
    rmSync(this.#path, { force: true })
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#path, () => resolve())
    })
  }

  /** A connection becomes the control with its greeting, and not before: a mere look at the socket replaces nobody. */
  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#sockets.delete(socket)
      if (this.#control?.socket === socket) this.#control = null
    })
    const lines = jsonLines<ToKeeper, FromKeeper>(socket, (message) => {
      if (message.type === 'hello') this.#greet(socket, lines)
      else if (this.#control?.socket === socket) this.#handlers.receive(message, (reply) => lines.send(reply))
    })
  }

  #greet(socket: Socket, lines: JsonLines<FromKeeper>): void {
    const older = this.#control
    this.#control = { socket, lines }
    if (older !== null && older.socket !== socket) older.lines.close()
    lines.send(this.#handlers.greeting())
    lines.send({ type: 'seen', seen: this.#handlers.seen() })
    const events = this.#handlers.events()
    if (events.length > 0) lines.send({ type: 'events', events })
  }

  /** Sends to the present control; without one the message is dropped (the greeting repeats what matters). */
  send(message: FromKeeper): void {
    this.#control?.lines.send(message)
  }

  /** Stops listening and lets the last messages go out. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroySoon()
    await closed
    rmSync(this.#path, { force: true })
  }
}
