//! DescribeEvents (spec/elasticache.md 11.3): newest first, by default those of the last hour, at most 14 days back.
import type { DescribeEventsMessage, Event, EventsMessage } from '@aws-sdk/client-elasticache'
import { normalName } from '../../domain/cache-names.ts'
import type { CacheEventRecord } from '../../domain/cluster.ts'
import { invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import type { Operation } from '../service.ts'
import { EVENTS_KEPT_MS, eventsBetween } from './event-log.ts'
import { page } from './paging.ts'

const MINUTE_MS = 60_000
const DURATION_MINUTES_DEFAULT = 60

/** All that AWS knows; a type without events of ours answers an empty list. */
const SOURCE_TYPES: readonly string[] = [
  'cache-cluster',
  'cache-parameter-group',
  'cache-security-group',
  'cache-subnet-group',
  'replication-group',
  'serverless-cache',
  'serverless-cache-snapshot',
  'user',
  'user-group',
]

export const describeEvents: Operation<DescribeEventsMessage, EventsMessage> = async (input, { state, clock }) => {
  const { SourceType: type, SourceIdentifier: id } = input
  if (type !== undefined && !SOURCE_TYPES.includes(type)) {
    throw invalidValue(`SourceType is one of ${SOURCE_TYPES.join(', ')}.`)
  }
  if (id && type === undefined) throw invalidCombination('SourceIdentifier needs a SourceType.')
  const { from, to } = span(input, clock.now())
  const found = (await eventsBetween(state, from, to)).filter(
    ({ doc }) => (type === undefined || doc.source === type) && (!id || doc.sourceId === normalName(id)),
  )
  const { items, Marker } = page(found.reverse(), (event) => event.id, input)
  return { Events: items.map(({ doc }) => view(doc)), Marker }
}

/** Milliseconds [from, to). Without a start: Duration, or an hour, before the end; without an end: Duration after, or now. */
function span(input: DescribeEventsMessage, now: number): { readonly from: number; readonly to: number } {
  const { StartTime, EndTime, Duration } = input
  if (Duration !== undefined && !(Number.isInteger(Duration) && Duration > 0)) {
    throw invalidValue('Duration is a number of minutes above 0.')
  }
  if (StartTime !== undefined && EndTime !== undefined && Duration !== undefined) {
    throw invalidCombination('Give two of StartTime, EndTime and Duration at most.')
  }
  const length = Duration === undefined ? undefined : Duration * MINUTE_MS
  const start = StartTime?.getTime()
  // Events of this very millisecond are part of the answer.
  const to = EndTime?.getTime() ?? (start !== undefined && length !== undefined ? start + length : now + 1)
  const from = start ?? to - (length ?? DURATION_MINUTES_DEFAULT * MINUTE_MS)
  if (Number.isNaN(from) || Number.isNaN(to) || from > to) throw invalidValue('StartTime must not be after EndTime.')
  return { from: Math.max(from, now - EVENTS_KEPT_MS), to }
}

const view = (event: CacheEventRecord): Event => ({
  SourceIdentifier: event.sourceId,
  SourceType: event.source,
  Message: event.message,
  Date: new Date(event.date),
})
