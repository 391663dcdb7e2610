//! The parts of a worker that know the answers to what control asks (questions.ts).
import type { Counters } from '../observe/counters.ts'
import type { TraceRing } from '../observe/trace.ts'
import type { DiskTier } from './cache/disk/tier.ts'
import type { MemoryStore } from './cache/memory.ts'
import type { Edge } from './edge.ts'
import type { OriginHealth } from './origin/health.ts'

export interface Answering {
  readonly counters: Counters
  readonly traces: TraceRing
  readonly store: MemoryStore
  readonly disk: DiskTier
  readonly edge: Edge
  readonly originHealth: OriginHealth
}
