//! The task that delivers the caches' logs (spec/elasticache.md 11.4). What an engine remembers is the only buffer: nothing
//! waits in here, a destination that fails holds nobody up, and where each log was read is in the state. A crash between
//! a delivery and its record repeats that one batch.

import {
  engineLogLine,
  type LogCursorRecord,
  type LogDeliveryRecord,
  logStreamName,
  slowLogLine,
  slowLogSince,
} from '../../domain/log-delivery.ts'
import type { LogDestination } from '../../domain/log-destination.ts'
import type { Kind } from '../../state/kinds.ts'
import type { State } from '../../state/state.ts'
import type { KeeperLink } from '../keeper-link.ts'
import { sinkFor } from '../logs/choose-sink.ts'
import type { LogSink, SinkOptions } from '../logs/sink.ts'
import { type Attempt, afterAttempts, type LogNode, type LogOwner, logOwners } from '../plan/log-delivery.ts'
import type { Task } from '../reconciler.ts'

/** Kinds whose commits are to poke this task. */
export const LOG_DELIVERY_KINDS: readonly Kind[] = ['cache-cluster', 'replication-group']

const PERIOD_MS = 5_000
/** Longest wait for what a node tells. Milliseconds. */
const ANSWER_MS = 2_000
/** Readings of one engine log in one run; the next run takes the rest. */
const READINGS_MAX = 8

export interface LogDeliveryOptions {
  readonly state: State
  readonly keeper: Pick<KeeperLink, 'ask'>
  readonly sinks: SinkOptions
  /** By the name of the log group or delivery stream; others lead to files. */
  readonly destinations: ReadonlyMap<string, LogDestination>
  /** One line for the operator. */
  readonly onProblem: (line: string) => void
}

export function logDeliveryTask(options: LogDeliveryOptions): Task {
  const delivery = new LogDelivery(options)
  return { name: 'log-delivery', periodMs: PERIOD_MS, run: () => delivery.run() }
}

class LogDelivery {
  readonly #options: LogDeliveryOptions

  constructor(options: LogDeliveryOptions) {
    this.#options = options
  }

  async run(): Promise<readonly string[]> {
    const { state } = this.#options
    const [clusters, groups] = await Promise.all([state.list('cache-cluster'), state.list('replication-group')])
    const owners = logOwners(clusters, groups)
    const done = await Promise.all(owners.map((owner) => this.#deliverOwner(owner)))
    await this.#forgetOthers(owners)
    return done.flat()
  }

  async #deliverOwner(owner: LogOwner): Promise<readonly string[]> {
    const attempts = await Promise.all(owner.deliveries.map((record) => this.#attempt(owner, record)))
    if (afterAttempts(owner.deliveries, attempts) === null) return []
    return this.#options.state.transact(async (tx) => {
      const present = (await tx.get(owner.kind, owner.id))?.doc
      const next = afterAttempts(present?.logDelivery ?? [], attempts)
      if (present === undefined || next === null) return []
      if (owner.kind === 'cache-cluster') {
        const doc = (await tx.get('cache-cluster', owner.id))?.doc
        if (doc !== undefined) await tx.put('cache-cluster', owner.id, { ...doc, logDelivery: next })
      } else {
        const doc = (await tx.get('replication-group', owner.id))?.doc
        if (doc !== undefined) await tx.put('replication-group', owner.id, { ...doc, logDelivery: next })
        for (const id of doc?.members ?? []) {
          const member = (await tx.get('cache-cluster', id))?.doc
          if (member !== undefined) await tx.put('cache-cluster', id, { ...member, logDelivery: next })
        }
      }
      return next.map(({ logType, status }) => `${logType} of ${owner.id}: ${status}`)
    })
  }

  async #attempt(owner: LogOwner, record: LogDeliveryRecord): Promise<Attempt> {
    if (record.status === 'disabling') return { of: record, problem: null }
    const destination = this.#options.destinations.get(record.destination) ?? { kind: 'file' }
    const sink = sinkFor(record.destination, destination, this.#options.sinks)
    try {
      if (record.status !== 'active') await sink.check()
      for (const node of owner.nodes) await this.#deliverNode(owner, node, record, sink)
      return { of: record, problem: null }
    } catch (error) {
      return { of: record, problem: (error as Error).message }
    }
  }

  async #deliverNode(owner: LogOwner, node: LogNode, record: LogDeliveryRecord, sink: LogSink): Promise<void> {
    const id = cursorId(node, record)
    const cursor = (await this.#options.state.get('log-cursor', id))?.doc
    const put = async (lines: readonly string[], mark: string, next: LogCursorRecord): Promise<void> => {
      const stream = logStreamName(owner.engine, node.source, record.logType)
      if (lines.length > 0) await sink.deliver({ stream, lines, mark })
      await this.#options.state.transact((tx) => tx.put('log-cursor', id, next))
    }
    if (record.logType === 'slow-log') await this.#slowLog(node, record, cursor, put)
    else await this.#engineLog(node, record, cursor, put)
  }

  async #slowLog(node: LogNode, { format }: LogDeliveryRecord, cursor: LogCursorRecord | undefined, put: Put) {
    const answer = await this.#ask(() => this.#options.keeper.ask({ kind: 'slow-log', ...node.asked }, ANSWER_MS))
    if (answer === null) return
    const { process, entries } = answer
    const newest = Math.max(-1, ...entries.map((entry) => entry.id))
    // What was slow before somebody asked for the log is not part of it.
    if (cursor?.slow === undefined) return put([], '', { slow: { process, id: newest } })
    const { fresh, missed } = slowLogSince(process, entries, cursor.slow)
    if (fresh.length === 0) return
    if (missed > 0) this.#missed(node, `${missed} slow commands`)
    const lines = fresh.map((entry) => slowLogLine(node.source, entry, format))
    await put(lines, `${process}-${(fresh[0] as { id: number }).id}`, { slow: { process, id: newest } })
  }

  async #engineLog(node: LogNode, { format }: LogDeliveryRecord, cursor: LogCursorRecord | undefined, put: Put) {
    let from = cursor?.engine ?? null
    for (let readings = 0; readings < READINGS_MAX; readings++) {
      const position = from
      const reading = await this.#ask(() =>
        this.#options.keeper.ask({ kind: 'engine-log', ...node.asked, from: position }, ANSWER_MS),
      )
      if (reading === null) return
      if (reading.gap) this.#missed(node, 'some of its log')
      const text = Buffer.from(reading.text, 'latin1').toString('utf8')
      const lines = text.split('\n').filter(Boolean)
      if (lines.length === 0 && from !== null) return
      const mark = from === null ? '' : `${from.rotations}-${from.offset}`
      await put(
        lines.map((line) => engineLogLine(node.source, line, format)),
        mark,
        { engine: reading.position },
      )
      if (from === null) return
      from = reading.position
    }
  }

  /** Null when the node, or the keeper, does not answer now: its status tells that, and nothing is lost. */
  #ask<T>(question: () => Promise<T>): Promise<T | null> {
    return question().catch(() => null)
  }

  #missed({ source }: LogNode, what: string): void {
    this.#options.onProblem(
      `log delivery: ${what} of ${source.clusterId}/${source.nodeId} went by before they could be read`,
    )
  }

  /** Where a log was read is forgotten with its delivery: when it is wanted again, it begins anew. */
  async #forgetOthers(owners: readonly LogOwner[]): Promise<void> {
    const wanted = new Set(
      owners.flatMap(({ deliveries, nodes }) =>
        deliveries
          .filter(({ status }) => status !== 'disabling')
          .flatMap((record) => nodes.map((node) => cursorId(node, record))),
      ),
    )
    const cursors = await this.#options.state.list('log-cursor')
    const left = cursors.filter(({ id }) => !wanted.has(id))
    if (left.length === 0) return
    await this.#options.state.transact(async (tx) => {
      for (const { id } of left) await tx.delete('log-cursor', id)
    })
  }
}

type Put = (lines: readonly string[], mark: string, next: LogCursorRecord) => Promise<void>

const cursorId = ({ source }: LogNode, { logType }: LogDeliveryRecord): string =>
  `${source.clusterId}/${source.nodeId}/${logType}`
