//! The HTTP/2 connections of one set of settings of an origin: gives each request a stream, on a connection that is there
//! or on a new one.
import type { Dispatcher } from 'undici'
import type { OriginConnector } from '../connect.ts'
import { Http2Call } from './call.ts'
import { OriginSession, type SessionTimes, STREAMS_MAX } from './session.ts'

/** Connections to one origin; more requests than fit on them wait for a stream. */
const SESSIONS_MAX = 32

export interface Http2Target extends SessionTimes {
  readonly connector: OriginConnector
  /** Name and port, as a URL has them. */
  readonly authority: string
}

export class Http2Sessions implements Pick<Dispatcher, 'dispatch'> {
  readonly #target: Http2Target
  readonly #sessions = new Set<OriginSession>()
  readonly #waiting = new Set<Http2Call>()
  #connecting = 0
  #closed = false

  constructor(target: Http2Target) {
    this.#target = target
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const call: Http2Call = new Http2Call(
      {
        method: options.method,
        path: options.path,
        headers: options.headers as readonly string[],
        body: options.body as ConstructorParameters<typeof Http2Call>[0]['body'],
        readTimeoutMs: options.headersTimeout ?? 0,
      },
      handler,
      {
        over: (ended) => this.#over(ended),
        doubts: (silent) => this.#sessionOf(silent)?.probe(this.#place),
      },
    )
    if (!call.over) {
      this.#waiting.add(call)
      this.#place()
    }
    return true
  }

  /** Cuts everything. */
  destroy(): void {
    this.#closed = true
    for (const session of this.#sessions) session.destroy()
  }

  /** Those that wait get the streams there are, and connections are made for the others. */
  readonly #place = (): void => {
    for (const session of this.#sessions) {
      if (session.retired && session.streams === 0) this.#sessions.delete(session)
      for (const call of this.#waiting) {
        if (session.room === 0) break
        this.#waiting.delete(call)
        session.begin(call)
      }
    }
    const wanted = Math.ceil(this.#waiting.size / STREAMS_MAX)
    let coming = this.#connecting
    for (const { isNew } of this.#sessions) if (isNew) coming++
    for (; coming < wanted && this.#sessions.size + this.#connecting < SESSIONS_MAX; coming++) this.#connect()
  }

  #connect(): void {
    this.#connecting++
    const { connector, authority } = this.#target
    connector(null, (error, socket) => {
      this.#connecting--
      if (error !== null) {
        // There may be another connection, or one to come, that will have a stream for them.
        const others = this.#connecting > 0 || [...this.#sessions].some(({ retired }) => !retired)
        if (!others) for (const call of [...this.#waiting]) call.fail(error)
        return
      }
      if (this.#closed) {
        socket.destroy()
        return
      }
      this.#sessions.add(new OriginSession(socket, authority, this.#target, this.#place))
      this.#place()
    })
  }

  #over(call: Http2Call): void {
    this.#waiting.delete(call)
    this.#sessionOf(call)?.ended(call)
    if (this.#waiting.size > 0) this.#place()
  }

  #sessionOf(call: Http2Call): OriginSession | undefined {
    for (const session of this.#sessions) if (session.has(call)) return session
    return undefined
  }
}
