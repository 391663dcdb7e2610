//! Questions to all edge workers over the feed: those that do not answer in time are named, never waited for.
import type { Answer, Question } from '../edge/feed-protocol.ts'
import type { LiveWorker } from './live-workers.ts'

/** Milliseconds that a worker has for an answer. */
export const ANSWER_MS = 2_000

export interface Answers {
  readonly answers: readonly { readonly worker: string; readonly answer: Answer }[]
  /** Live workers that did not answer, could not, or are not connected. */
  readonly missing: readonly string[]
}

interface Pending {
  readonly worker: LiveWorker
  settle(answer: Answer | null): void
}

export class Questions {
  readonly #pending = new Map<number, Pending>()
  #lastId = 0

  async ask(workers: readonly LiveWorker[], question: Question): Promise<Answers> {
    const all = await Promise.all(
      workers.map(async (worker) => ({ worker: worker.identity.worker, answer: await this.askOne(worker, question) })),
    )
    const given = all.filter((one): one is { worker: string; answer: Answer } => one.answer !== null)
    return { answers: given, missing: all.filter((one) => one.answer === null).map((one) => one.worker) }
  }

  /** Null when it does not answer in time, cannot, or is not connected. */
  askOne(worker: LiveWorker, question: Question): Promise<Answer | null> {
    const { connection } = worker
    if (connection === null) return Promise.resolve(null)
    const id = ++this.#lastId
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#pending.get(id)?.settle(null), ANSWER_MS)
      this.#pending.set(id, {
        worker,
        settle: (answer) => {
          clearTimeout(timer)
          this.#pending.delete(id)
          // A worker that answers with an error could not tell: it counts as missing.
          resolve(answer?.kind === question.kind ? answer : null)
        },
      })
      connection.send({ type: 'question', id, question })
    })
  }

  /** A late answer, or one to a question that another worker was asked, is dropped. */
  answered(worker: LiveWorker, id: number, answer: Answer): void {
    const pending = this.#pending.get(id)
    if (pending?.worker === worker) pending.settle(answer)
  }

  /** Its connection is gone: nothing will come. */
  lost(worker: LiveWorker): void {
    for (const pending of [...this.#pending.values()]) if (pending.worker === worker) pending.settle(null)
  }
}
