//! The logs of web ACLs in files: `<logs>/<log group or stream>/cloudfront_<web ACL>_<worker>`, written behind the requests and
//! set aside by hour and size as the access log is (observe/access-log-file.ts).
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { wafLogDestination } from '../../domain/waf/log-destination.ts'
import type { Clock } from '../../lib/clock.ts'
import { AccessLogFile } from '../../observe/access-log-file.ts'
import type { Counters } from '../../observe/counters.ts'
import type { Evaluation } from './evaluate.ts'
import { isLogged, type LogSource, wafLogLine } from './log.ts'
import type { Verdict, WebAclPlan } from './plan.ts'

export interface WafLogParts {
  /** Directory of the home's logs. */
  readonly directory: string
  /** Name of this worker. */
  readonly worker: string
  readonly clock: Clock
  readonly counters: Counters
  readonly problem: (message: string) => void
}

export class WafLogs {
  readonly #parts: WafLogParts
  /** By path; null for one that cannot be there. */
  readonly #files = new Map<string, AccessLogFile | null>()

  constructor(parts: WafLogParts) {
    this.#parts = parts
  }

  add(plan: WebAclPlan, evaluation: Evaluation, verdict: Verdict, source: LogSource): void {
    const { logging } = plan.doc
    if (logging === undefined || !isLogged(logging, evaluation, verdict)) return
    const line = wafLogLine(plan, evaluation, verdict, source)
    for (const arn of logging.LogDestinationConfigs ?? []) this.#fileOf(arn, plan)?.append(line)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file?.close()))
  }

  #fileOf(arn: string, { doc }: WebAclPlan): AccessLogFile | null {
    const { directory, worker, clock, counters, problem } = this.#parts
    const destination = wafLogDestination(arn)
    // The API takes no other; a bucket is not written to from here.
    if (destination === null || destination.kind === 's3') return null
    const folder = join(directory, destination.name)
    const path = join(folder, `cloudfront_${doc.name}_${worker}`)
    const known = this.#files.get(path)
    if (known !== undefined) return known
    let file: AccessLogFile | null = null
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      file = new AccessLogFile({ path, clock, counters, header: '' })
    } catch (error) {
      problem(`web ACL ${doc.name}: its log cannot be written to ${folder}: ${(error as Error).message}`)
    }
    this.#files.set(path, file)
    return file
  }
}
