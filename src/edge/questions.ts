//! What control may ask a worker (edge/feed-protocol.ts): a trace, its counters, what it has cached.
import { COUNTER, type Counters } from '../observe/counters.ts'
import type { TraceRing } from '../observe/trace.ts'
import type { DiskTier } from './cache/disk/tier.ts'
import type { MemoryStore } from './cache/memory.ts'
import type { Edge } from './edge.ts'
import type { Answer, Question } from './feed-protocol.ts'

/** The parts of a worker that know the answers. */
export interface Answering {
  readonly counters: Counters
  readonly traces: TraceRing
  readonly store: MemoryStore
  readonly disk: DiskTier
  readonly edge: Edge
}

/** Answers at once; what a worker does not know (a trace of another one) is null. */
export function answerQuestion(question: Question, answering: Answering): Answer {
  const { counters, traces, store, edge } = answering
  switch (question.kind) {
    case 'trace':
      return { kind: 'trace', trace: traces.get(question.traceId) ?? null }
    case 'counters':
      counters.set(COUNTER.objects, store.count)
      counters.set(COUNTER.cacheBytes, store.bytes)
      countDisk(answering)
      return { kind: 'counters', counters: counters.snapshot() }
    case 'cache': {
      const now = edge.clock.now()
      const listed = store.list(
        question.limit,
        (meta) => meta.distributionId === question.distributionId && edge.invalidations.standing(meta) !== 'dead',
      )
      return {
        kind: 'cache',
        objects: listed.map(({ key, bytes, meta }) => ({
          key,
          bytes,
          ageSeconds: Math.max(0, Math.floor((now - meta.bornAt) / 1000)),
          ttlSeconds: Math.floor((meta.freshUntil - now) / 1000),
        })),
      }
    }
  }
}

function countDisk({ counters, disk }: Answering): void {
  const { objects, bytes, limitBytes, pendingBytes } = disk.stats()
  counters.set(COUNTER.diskObjects, objects)
  counters.set(COUNTER.diskBytes, bytes)
  counters.set(COUNTER.diskLimit, limitBytes)
  counters.set(COUNTER.diskPending, pendingBytes)
}
