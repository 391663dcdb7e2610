//! A walk through what the edge workers have cached: a page of each at a time, all live workers at once, no further than
//! the reader has come. Nothing is kept here or there when the reader stops.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cursor, ObjectsWanted } from '../edge/feed-protocol.ts'
import type { WalkStep } from '../services/cachefront/installation.ts'
import type { LiveWorker } from './live-workers.ts'
import type { Questions } from './questions.ts'

/** Milliseconds between two pages of a worker: half of its time at least is its viewers'. */
const BETWEEN_PAGES_MS = 1

interface Walker {
  readonly worker: LiveWorker
  cursor: Cursor
  begun: boolean
}

/** `id` is unlike that of every other walk; a worker that does not answer a page is named and left out from there on. */
export async function* walkCaches(
  questions: Questions,
  workers: readonly LiveWorker[],
  id: string,
  wanted: ObjectsWanted,
): AsyncGenerator<WalkStep> {
  let walkers: readonly Walker[] = workers.map((worker) => ({
    worker,
    cursor: { tier: 'memory', at: 0 },
    begun: false,
  }))
  while (walkers.length > 0) {
    const pages = await Promise.all(walkers.map((walker) => nextPage(questions, walker, id, wanted)))
    const left: Walker[] = []
    for (const [at, page] of pages.entries()) {
      const walker = walkers[at] as Walker
      const { worker } = walker.worker.identity
      if (page === null) {
        yield { kind: 'missing', worker }
        continue
      }
      if (page.next !== null) {
        walker.cursor = page.next
        left.push(walker)
      }
      yield { kind: 'page', worker, objects: page.objects, looked: page.looked }
    }
    walkers = left
    if (walkers.length > 0) await sleep(BETWEEN_PAGES_MS)
  }
}

async function nextPage(questions: Questions, walker: Walker, walk: string, wanted: ObjectsWanted) {
  const { worker, cursor, begun } = walker
  walker.begun = true
  const answer = await questions.askOne(worker, { kind: 'objects', walk, wanted: begun ? null : wanted, cursor })
  return answer?.kind === 'objects' ? answer : null
}
