//! The rows of all parts.
import type { ElastiCacheFaultRow } from '../../support/elasticache-fault-site.ts'
import { ACCESS_ROWS } from './elasticache-access-rows.ts'
import { CHANGE_ROWS } from './elasticache-change-rows.ts'
import { CLUSTER_ROWS } from './elasticache-cluster-rows.ts'
import { GROUP_ROWS } from './elasticache-group-rows.ts'
import { NAMED_GROUP_ROWS } from './elasticache-named-group-rows.ts'
import { NETWORK_ROWS } from './elasticache-network-rows.ts'
import { OBSERVATION_ROWS } from './elasticache-observation-rows.ts'
import { SNAPSHOT_ROWS } from './elasticache-snapshot-rows.ts'
import { TAG_ROWS } from './elasticache-tag-rows.ts'
import { TRANSIT_ROWS } from './elasticache-transit-rows.ts'

export const ELASTICACHE_FAULT_ROWS: readonly ElastiCacheFaultRow[] = [
  ...ACCESS_ROWS,
  ...CHANGE_ROWS,
  ...CLUSTER_ROWS,
  ...GROUP_ROWS,
  ...NAMED_GROUP_ROWS,
  ...NETWORK_ROWS,
  ...OBSERVATION_ROWS,
  ...SNAPSHOT_ROWS,
  ...TAG_ROWS,
  ...TRANSIT_ROWS,
]
