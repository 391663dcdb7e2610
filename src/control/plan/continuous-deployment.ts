//! A continuous deployment policy to what the edge needs of it. PURE.
import type { ContinuousDeploymentPolicyConfig, TrafficConfig } from '@aws-sdk/client-cloudfront'
import type { ContinuousDeploymentDoc } from '../../domain/distribution.ts'
import type { DeploymentPolicyRecord } from '../../domain/records.ts'

/** Null for one that has no effect. */
export function continuousDeploymentDoc(record: DeploymentPolicyRecord): ContinuousDeploymentDoc | null {
  const { Enabled, TrafficConfig: config } = record.config as ContinuousDeploymentPolicyConfig
  const traffic = Enabled === true && config !== undefined ? trafficOf(config, record.sessionSecret) : null
  return traffic === null ? null : { policyId: record.id, stagingId: record.stagingId, traffic }
}

function trafficOf(config: TrafficConfig, secret: string): ContinuousDeploymentDoc['traffic'] | null {
  const { SingleHeaderConfig: header, SingleWeightConfig: weight } = config
  if (header !== undefined) {
    return { kind: 'header', header: (header.Header ?? '').toLowerCase(), value: header.Value ?? '' }
  }
  if (weight === undefined) return null
  const { IdleTTL, MaximumTTL } = weight.SessionStickinessConfig ?? {}
  const isSticky = IdleTTL !== undefined && MaximumTTL !== undefined
  const sticky = isSticky ? { idleSeconds: IdleTTL, maximumSeconds: MaximumTTL, secret } : null
  return { kind: 'weight', share: weight.Weight ?? 0, sticky }
}
