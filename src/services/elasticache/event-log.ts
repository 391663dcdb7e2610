//! Writes ElastiCache events (spec/elasticache.md 11.3) in the transaction of what they tell of. Services and the
//! reconciler use it.
import { notificationName } from '../../domain/cache-notifications.ts'
import { type CacheEventRecord, EVENT_DAYS, type EventSource } from '../../domain/cluster.ts'
import { uuid } from '../../lib/ids.ts'
import type { Reader, Transaction } from '../../state/state.ts'

export interface NewEvent {
  readonly source: EventSource
  readonly sourceId: string
  readonly message: string
}

/** Milliseconds that events are kept. */
export const EVENTS_KEPT_MS = EVENT_DAYS * 24 * 60 * 60 * 1000
/** Old events that one sweep deletes at most; the next takes the rest. */
const SWEEP_MAX = 500

/** Stores the events in their order, all with the time `at` (milliseconds). */
export async function recordEvents(tx: Transaction, at: number, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return
  const date = new Date(at).toISOString()
  const prefix = `${date}/${String(tx.revision).padStart(12, '0')}/`
  const before = (await tx.list('cache-event', { prefix })).length
  for (const [at, event] of events.entries()) {
    const number = String(before + at).padStart(4, '0')
    await tx.put('cache-event', prefix + number, { ...event, date })
    await notify(tx, event, date, number)
  }
}

/** Writes what is to be sent of an event whose source has a topic; the task `notifications` sends it. */
async function notify(tx: Transaction, event: NewEvent, date: string, number: string): Promise<void> {
  const { source, sourceId, message } = event
  const name = notificationName(source, message)
  if (name === null || (source !== 'cache-cluster' && source !== 'replication-group')) return
  const topic = (await tx.get(source, sourceId))?.doc
  if (!topic?.notificationTopicArn || topic.notificationTopicStatus === 'inactive') return
  await tx.put('notification', `${String(tx.revision).padStart(12, '0')}/${date}/${number}`, {
    messageId: uuid(),
    topicArn: topic.notificationTopicArn,
    sourceId,
    name,
    at: date,
  })
}

/** Stored events with dates in [from, to), milliseconds; oldest first. */
export async function eventsBetween(
  reader: Reader,
  from: number,
  to: number,
): Promise<{ readonly id: string; readonly doc: CacheEventRecord }[]> {
  const found = await reader.list('cache-event', { after: new Date(from).toISOString() })
  const end = new Date(to).toISOString()
  return found.filter((event) => event.doc.date < end)
}

/** Whether an event is older than 14 days at `now` (milliseconds). */
export const isOld = (event: CacheEventRecord, now: number): boolean =>
  event.date < new Date(now - EVENTS_KEPT_MS).toISOString()

/** Deletes old events, a bounded number of them; returns how many. */
export async function sweepEvents(tx: Transaction, now: number): Promise<number> {
  const oldest = await tx.list('cache-event', { limit: SWEEP_MAX })
  const old = oldest.filter((event) => isOld(event.doc, now))
  for (const event of old) await tx.delete('cache-event', event.id)
  return old.length
}
