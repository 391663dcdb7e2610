//! One attempt to capture a node into a draft, in a thread of its own.
import { Worker } from 'node:worker_threads'
import type { Door } from '../door.ts'
import type { RdbFacts } from './rdb.ts'
import type { SealTarget } from './sealing.ts'

export interface CaptureOrder {
  readonly door: Door
  /** The key is a secret; it goes to the thread in memory. */
  readonly draft: SealTarget
}

export type CaptureNews =
  /** The engine has agreed; its data as of now is captured. */
  | { readonly type: 'begun' }
  /** Bytes of plaintext sealed so far. */
  | { readonly type: 'progress'; readonly bytes: number }
  | { readonly type: 'sealed'; readonly facts: RdbFacts }
  | { readonly type: 'failed'; readonly problem: string; readonly again: boolean }

/** It did not succeed; `again` when another try may. */
export class AttemptError extends Error {
  override readonly name = 'AttemptError'
  readonly again: boolean

  constructor(message: string, again: boolean) {
    super(message)
    this.again = again
  }
}

/** The same file, run from the sources and from the published package. */
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './capture-thread.ts' : './capture-thread.js', import.meta.url)

/** Resolves when all is sealed and on the disk. `signal` ends it. @throws AttemptError */
export function capture(
  order: CaptureOrder,
  hear: (news: Extract<CaptureNews, { type: 'begun' | 'progress' }>) => void,
  signal: AbortSignal,
): Promise<RdbFacts> {
  const { promise, resolve, reject } = Promise.withResolvers<RdbFacts>()
  const { id, directory, key } = order.draft
  const thread = new Worker(THREAD, { workerData: { door: order.door, draft: { id, directory, key } } })
  const abort = (): void => void thread.terminate()
  signal.addEventListener('abort', abort, { once: true })
  thread.on('message', (news: CaptureNews) => {
    if (news.type === 'sealed') resolve(news.facts)
    else if (news.type === 'failed') reject(new AttemptError(news.problem, news.again))
    else hear(news)
  })
  thread.on('error', (error: Error) => reject(new AttemptError(error.message, false)))
  // After `sealed` or `failed` this changes nothing.
  thread.on('exit', () => {
    signal.removeEventListener('abort', abort)
    reject(new AttemptError('it was ended', false))
  })
  return promise
}
