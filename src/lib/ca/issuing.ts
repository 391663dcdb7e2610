//! Has certificates made by a thread that starts with the first and ends when none was wanted for a while: loading what
//! makes them takes 120 ms of CPU, and whoever serves viewers must not stand still that long.
import { Worker } from 'node:worker_threads'
import type { CertificateWish, IssueAnswer, IssueQuestion, MadeCertificate } from './wishes.ts'

/** Milliseconds. */
const IDLE_MS = 5_000

/** The same file, run from the sources and from the published package. */
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './issue-thread.ts' : './issue-thread.js', import.meta.url)

export class Issuing {
  #thread: Worker | null = null
  #idle: NodeJS.Timeout | null = null
  #closed = false
  #last = 0
  readonly #waiting = new Map<number, PromiseWithResolvers<MadeCertificate>>()

  /** `now`: milliseconds, wall clock. @throws Error when it cannot be made */
  make(wish: CertificateWish, now: number): Promise<MadeCertificate> {
    if (this.#closed) return Promise.reject(new Error('no more certificates are made'))
    const waiting = Promise.withResolvers<MadeCertificate>()
    const id = ++this.#last
    this.#waiting.set(id, waiting)
    if (this.#idle !== null) clearTimeout(this.#idle)
    this.#thread ??= this.#start()
    const question: IssueQuestion = { id, wish, now }
    this.#thread.postMessage(question)
    return waiting.promise
  }

  close(): void {
    this.#closed = true
    this.#end('no more certificates are made')
  }

  #start(): Worker {
    const thread = new Worker(THREAD)
    // Whoever waits keeps the process alive; the thread does not.
    thread.unref()
    thread.on('message', (answer: IssueAnswer) => {
      const waiting = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if ('made' in answer) waiting?.resolve(answer.made)
      else waiting?.reject(new Error(answer.error))
      if (this.#waiting.size === 0) this.#rest()
    })
    thread.on('error', (error) => this.#end(`the thread that makes certificates failed: ${(error as Error).message}`))
    return thread
  }

  #rest(): void {
    if (this.#idle !== null) clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.#end('it was idle'), IDLE_MS)
    this.#idle.unref()
  }

  #end(why: string): void {
    if (this.#idle !== null) clearTimeout(this.#idle)
    const thread = this.#thread
    this.#thread = null
    void thread?.terminate()
    for (const waiting of this.#waiting.values()) waiting.reject(new Error(why))
    this.#waiting.clear()
  }
}
