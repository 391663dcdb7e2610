//! The database as the rest of the shop sees it: promises over the thread that owns it.
import { Worker } from 'node:worker_threads'
import type { FrontPage, ProductPage, QueryCounts } from './database.ts'

export type Question =
  | { readonly method: 'productPage'; readonly id: number }
  | { readonly method: 'frontPage' }
  | { readonly method: 'setPrice'; readonly id: number; readonly cents: number; readonly nowMs: number }
  | { readonly method: 'counts' }

export interface Answer {
  readonly sequence: number
  readonly value?: unknown
  readonly error?: string
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

export class DatabaseClient {
  readonly #thread: Worker
  readonly #waiting = new Map<number, Waiting>()
  #sequence = 0

  /** Opens a file that `buildDatabase` has made. */
  constructor(file: string) {
    this.#thread = new Worker(new URL('./database-thread.ts', import.meta.url), { workerData: { file } })
    this.#thread.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.sequence)
      this.#waiting.delete(answer.sequence)
      if (answer.error === undefined) waiting?.resolve(answer.value)
      else waiting?.reject(new Error(`The database answered: ${answer.error}`))
    })
    this.#thread.on('error', (error) => this.#fail(error as Error))
    this.#thread.on('exit', () => this.#fail(new Error('The database thread has ended.')))
  }

  productPage(id: number): Promise<ProductPage | null> {
    return this.#ask({ method: 'productPage', id }) as Promise<ProductPage | null>
  }

  frontPage(): Promise<FrontPage> {
    return this.#ask({ method: 'frontPage' }) as Promise<FrontPage>
  }

  /** See ShopDatabase.setPrice. */
  setPrice(id: number, cents: number, nowMs: number): Promise<boolean> {
    return this.#ask({ method: 'setPrice', id, cents, nowMs }) as Promise<boolean>
  }

  counts(): Promise<QueryCounts> {
    return this.#ask({ method: 'counts' }) as Promise<QueryCounts>
  }

  async close(): Promise<void> {
    await this.#thread.terminate()
  }

  #ask(question: Question): Promise<unknown> {
    const sequence = ++this.#sequence
    return new Promise((resolve, reject) => {
      this.#waiting.set(sequence, { resolve, reject })
      this.#thread.postMessage({ ...question, sequence })
    })
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error)
    this.#waiting.clear()
  }
}
