//! What AWS refuses in a continuous deployment policy (spec/cloudfront.md 15). PURE.
import type { ContinuousDeploymentPolicyConfig, TrafficConfig } from '@aws-sdk/client-cloudfront'
import { invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { QUOTAS } from '../../domain/quotas.ts'

const HEADER = /^aws-cf-cd-[!#$%&'*+.^_`|~A-Za-z0-9-]+$/i
/** Visible ASCII with blanks inside. */
const VALUE = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/

/** The configuration as AWS returns it. @throws InvalidArgument for the first thing that is wrong */
export function acceptedDeploymentPolicy(given: ContinuousDeploymentPolicyConfig): ContinuousDeploymentPolicyConfig {
  const names = given.StagingDistributionDnsNames?.Items ?? []
  if (names.length !== 1) {
    throw invalidArgument('StagingDistributionDnsNames', `it names one staging distribution, not ${names.length}`)
  }
  const { TrafficConfig: traffic, Enabled: enabled = false } = given
  // AWS's documents do not say what an enabled policy without one does.
  if (traffic === undefined && enabled) throw invalidArgument('TrafficConfig', 'an enabled policy needs one')
  if (traffic !== undefined) checkTraffic(traffic)
  return {
    StagingDistributionDnsNames: { Quantity: 1, Items: [...names] },
    Enabled: enabled,
    ...(traffic === undefined ? {} : { TrafficConfig: traffic }),
  }
}

function checkTraffic({ Type, SingleHeaderConfig: header, SingleWeightConfig: weight }: TrafficConfig): void {
  if (Type !== 'SingleHeader' && Type !== 'SingleWeight') {
    throw invalidArgument('TrafficConfig.Type', `${quoted(Type ?? '')} is not one of SingleHeader, SingleWeight`)
  }
  const [wanted, other] = Type === 'SingleHeader' ? [header, weight] : [weight, header]
  if (wanted === undefined || other !== undefined) {
    throw invalidArgument('TrafficConfig', `with the Type ${Type} it has a ${Type}Config and no other`)
  }
  if (header !== undefined) checkHeader(header.Header ?? '', header.Value ?? '')
  if (weight !== undefined) checkWeight(weight)
}

function checkHeader(name: string, value: string): void {
  const field = 'TrafficConfig.SingleHeaderConfig'
  if (!HEADER.test(name) || name.length > QUOTAS.customHeaderNameChars) {
    throw invalidArgument(
      `${field}.Header`,
      `${quoted(name)} is not the name of a header that begins with aws-cf-cd-, of at most ${QUOTAS.customHeaderNameChars} characters`,
    )
  }
  if (!VALUE.test(value) || value.length > QUOTAS.customHeaderValueChars) {
    throw invalidArgument(
      `${field}.Value`,
      `it has 1 to ${QUOTAS.customHeaderValueChars} visible ASCII characters, and blanks inside alone`,
    )
  }
}

function checkWeight({ Weight, SessionStickinessConfig: sticky }: NonNullable<TrafficConfig['SingleWeightConfig']>) {
  const field = 'TrafficConfig.SingleWeightConfig'
  if (Weight === undefined || !(Weight >= 0 && Weight <= QUOTAS.stagingWeight)) {
    throw invalidArgument(`${field}.Weight`, `it is 0 to ${QUOTAS.stagingWeight}, not ${Weight}`)
  }
  if (sticky === undefined) return
  const { IdleTTL: idle = 0, MaximumTTL: most = 0 } = sticky
  const { sessionSecondsMin: from, sessionSecondsMax: to } = QUOTAS
  for (const [name, seconds] of [
    ['IdleTTL', idle],
    ['MaximumTTL', most],
  ] as const) {
    if (!Number.isInteger(seconds) || seconds < from || seconds > to) {
      throw invalidArgument(
        `${field}.SessionStickinessConfig.${name}`,
        `it is ${from} to ${to} seconds, not ${seconds}`,
      )
    }
  }
  if (idle > most) {
    throw invalidArgument(
      `${field}.SessionStickinessConfig.IdleTTL`,
      `it is at most the MaximumTTL (${most} seconds), not ${idle}`,
    )
  }
}
