//! One look at a running node for its metrics: what the engine says of itself, what it denied, what the host says of its
//! process. domain/metrics makes values of two of them.
import { availableParallelism } from 'node:os'
import type { Denial } from '../domain/metrics/denials.ts'
import type { HostSample } from '../domain/metrics/metric.ts'
import { memoryAvailable, type ProcessIdentity, processName, statOf, swapOf, TICKS_PER_SECOND } from '../lib/process.ts'
import type { EngineLink } from './engine.ts'

/** A node whose engine answers. */
export interface AskedNode {
  /** Admin connection. */
  readonly link: EngineLink
  readonly process: ProcessIdentity
  /** Answers to `config get cluster` so far; null for redis and valkey. */
  readonly configReads: number | null
  /** Connections of IAM users that had expired so far; null for memcached. */
  readonly iamExpirations: number | null
}

export interface NodeStatistics {
  /** The text of `INFO all` (redis, valkey), or `STAT name value` lines (memcached). */
  readonly text: string
  /** Tells one process from the next. */
  readonly process: string
  /** Null for an engine that counts what it denies, and for memcached. */
  readonly denials: readonly Denial[] | null
  /** As of NodeSample. */
  readonly configReads: number | null
  /** As of NodeSample. */
  readonly iamExpirations: number | null
  readonly host: HostSample
}

export async function statisticsOf({ link, process, configReads, iamExpirations }: AskedNode): Promise<NodeStatistics> {
  const text = await link.statistics()
  const counts = text.includes('\nacl_access_denied_auth:')
  const denials = link.observation === null || counts ? null : await link.observation.denials()
  return { text, process: processName(process), denials, configReads, iamExpirations, host: hostSample(process) }
}

function hostSample(process: ProcessIdentity): HostSample {
  return {
    cpuSeconds: (statOf(process)?.cpuTicks ?? 0) / TICKS_PER_SECOND,
    cpus: availableParallelism(),
    memoryAvailable: memoryAvailable(),
    swap: swapOf(process.pid),
  }
}
