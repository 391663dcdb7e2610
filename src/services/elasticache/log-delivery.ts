//! LogDeliveryConfigurations of a request (spec/elasticache.md 11.4): checked, and joined with what there is.
import type {
  LogDeliveryConfiguration,
  LogDeliveryConfigurationRequest,
  PendingLogDeliveryConfiguration,
} from '@aws-sdk/client-elasticache'
import type { CacheEngine } from '../../domain/cluster.ts'
import { invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import type { LogDeliveryRecord, LogDestinationType, LogFormat, LogType } from '../../domain/log-delivery.ts'

const LOG_TYPES: readonly string[] = ['slow-log', 'engine-log'] satisfies LogType[]
const DESTINATION_TYPES: readonly string[] = ['cloudwatch-logs', 'kinesis-firehose'] satisfies LogDestinationType[]
const FORMATS: readonly string[] = ['json', 'text'] satisfies LogFormat[]
/** Names that CloudWatch and Firehose allow; here they become folders, so that no part of one is `.` or `..`. */
const LOG_GROUP = /^[.\-_/#A-Za-z0-9]{1,512}$/
const DELIVERY_STREAM = /^[a-zA-Z0-9_.-]{1,64}$/

/**
 * What is delivered after the request; `before` is what is delivered now. Nothing given changes nothing.
 * @throws InvalidParameterValue, InvalidParameterCombination
 */
export function logDeliveryAfter(
  given: readonly LogDeliveryConfigurationRequest[] | undefined,
  engine: CacheEngine,
  before: readonly LogDeliveryRecord[],
): readonly LogDeliveryRecord[] {
  if (given === undefined || given.length === 0) return before
  if (engine === 'memcached') {
    throw invalidCombination(
      'Memcached has neither a slow log nor an engine log: LogDeliveryConfigurations is for redis and valkey.',
    )
  }
  const types = given.map(({ LogType: type }) => oneOf('LogType', type, LOG_TYPES))
  if (new Set(types).size < types.length) {
    throw invalidCombination('LogDeliveryConfigurations has more than one entry for a LogType.')
  }
  let after = [...before]
  for (const request of given) {
    const present = after.find(({ logType }) => logType === request.LogType)
    const next = request.Enabled === false ? disabled(present) : enabled(request, present)
    after = [...after.filter(({ logType }) => logType !== request.LogType), ...(next === null ? [] : [next])]
  }
  return after.sort((a, b) => (a.logType < b.logType ? 1 : -1))
}

/** The reconciler takes it away. */
const disabled = (present: LogDeliveryRecord | undefined): LogDeliveryRecord | null =>
  present === undefined ? null : { ...present, status: 'disabling' }

function enabled(request: LogDeliveryConfigurationRequest, present: LogDeliveryRecord | undefined): LogDeliveryRecord {
  const destinationType = oneOf('DestinationType', request.DestinationType, DESTINATION_TYPES)
  const wished = {
    logType: request.LogType as LogType,
    destinationType: destinationType as LogDestinationType,
    destination: destinationOf(request, destinationType),
    format: oneOf('LogFormat', request.LogFormat, FORMATS) as LogFormat,
    message: null,
  }
  if (present === undefined) return { ...wished, status: 'enabling' }
  const same =
    present.status !== 'disabling' &&
    present.destinationType === wished.destinationType &&
    present.destination === wished.destination &&
    present.format === wished.format
  return same ? present : { ...wished, status: 'modifying' }
}

function destinationOf({ DestinationDetails: details }: LogDeliveryConfigurationRequest, type: string): string {
  const logGroup = details?.CloudWatchLogsDetails?.LogGroup
  const stream = details?.KinesisFirehoseDetails?.DeliveryStream
  const [name, other, allowed, field] =
    type === 'cloudwatch-logs'
      ? [logGroup, stream, LOG_GROUP, 'CloudWatchLogsDetails.LogGroup']
      : [stream, logGroup, DELIVERY_STREAM, 'KinesisFirehoseDetails.DeliveryStream']
  if (name === undefined || other !== undefined) {
    throw invalidCombination(`DestinationDetails of ${type} has ${field} and nothing else.`)
  }
  if (allowed.test(name) && !name.split('/').some((part) => part === '.' || part === '..')) return name
  throw invalidValue(`${field} is no name of a destination: ${JSON.stringify(name.slice(0, 80))}.`)
}

function oneOf(field: string, value: string | undefined, allowed: readonly string[]): string {
  if (value !== undefined && allowed.includes(value)) return value
  throw invalidValue(`${field} of LogDeliveryConfigurations is ${allowed.join(' or ')}.`)
}

/** @throws InvalidParameterCombination: log delivery does not wait for the maintenance window (spec 11.4; the code is unconfirmed) */
export function logDeliveryAtOnce(given: unknown, applyImmediately: boolean | undefined): void {
  if (given === undefined || (Array.isArray(given) && given.length === 0) || applyImmediately === true) return
  throw invalidCombination('LogDeliveryConfigurations needs ApplyImmediately=true.')
}

const destinationView = ({ destinationType, destination }: LogDeliveryRecord) =>
  destinationType === 'cloudwatch-logs'
    ? { CloudWatchLogsDetails: { LogGroup: destination } }
    : { KinesisFirehoseDetails: { DeliveryStream: destination } }

export const logDeliveryView = (record: LogDeliveryRecord): LogDeliveryConfiguration => ({
  LogType: record.logType,
  DestinationType: record.destinationType,
  DestinationDetails: destinationView(record),
  LogFormat: record.format,
  Status: record.status,
  ...(record.message === null ? {} : { Message: record.message }),
})

/** Part of PendingModifiedValues: what is not yet as it was asked for; nothing when all is. */
export function pendingLogDelivery(records: readonly LogDeliveryRecord[]): {
  LogDeliveryConfigurations?: PendingLogDeliveryConfiguration[]
} {
  const pending = records.filter(({ status }) => status !== 'active' && status !== 'error')
  if (pending.length === 0) return {}
  return {
    LogDeliveryConfigurations: pending.map((record) => ({
      LogType: record.logType,
      DestinationType: record.destinationType,
      DestinationDetails: destinationView(record),
      LogFormat: record.format,
    })),
  }
}
