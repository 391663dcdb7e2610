//! What the edge benchmark asks of each server under test.
import type { EdgeBenchConfig } from '../edge.config.ts'
import type { Looked } from '../load.ts'

/** Longer than any server of ours buffers its log: a log that did not grow for so long is complete. Milliseconds. */
export const SETTLE_MS = 1_500

export interface BenchServer {
  readonly name: string
  readonly version: string
  readonly port: number
  /** Over TLS; 0 unless `Place.tls` was given. */
  readonly httpsPort: number
  /** Processes whose trees are counted, helpers such as varnishncsa among them. */
  readonly pids: readonly number[]
  /** True when this answer came out of the server's cache. */
  isHit(answer: Looked): boolean
  /** Lines in its access log so far, without comment lines. */
  logLines(): Promise<number>
  /** Resolves when all that was answered is in the log: logging behind the requests is counted as well. */
  logSettled(): Promise<void>
  /** What its processes printed. */
  output(): string
  stop(): Promise<void>
}

export interface Place {
  readonly config: EdgeBenchConfig
  /** A directory of its own, in memory where the system has one. */
  readonly directory: string
  readonly originPort: number
  /** Listen for HTTPS as well, with this certificate (PEM) for `config.host`. */
  readonly tls?: { readonly key: string; readonly chain: string }
}

export type StartServer = (place: Place) => Promise<BenchServer>
