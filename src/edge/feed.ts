//! The worker's end of the feed: connects to control, keeps the lease, applies what comes, answers questions, and comes
//! back by itself when control was away. Meanwhile the worker serves on with what it has.
import { connect, type Socket } from 'node:net'
import type { Clock } from '../lib/clock.ts'
import { type JsonLines, jsonLines } from '../lib/json-lines.ts'
import { unpackedMessage } from './feed-packing.ts'
import {
  type Answer,
  type FailingOrigin,
  type FromWorker,
  LEASE_MS,
  LEASE_RENEW_MS,
  type Question,
  type ShieldSeen,
  type SilentAddress,
  type ToWorker,
  type WorkerIdentity,
} from './feed-protocol.ts'

/** Milliseconds between attempts to connect: doubled from the first to the last. */
const RETRY_MS_FIRST = 50
const RETRY_MS_LAST = 1_000
/** A control plane that is there but silent may not stop viewers for longer than this: milliseconds. */
const CATCH_UP_MS_MAX = 2_000

export interface FeedHandlers {
  /** Revision that the worker has; -1 for none. */
  revision(): number
  /**
   * Applies it at once: when this returns, every later request uses it. The promise, if there is one, is waited for
   * before the revision is acknowledged.
   */
  apply(message: Extract<ToWorker, { type: 'snapshot' | 'changes' }>): Promise<void> | null
  workers(workers: readonly WorkerIdentity[]): void
  /** True when the clock was moved (it may not be movable). */
  moveClock(offsetMs: number): boolean
  answer(question: Question): Answer | Promise<Answer>
  drain(): void
  /** `until` in Clock.monotonic(): see Edge.leaseUntil. */
  lease(until: number): void
  /** What is told with each lease. */
  failing(): readonly FailingOrigin[]
  /** What is told with each lease. */
  shield(): ShieldSeen
  /** What is told with each lease and each acknowledgement. */
  silent(): readonly SilentAddress[]
}

export interface Feed {
  /** Resolves when everything that control had at the time of the call is applied, or control does not answer. */
  catchUp(): Promise<void>
  /** Resolves at the first message with a configuration. */
  readonly whenConfigured: Promise<void>
  close(): void
}

export function connectFeed(path: string, identity: WorkerIdentity, clock: Clock, handlers: FeedHandlers): Feed {
  let socket: Socket | null = null
  let lines: JsonLines<FromWorker> | null = null
  let closed = false
  let retryMs = RETRY_MS_FIRST
  let retry: NodeJS.Timeout | null = null
  let lastLease = 0
  let caughtUp: { readonly promise: Promise<void>; resolve(): void } | null = null
  let acknowledging: Promise<void> | null = null
  const configured = Promise.withResolvers<void>()

  const silent = (): { silent?: readonly SilentAddress[] } => {
    const addresses = handlers.silent()
    return addresses.length === 0 ? {} : { silent: addresses }
  }

  const lease = (): FromWorker => {
    const failing = handlers.failing()
    const shield = handlers.shield()
    const isWell = shield.attack === null && shield.overload === null
    return {
      type: 'lease',
      ...(failing.length === 0 ? {} : { failing }),
      ...(isWell ? {} : { shield }),
      ...silent(),
    }
  }

  const hold = (): void => {
    lastLease = clock.monotonic()
    handlers.lease(lastLease + LEASE_MS)
  }

  const settle = (): void => {
    caughtUp?.resolve()
    caughtUp = null
  }

  /** No request may be answered from the cache until the first message has come. */
  const begin = (): NonNullable<typeof caughtUp> => {
    if (caughtUp !== null) return caughtUp
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      // Control does not speak: serve on without it.
      handlers.lease(Number.POSITIVE_INFINITY)
      settle()
    }, CATCH_UP_MS_MAX)
    promise.then(() => clearTimeout(timer))
    caughtUp = { promise, resolve }
    return caughtUp
  }

  /** In the order of the revisions: a later one that need not wait would speak for an earlier one that must. */
  const acknowledge = (revision: number, after: Promise<void> | null): void => {
    const to = lines
    const send = (): void => {
      to?.send({ type: 'acknowledge', revision, ...silent() })
    }
    if (after === null && acknowledging === null) {
      send()
      return
    }
    const turn = Promise.all([acknowledging, after]).then(() => {
      if (acknowledging === turn) acknowledging = null
      if (to === lines) send()
    })
    acknowledging = turn
  }

  const answer = (id: number, question: Question): void => {
    const asked = lines
    const given = handlers.answer(question)
    if (!(given instanceof Promise)) {
      asked?.send({ type: 'answer', id, answer: given })
      return
    }
    const failed = (error: unknown): Answer => ({ kind: 'error', message: String(error) })
    // To who asked: another connection has other questions.
    void given.catch(failed).then((late) => asked?.send({ type: 'answer', id, answer: late }))
  }

  const onMessage = (sent: ToWorker): void => {
    const message = unpackedMessage(sent)
    switch (message.type) {
      case 'snapshot':
      case 'changes':
        acknowledge(message.revision, handlers.apply(message))
        hold()
        settle()
        configured.resolve()
        return
      case 'workers':
        handlers.workers(message.workers)
        return
      case 'clock':
        if (handlers.moveClock(message.offsetMs)) lines?.send({ type: 'clock', offsetMs: message.offsetMs })
        return
      case 'question':
        answer(message.id, message.question)
        return
      case 'drain':
        handlers.drain()
        return
    }
  }

  const open = (): void => {
    retry = null
    const opened = connect(path)
    socket = opened
    opened.once('connect', () => {
      retryMs = RETRY_MS_FIRST
      // While it was away, control may have completed invalidations without us.
      handlers.lease(Number.NEGATIVE_INFINITY)
      begin()
      lines = jsonLines<ToWorker, FromWorker>(opened, onMessage)
      lines.send({ type: 'hello', identity, revision: handlers.revision() })
      lines.send(lease())
      lastLease = clock.monotonic()
    })
    opened.on('error', () => {})
    opened.once('close', () => {
      if (socket !== opened) return
      const wasLate = lines !== null && clock.monotonic() - lastLease > LEASE_MS
      socket = null
      lines = null
      if (closed) return
      if (wasLate) {
        // Control has not gone, it has given this worker up: until that has caught up the cache answers nothing.
        begin()
        open()
        return
      }
      handlers.lease(Number.POSITIVE_INFINITY)
      settle()
      retry = setTimeout(open, retryMs)
      retryMs = Math.min(retryMs * 2, RETRY_MS_LAST)
    })
  }

  /** The process was stopped, or the loop blocked, for longer than the lease: control went on without us. */
  const anew = (): void => {
    socket?.destroy()
    socket = null
    lines = null
    if (retry !== null) clearTimeout(retry)
    open()
  }

  const renewal = setInterval(() => {
    if (lines === null) return
    if (clock.monotonic() - lastLease > LEASE_MS) {
      begin()
      return anew()
    }
    lines.send(lease())
    if (caughtUp === null) hold()
    else lastLease = clock.monotonic()
  }, LEASE_RENEW_MS)

  // What was kept on disk may have been invalidated while the worker was away.
  handlers.lease(Number.NEGATIVE_INFINITY)
  begin()
  open()
  return {
    catchUp() {
      if (caughtUp !== null) return caughtUp.promise
      const late = lines !== null && clock.monotonic() - lastLease > LEASE_MS
      if (!late) return Promise.resolve()
      const { promise } = begin()
      anew()
      return promise
    },
    whenConfigured: configured.promise,
    close() {
      closed = true
      clearInterval(renewal)
      if (retry !== null) clearTimeout(retry)
      settle()
      socket?.destroy()
    },
  }
}
