//! What the users of a cache want to hear of it: the fields that create and modify have in common for topics and logs.
import type { LogDeliveryConfigurationRequest } from '@aws-sdk/client-elasticache'
import type { CacheEngine, ObservationSettings } from '../../domain/cluster.ts'
import type { ServiceContext } from '../service.ts'
import { logDeliveryAfter } from './log-delivery.ts'
import { topicAfter } from './notification-topic.ts'

/** For the lists of handled fields. */
export const OBSERVATION_CREATED = ['NotificationTopicArn', 'LogDeliveryConfigurations'] as const
export const OBSERVATION_MODIFIED = [...OBSERVATION_CREATED, 'NotificationTopicStatus'] as const

interface ObservationInput {
  readonly NotificationTopicArn?: string | undefined
  readonly NotificationTopicStatus?: string | undefined
  readonly LogDeliveryConfigurations?: readonly LogDeliveryConfigurationRequest[] | undefined
}

/**
 * The settings after the request, without those that stay absent.
 * @throws InvalidParameterValue, InvalidParameterCombination
 */
export function observationAfter(
  input: ObservationInput,
  engine: CacheEngine,
  before: ObservationSettings,
  context: ServiceContext,
): ObservationSettings {
  const logDelivery = logDeliveryAfter(input.LogDeliveryConfigurations, engine, before.logDelivery ?? [])
  return {
    ...topicAfter(input, before, context),
    ...(logDelivery.length === 0 && before.logDelivery === undefined ? {} : { logDelivery }),
  }
}
