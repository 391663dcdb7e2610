//! Faults of log delivery, notification topics and DescribeEvents (spec 11.3, 11.4).
import type { ElastiCacheFaultRow, ElastiCacheFaultSite } from '../../support/elasticache-fault-site.ts'

type Act = (site: ElastiCacheFaultSite) => Promise<unknown>

const refused = (code: string, section: string, when: string, prepare: Act, call: Act): ElastiCacheFaultRow => ({
  code,
  status: 400,
  section,
  when,
  async provoke(site) {
    await prepare(site)
    return () => call(site)
  },
})

const nothing: Act = async () => {}
const group: Act = (site) => site.group('shop', 2)

const SLOW = {
  LogType: 'slow-log',
  DestinationType: 'cloudwatch-logs',
  DestinationDetails: { CloudWatchLogsDetails: { LogGroup: '/shop' } },
  LogFormat: 'json',
} as const

const modifyGroup =
  (changes: object): Act =>
  (site) =>
    site.client.modifyReplicationGroup({ ReplicationGroupId: 'shop', ApplyImmediately: true, ...changes })
const logs = (...LogDeliveryConfigurations: object[]): Act => modifyGroup({ LogDeliveryConfigurations })
const events =
  (input: object): Act =>
  (site) =>
    site.client.describeEvents(input)
const newMemcached =
  (changes: object): Act =>
  (site) =>
    site.client.createCacheCluster({
      CacheClusterId: 'pages',
      Engine: 'memcached',
      CacheNodeType: 'cache.t4g.micro',
      NumCacheNodes: 1,
      ...changes,
    })

const VALUE = 'InvalidParameterValue'
const COMBINATION = 'InvalidParameterCombination'

export const OBSERVATION_ROWS: readonly ElastiCacheFaultRow[] = [
  refused(
    COMBINATION,
    '11.4',
    'log delivery of memcached',
    nothing,
    newMemcached({ LogDeliveryConfigurations: [SLOW] }),
  ),
  refused(COMBINATION, '11.4', 'a log type twice', group, logs(SLOW, SLOW)),
  refused(COMBINATION, '11.4', 'log delivery without ApplyImmediately', group, (site) =>
    site.client.modifyReplicationGroup({ ReplicationGroupId: 'shop', LogDeliveryConfigurations: [SLOW] }),
  ),
  refused(
    COMBINATION,
    '11.4',
    'a log group for a delivery stream',
    group,
    logs({ ...SLOW, DestinationType: 'kinesis-firehose' }),
  ),
  refused(VALUE, '11.4', 'a log type that there is not', group, logs({ ...SLOW, LogType: 'audit-log' })),
  refused(VALUE, '11.4', 'a destination type that there is not', group, logs({ ...SLOW, DestinationType: 's3' })),
  refused(VALUE, '11.4', 'a format that there is not', group, logs({ ...SLOW, LogFormat: 'xml' })),
  refused(
    VALUE,
    '11.4',
    'a log group that would leave its directory',
    group,
    logs({ ...SLOW, DestinationDetails: { CloudWatchLogsDetails: { LogGroup: 'a/../../b' } } }),
  ),
  refused(VALUE, '11.3', 'a topic that is no ARN', group, modifyGroup({ NotificationTopicArn: 'alerts' })),
  refused(
    VALUE,
    '11.3',
    'a topic of another region',
    group,
    modifyGroup({ NotificationTopicArn: 'arn:aws:sns:eu-west-1:123456789012:alerts' }),
  ),
  refused(
    VALUE,
    '11.3',
    'a topic without a webhook',
    group,
    modifyGroup({ NotificationTopicArn: 'arn:aws:sns:us-east-1:123456789012:alerts' }),
  ),
  refused(
    VALUE,
    '11.3',
    'a topic without a webhook, for a new cluster',
    nothing,
    newMemcached({ NotificationTopicArn: 'arn:aws:sns:us-east-1:123456789012:alerts' }),
  ),
  refused(
    COMBINATION,
    '11.3',
    'a topic status without a topic',
    group,
    modifyGroup({ NotificationTopicStatus: 'inactive' }),
  ),
  refused(VALUE, '11.3', 'events of a source type that there is not', nothing, events({ SourceType: 'cache' })),
  refused(COMBINATION, '11.3', 'events of a source without its type', nothing, events({ SourceIdentifier: 'shop' })),
  refused(VALUE, '11.3', 'events of no minutes', nothing, events({ Duration: 0 })),
  refused(
    VALUE,
    '11.3',
    'events that end before they start',
    nothing,
    events({ StartTime: new Date(2e12), EndTime: new Date(1e12) }),
  ),
  refused(
    COMBINATION,
    '11.3',
    'events between two times and a duration',
    nothing,
    events({ StartTime: new Date(1e12), EndTime: new Date(2e12), Duration: 5 }),
  ),
  refused(VALUE, '1.3', 'a page of fewer than 20 events', nothing, events({ MaxRecords: 19 })),
  refused(VALUE, '1.3', 'a page of more than 100 events', nothing, events({ MaxRecords: 101 })),
]
