//! NotificationTopicArn and NotificationTopicStatus of a request (spec/elasticache.md 11.3).
import type { NotificationConfiguration } from '@aws-sdk/client-elasticache'
import { shown } from '../../domain/cache-names.ts'
import type { ObservationSettings } from '../../domain/cluster.ts'
import { invalidCombination, invalidValue } from '../../domain/elasticache-faults.ts'
import type { ServiceContext } from '../service.ts'

interface TopicInput {
  readonly NotificationTopicArn?: string | undefined
  readonly NotificationTopicStatus?: string | undefined
}

type TopicSettings = Pick<ObservationSettings, 'notificationTopicArn' | 'notificationTopicStatus'>

const STATUSES = ['active', 'inactive'] as const

/**
 * The topic after the request; nothing given changes nothing. A new topic is active unless the request says otherwise.
 * @throws InvalidParameterValue, InvalidParameterCombination
 */
export function topicAfter(
  { NotificationTopicArn: arn, NotificationTopicStatus: given }: TopicInput,
  before: TopicSettings,
  context: ServiceContext,
): TopicSettings {
  if (arn === undefined && given === undefined) return {}
  const status = given === undefined ? undefined : STATUSES.find((known) => known === given)
  if (given !== undefined && status === undefined) throw invalidValue('NotificationTopicStatus is active or inactive.')
  const topic = arn === undefined ? (before.notificationTopicArn ?? null) : topicArn(arn, context)
  if (topic === null) throw invalidCombination('NotificationTopicStatus needs a NotificationTopicArn.')
  const kept = arn === undefined ? (before.notificationTopicStatus ?? 'active') : 'active'
  return { notificationTopicArn: topic, notificationTopicStatus: status ?? kept }
}

function topicArn(arn: string, { accountId, region, topics }: ServiceContext): string {
  const [, where, account] = /^arn:aws[\w-]*:sns:([^:]*):(\d{12}):[A-Za-z0-9_.-]{1,256}$/.exec(arn) ?? []
  if (where === undefined) throw invalidValue(`NotificationTopicArn is no ARN of a topic: ${shown(arn)}.`)
  if (where !== region || account !== accountId) {
    throw invalidValue(`The topic must be of account ${accountId} in ${region}, not ${arn}.`)
  }
  if (topics?.has(arn) === true) return arn
  throw invalidValue(`There is no topic ${arn}: give it a webhook with \`cachefront up --topic ${arn}=URL\`.`)
}

/** Absent without a topic. */
export function topicView(record: TopicSettings): { NotificationConfiguration?: NotificationConfiguration } {
  if (!record.notificationTopicArn) return {}
  return {
    NotificationConfiguration: {
      TopicArn: record.notificationTopicArn,
      TopicStatus: record.notificationTopicStatus ?? 'active',
    },
  }
}
