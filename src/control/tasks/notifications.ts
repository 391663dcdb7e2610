//! The task that sends notifications of events to the webhooks of their topics (spec/elasticache.md 11.3). They wait in the
//! state, in order for each source, until the receiver has taken them or a day has gone by.
import { createHmac } from 'node:crypto'
import { type NotificationRecord, notificationBody } from '../../domain/cache-notifications.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Kind } from '../../state/kinds.ts'
import type { State, Stored } from '../../state/state.ts'
import type { Task } from '../reconciler.ts'

/** Kinds whose commits are to poke this task. */
export const NOTIFICATION_KINDS: readonly Kind[] = ['notification']

const PERIOD_MS = 1_000
/** Longest wait for a receiver. Milliseconds. */
const ANSWER_MS = 5_000
/** Wait after a failed attempt: doubles from the first to the last. Milliseconds. */
const AGAIN_FIRST_MS = 1_000
const AGAIN_LAST_MS = 300_000
/** A notification that nobody has taken by then is given up. Milliseconds. */
const KEPT_MS = 24 * 3_600_000
/** Notifications that wait at most; the oldest are given up. */
const WAITING_MAX = 10_000

export interface NotificationsOptions {
  readonly state: State
  readonly clock: Clock
  /** Webhooks by the ARN of the topic. */
  readonly webhooks: ReadonlyMap<string, string>
  /** Null for no signature. */
  readonly secret: string | null
  /** One line for the operator. */
  readonly onProblem: (line: string) => void
}

export function notificationsTask(options: NotificationsOptions): Task {
  const sender = new Sender(options)
  return { name: 'notifications', periodMs: PERIOD_MS, run: () => sender.run() }
}

type Waiting = Stored<NotificationRecord>

class Sender {
  readonly #options: NotificationsOptions
  /** Attempts of the first notification of a source, and when the next one is due (monotonic). */
  readonly #failed = new Map<string, { readonly attempts: number; readonly dueAt: number }>()

  constructor(options: NotificationsOptions) {
    this.#options = options
  }

  async run(): Promise<readonly string[]> {
    const waiting = await this.#withoutOld(await this.#options.state.list('notification'))
    const bySource = Map.groupBy(waiting, ({ doc }) => `${doc.topicArn} ${doc.sourceId}`)
    for (const source of this.#failed.keys()) if (!bySource.has(source)) this.#failed.delete(source)
    const sent = await Promise.all([...bySource].map(([source, queue]) => this.#sendInOrder(source, queue)))
    return sent.flat()
  }

  async #withoutOld(waiting: readonly Waiting[]): Promise<readonly Waiting[]> {
    const now = this.#options.clock.now()
    const isOld = ({ doc }: Waiting, at: number): boolean =>
      at < waiting.length - WAITING_MAX || Date.parse(doc.at) < now - KEPT_MS
    const old = waiting.filter(isOld)
    if (old.length === 0) return waiting
    await this.#remove(old)
    this.#options.onProblem(`${old.length} notifications were given up: no receiver took them`)
    return waiting.filter((one) => !old.includes(one))
  }

  async #sendInOrder(source: string, queue: readonly Waiting[]): Promise<readonly string[]> {
    const { clock, onProblem } = this.#options
    const sent: string[] = []
    const failed = this.#failed.get(source)
    if (failed !== undefined && clock.monotonic() < failed.dueAt) return sent
    for (const one of queue) {
      const problem = await this.#post(one.doc)
      if (problem !== null) {
        const attempts = (this.#failed.get(source)?.attempts ?? 0) + 1
        const wait = Math.min(AGAIN_FIRST_MS * 2 ** (attempts - 1), AGAIN_LAST_MS)
        this.#failed.set(source, { attempts, dueAt: clock.monotonic() + wait })
        if (attempts === 1)
          onProblem(`a notification to ${one.doc.topicArn} was not taken: ${problem}; it is tried again`)
        return sent
      }
      this.#failed.delete(source)
      await this.#remove([one])
      sent.push(`${one.doc.name} of ${one.doc.sourceId} sent`)
    }
    return sent
  }

  /** Null when it was taken. */
  async #post(record: NotificationRecord): Promise<string | null> {
    const { webhooks, secret } = this.#options
    const url = webhooks.get(record.topicArn)
    if (url === undefined) return 'the topic has no webhook any more (--topic)'
    const body = notificationBody(record)
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'text/plain; charset=UTF-8',
          'x-amz-sns-message-type': 'Notification',
          'x-amz-sns-message-id': record.messageId,
          'x-amz-sns-topic-arn': record.topicArn,
          ...(secret === null ? {} : { 'x-cachefront-signature': signatureOf(body, secret) }),
        },
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_MS),
      })
      await answer.body?.cancel()
      return answer.ok ? null : `the receiver answered ${answer.status}`
    } catch (error) {
      return ((error as Error).cause as Error | undefined)?.message ?? (error as Error).message
    }
  }

  async #remove(gone: readonly Waiting[]): Promise<void> {
    await this.#options.state.transact(async (tx) => {
      for (const { id } of gone) await tx.delete('notification', id)
    })
  }
}

/** What a receiver that has the secret can verify: HMAC-SHA256 of the body, in hex. */
export const signatureOf = (body: string, secret: string): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
