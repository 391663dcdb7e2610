//! Control's end of the keeper's socket: connects again after a break, repeats the newest wish, hands on what it hears.
import { connect, type Socket } from 'node:net'
import { type JsonLines, jsonLines } from '../lib/json-lines.ts'
import type { FromKeeper, KeeperEvent, KeeperSeen, KeeperWish, ToKeeper } from './protocol.ts'
import type { KeeperAnswer, KeeperQuestion, QuestionKind } from './questions.ts'

/** Milliseconds between two attempts to connect. */
const RECONNECT_MS = 50

export interface KeeperClientOptions {
  /** Version of the program that speaks. */
  readonly version: string
  /** After each change of what the keeper sees, and after each new connection. */
  readonly onSeen?: (seen: KeeperSeen) => void
  /** Events not yet acknowledged; after a new connection all of them again. */
  readonly onEvents?: (events: readonly KeeperEvent[]) => void
  readonly onConnection?: (state: 'connected' | 'lost') => void
  /** The greeting of each connection, before anything else that comes over it. */
  readonly onHello?: (hello: Extract<FromKeeper, { type: 'hello' }>) => void
}

export interface KeeperClient {
  /** The keeper's greeting on the current connection; null while there is none. */
  readonly hello: Extract<FromKeeper, { type: 'hello' }> | null
  /** The last that was seen; null before the first report. */
  readonly seen: KeeperSeen | null
  /** Sends the wish now and again after each new connection, until a newer one replaces it. */
  wish(wish: KeeperWish): void
  acknowledgeEvents(sequence: number): void
  /** Rejects, in words, when the keeper cannot tell, is not connected, or has not answered within `timeoutMs`. */
  ask<K extends QuestionKind>(question: KeeperQuestion<K>, timeoutMs: number): Promise<KeeperAnswer<K>>
  /** Resolves with the first report, the present one included, that `accepts`; rejects after `timeoutMs`. */
  waitFor(accepts: (seen: KeeperSeen) => boolean, timeoutMs: number): Promise<KeeperSeen>
  /** Ends the keeper, and engines and workers as asked; resolves when it said `stopped` or its socket closed. */
  stop(options: { readonly engines: boolean; readonly workers: boolean }): Promise<void>
  close(): void
}

interface Pending {
  readonly resolve: (answer: KeeperAnswer<QuestionKind>) => void
  readonly reject: (error: Error) => void
}

/**
 * Connects to the keeper at `socketPath` and stays connected until `close`.
 * Resolves after the first greeting; rejects when there is none within `timeoutMs`.
 */
export function connectKeeper(
  socketPath: string,
  options: KeeperClientOptions,
  timeoutMs = 5000,
): Promise<KeeperClient> {
  const client = new Client(socketPath, options)
  return client.open(timeoutMs)
}

class Client implements KeeperClient {
  readonly #path: string
  readonly #options: KeeperClientOptions
  #socket: Socket | null = null
  #lines: JsonLines<ToKeeper> | null = null
  #retry: NodeJS.Timeout | null = null
  #closed = false
  #wish: KeeperWish | null = null
  #greeted: (() => void) | null = null
  readonly #watchers = new Set<(seen: KeeperSeen) => void>()
  readonly #asked = new Map<number, Pending>()
  #lastQuestion = 0
  #ended: (() => void) | null = null
  hello: Extract<FromKeeper, { type: 'hello' }> | null = null
  seen: KeeperSeen | null = null

  constructor(path: string, options: KeeperClientOptions) {
    this.#path = path
    this.#options = options
  }

  open(timeoutMs: number): Promise<KeeperClient> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.close()
        reject(new Error(`no keeper answers at ${this.#path} within ${timeoutMs} ms`))
      }, timeoutMs)
      this.#greeted = () => {
        clearTimeout(timer)
        resolve(this)
      }
      this.#connect()
    })
  }

  #connect(): void {
    const socket = connect(this.#path)
    this.#socket = socket
    const lines = jsonLines<FromKeeper, ToKeeper>(socket, (message) => this.#receive(message))
    socket.on('connect', () => {
      this.#lines = lines
      lines.send({ type: 'hello', version: this.#options.version })
    })
    socket.on('error', () => {})
    socket.on('close', () => this.#lost())
  }

  #lost(): void {
    const wasConnected = this.hello !== null
    this.#lines = null
    this.hello = null
    this.#ended?.()
    for (const { reject } of this.#asked.values()) reject(new Error('the connection to the keeper is lost'))
    if (wasConnected) this.#options.onConnection?.('lost')
    if (!this.#closed) this.#retry = setTimeout(() => this.#connect(), RECONNECT_MS)
  }

  #receive(message: FromKeeper): void {
    switch (message.type) {
      case 'hello':
        this.hello = message
        this.#options.onHello?.(message)
        if (this.#wish !== null) this.#lines?.send({ type: 'wish', wish: this.#wish })
        this.#greeted?.()
        this.#greeted = null
        this.#options.onConnection?.('connected')
        return
      case 'seen':
        this.seen = message.seen
        this.#options.onSeen?.(message.seen)
        for (const watcher of this.#watchers) watcher(message.seen)
        return
      case 'events':
        this.#options.onEvents?.(message.events)
        return
      case 'answer':
        this.#asked.get(message.id)?.resolve(message.answer)
        return
      case 'no-answer':
        this.#asked.get(message.id)?.reject(new Error(message.problem))
        return
      case 'stopped':
        this.#ended?.()
    }
  }

  wish(wish: KeeperWish): void {
    this.#wish = wish
    if (this.hello !== null) this.#lines?.send({ type: 'wish', wish })
  }

  acknowledgeEvents(sequence: number): void {
    this.#lines?.send({ type: 'acknowledge-events', sequence })
  }

  ask<K extends QuestionKind>(question: KeeperQuestion<K>, timeoutMs: number): Promise<KeeperAnswer<K>> {
    const lines = this.hello === null ? null : this.#lines
    if (lines === null) return Promise.reject(new Error('the keeper is not connected'))
    const id = ++this.#lastQuestion
    let timer: NodeJS.Timeout | undefined
    const answered = new Promise<KeeperAnswer<QuestionKind>>((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      timer = setTimeout(() => reject(new Error(`the keeper has not answered within ${timeoutMs} ms`)), timeoutMs)
      lines.send({ type: 'ask', id, question: question as KeeperQuestion })
    })
    return answered.finally(() => {
      clearTimeout(timer)
      this.#asked.delete(id)
    }) as Promise<KeeperAnswer<K>>
  }

  waitFor(accepts: (seen: KeeperSeen) => boolean, timeoutMs: number): Promise<KeeperSeen> {
    if (this.seen !== null && accepts(this.seen)) return Promise.resolve(this.seen)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(watcher)
        reject(new Error(`not seen within ${timeoutMs} ms; last report: ${JSON.stringify(this.seen)}`))
      }, timeoutMs)
      const watcher = (seen: KeeperSeen): void => {
        if (!accepts(seen)) return
        clearTimeout(timer)
        this.#watchers.delete(watcher)
        resolve(seen)
      }
      this.#watchers.add(watcher)
    })
  }

  stop(options: { readonly engines: boolean; readonly workers: boolean }): Promise<void> {
    this.#closed = true
    const lines = this.#lines
    if (lines === null) return Promise.reject(new Error(`the keeper at ${this.#path} is not connected`))
    return new Promise((resolve) => {
      this.#ended = () => {
        this.#ended = null
        this.close()
        resolve()
      }
      lines.send({ type: 'stop', ...options })
    })
  }

  close(): void {
    this.#closed = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#socket?.destroy()
  }
}
