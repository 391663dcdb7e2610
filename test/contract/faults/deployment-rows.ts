//! Faults of continuous deployment and of moving aliases (spec 1.2, 1.5, 2.1, 2.7, 15).

import type { ContinuousDeploymentPolicyConfig, TrafficConfig } from '@aws-sdk/client-cloudfront'
import { type FaultRow, type FaultSite, listed, type Made } from '../../support/fault-site.ts'
import { withImported } from '../../support/viewer-certificate.ts'

const NOBODY = '00000000-0000-0000-0000-000000000000'

const HEADER: TrafficConfig = {
  Type: 'SingleHeader',
  SingleHeaderConfig: { Header: 'aws-cf-cd-test', Value: 'yes' },
}
const weight = (Weight: number, IdleTTL?: number, MaximumTTL?: number): TrafficConfig => ({
  Type: 'SingleWeight',
  SingleWeightConfig: {
    Weight,
    ...(IdleTTL === undefined ? {} : { SessionStickinessConfig: { IdleTTL, MaximumTTL } }),
  },
})

const copy = async (site: FaultSite, changes: object = {}) => {
  const copied = await site.client.copyDistribution({
    ...{ PrimaryDistributionId: site.one.id, IfMatch: site.one.etag, Staging: true },
    ...{ CallerReference: site.reference(), ...changes },
  })
  const { Id = '', DomainName = '', DistributionConfig } = copied.Distribution ?? {}
  return { id: Id, domainName: DomainName, etag: copied.ETag ?? '', config: DistributionConfig } as Made
}

const policyConfig = (staging: Made, traffic: TrafficConfig | undefined = HEADER, Enabled = true) =>
  ({
    StagingDistributionDnsNames: listed(staging.domainName),
    Enabled,
    TrafficConfig: traffic,
  }) satisfies ContinuousDeploymentPolicyConfig

const newPolicy = async (site: FaultSite, staging: Made, traffic?: TrafficConfig) => {
  const made = await site.client.createContinuousDeploymentPolicy({
    ContinuousDeploymentPolicyConfig: policyConfig(staging, traffic),
  })
  return { id: made.ContinuousDeploymentPolicy?.Id ?? '', etag: made.ETag ?? '' }
}

/** A primary distribution, its staging one and the policy between them, attached. */
async function bound(site: FaultSite) {
  const staging = await copy(site)
  const policy = await newPolicy(site, staging)
  const primary = await site.update({ ContinuousDeploymentPolicyId: policy.id })
  return { staging, policy, primary }
}

/** Creates a policy for a new staging distribution. */
const creating = (config: (staging: Made) => ContinuousDeploymentPolicyConfig) => async (site: FaultSite) => {
  const staging = await copy(site)
  return () => site.client.createContinuousDeploymentPolicy({ ContinuousDeploymentPolicyConfig: config(staging) })
}

const promote = (site: FaultSite, primary: Made, staging: Made, IfMatch = `${primary.etag},${staging.etag}`) =>
  site.client.updateDistributionWithStagingConfig({ Id: primary.id, StagingDistributionId: staging.id, IfMatch })

const row = (
  code: string,
  status: number,
  when: string,
  provoke: FaultRow['provoke'],
  quotas: FaultRow['quotas'] = {},
): FaultRow => ({ code, status, section: '15', when, provoke, quotas })
const invalid = (when: string, provoke: FaultRow['provoke']): FaultRow => row('InvalidArgument', 400, when, provoke)

export const DEPLOYMENT_ROWS: readonly FaultRow[] = [
  invalid('a copy that is not staging', (site) => () => copy(site, { Staging: undefined })),
  invalid('a copy of a staging distribution', async (site) => {
    const { id, etag } = await copy(site)
    return () => copy(site, { PrimaryDistributionId: id, IfMatch: etag })
  }),
  row('PreconditionFailed', 412, 'a copy of another version', (site) => () => copy(site, { IfMatch: 'E1' })),
  row('InvalidIfMatchVersion', 400, 'a copy of no version', (site) => () => copy(site, { IfMatch: undefined })),
  row('NoSuchDistribution', 404, 'a copy of nothing', (site) => () => copy(site, { PrimaryDistributionId: 'E0' })),
  row(
    'DistributionAlreadyExists',
    409,
    'a copy with a CallerReference that was used',
    (site) => () => copy(site, { CallerReference: site.one.config.CallerReference }),
  ),
  row(
    'TooManyDistributions',
    400,
    'one more staging distribution than the account may have',
    async (site) => {
      await copy(site)
      return () => copy(site)
    },
    { stagingDistributions: 1 },
  ),
  row(
    'NoSuchContinuousDeploymentPolicy',
    404,
    'an id that is nobody’s',
    (site) => () => site.client.getContinuousDeploymentPolicy({ Id: NOBODY }),
  ),
  row(
    'NoSuchContinuousDeploymentPolicy',
    404,
    'a distribution that names nobody’s',
    (site) => () => site.update({ ContinuousDeploymentPolicyId: NOBODY }),
  ),
  row('ContinuousDeploymentPolicyAlreadyExists', 409, 'the same configuration again', async (site) => {
    const staging = await copy(site)
    await newPolicy(site, staging)
    return () => newPolicy(site, staging)
  }),
  row('StagingDistributionInUse', 409, 'a second policy for a staging distribution', async (site) => {
    const staging = await copy(site)
    await newPolicy(site, staging)
    return () => newPolicy(site, staging, weight(0.1))
  }),
  row('StagingDistributionInUse', 409, 'a policy that changes to another one’s staging distribution', async (site) => {
    const [one, two] = [await copy(site), await copy(site)]
    await newPolicy(site, one)
    const { id, etag } = await newPolicy(site, two)
    const ContinuousDeploymentPolicyConfig = policyConfig(one, weight(0.1))
    return () =>
      site.client.updateContinuousDeploymentPolicy({ Id: id, IfMatch: etag, ContinuousDeploymentPolicyConfig })
  }),
  row('StagingDistributionInUse', 409, 'a staging distribution that is disabled under its policy', async (site) => {
    const staging = await copy(site)
    await newPolicy(site, staging)
    return () => site.update({ Enabled: false }, staging)
  }),
  row(
    'TooManyContinuousDeploymentPolicies',
    400,
    'one more than the account may have',
    async (site) => {
      await newPolicy(site, await copy(site))
      const staging = await copy(site)
      return () => newPolicy(site, staging)
    },
    { continuousDeploymentPolicies: 1 },
  ),
  row('ContinuousDeploymentPolicyInUse', 409, 'a delete of what is attached', async (site) => {
    const { policy } = await bound(site)
    return () => site.client.deleteContinuousDeploymentPolicy({ Id: policy.id, IfMatch: policy.etag })
  }),
  row('ContinuousDeploymentPolicyInUse', 409, 'a second primary distribution', async (site) => {
    const { policy } = await bound(site)
    return () => site.create({ ContinuousDeploymentPolicyId: policy.id })
  }),
  row('PreconditionFailed', 412, 'a delete of a policy by an old version', async (site) => {
    const { id } = await newPolicy(site, await copy(site))
    return () => site.client.deleteContinuousDeploymentPolicy({ Id: id, IfMatch: 'E1' })
  }),
  row('ResourceInUse', 409, 'a delete of a primary distribution with its policy', async (site) => {
    const { primary } = await bound(site)
    const { etag } = await site.update({ Enabled: false }, primary)
    await site.deploy(primary.id)
    return () => site.client.deleteDistribution({ Id: primary.id, IfMatch: etag })
  }),
  row('ResourceInUse', 409, 'a delete of a staging distribution that a policy names', async (site) => {
    const staging = await copy(site, { Enabled: false })
    await newPolicy(site, staging)
    await site.deploy(staging.id)
    return () => site.client.deleteDistribution({ Id: staging.id, IfMatch: staging.etag })
  }),
  invalid('a policy for what is no staging distribution', (site) => () => newPolicy(site, site.one)),
  invalid(
    'a policy for a name that is nobody’s',
    creating((staging) => ({
      ...policyConfig(staging),
      StagingDistributionDnsNames: listed('d0.cloudfront.localhost'),
    })),
  ),
  invalid(
    'a policy for two staging distributions',
    creating((staging) => ({
      ...policyConfig(staging),
      StagingDistributionDnsNames: listed(staging.domainName, 'd0.cloudfront.localhost'),
    })),
  ),
  invalid(
    'an enabled policy without traffic',
    creating((staging) => ({ ...policyConfig(staging), TrafficConfig: undefined })),
  ),
  ...(
    [
      ['a header without its prefix', { Type: 'SingleHeader', SingleHeaderConfig: { Header: 'x-test', Value: 'y' } }],
      [
        'a header that is nothing but its prefix',
        { Type: 'SingleHeader', SingleHeaderConfig: { Header: 'aws-cf-cd-', Value: 'y' } },
      ],
      ['a header without a value', { Type: 'SingleHeader', SingleHeaderConfig: { Header: 'aws-cf-cd-a', Value: '' } }],
      ['a weight of 16 %', weight(0.16)],
      ['a weight below 0', weight(-0.01)],
      ['an IdleTTL of 299 seconds', weight(0.1, 299, 300)],
      ['a MaximumTTL of 3,601 seconds', weight(0.1, 300, 3_601)],
      ['an IdleTTL above the MaximumTTL', weight(0.1, 600, 500)],
      ['a Type without its configuration', { Type: 'SingleWeight' }],
      ['a Type with the other’s configuration', { ...HEADER, Type: 'SingleWeight' }],
      ['a Type that is none', { ...HEADER, Type: 'Double' as never }],
    ] as readonly (readonly [string, TrafficConfig])[]
  ).map(([when, traffic]) =>
    invalid(
      when,
      creating((staging) => policyConfig(staging, traffic)),
    ),
  ),
  invalid('a staging distribution with an alias', async (site) => {
    const staging = await copy(site)
    const named = await withImported(site.acm, ['www.example.com'])
    return () => site.update(named, staging)
  }),
  invalid('a staging distribution with a policy', async (site) => {
    const [staging, other] = [await copy(site), await copy(site)]
    const { id } = await newPolicy(site, other)
    return () => site.update({ ContinuousDeploymentPolicyId: id }, staging)
  }),
  invalid('a policy for a primary distribution that offers HTTP/3', async (site) => {
    const { id } = await newPolicy(site, await copy(site))
    return () => site.update({ ContinuousDeploymentPolicyId: id, HttpVersion: 'http3' })
  }),
  row(
    'IllegalUpdate',
    400,
    'a distribution that becomes a staging one',
    (site) => () => site.update({ Staging: true }),
  ),
  row('IllegalUpdate', 400, 'an HTTP version that changes under a policy', async (site) => {
    const { primary } = await bound(site)
    return () => site.update({ HttpVersion: 'http1.1' }, primary)
  }),
  row('IllegalUpdate', 400, 'an HTTP version of the staging distribution that changes under a policy', async (site) => {
    const { staging } = await bound(site)
    return () => site.update({ HttpVersion: 'http1.1' }, staging)
  }),
  row('IllegalUpdate', 400, 'a promotion without a policy', async (site) => {
    const staging = await copy(site)
    return () => promote(site, site.one, staging)
  }),
  row('IllegalUpdate', 400, 'a promotion of another primary’s staging distribution', async (site) => {
    const { primary } = await bound(site)
    const other = await copy(site, { IfMatch: primary.etag })
    return () => promote(site, primary, other)
  }),
  row('InvalidIfMatchVersion', 400, 'a promotion by one version', async (site) => {
    const { primary, staging } = await bound(site)
    return () => promote(site, primary, staging, primary.etag)
  }),
  row('PreconditionFailed', 412, 'a promotion of an old version of the staging distribution', async (site) => {
    const { primary, staging } = await bound(site)
    await site.update({ Comment: 'newer' }, staging)
    return () => promote(site, primary, staging)
  }),
  row(
    'NoSuchDistribution',
    404,
    'an alias for a distribution that is not there',
    (site) => () => site.client.associateAlias({ TargetDistributionId: 'E0', Alias: 'www.example.com' }),
  ),
  invalid(
    'an alias that is none',
    (site) => () => site.client.associateAlias({ TargetDistributionId: site.one.id, Alias: 'not a name' }),
  ),
  row('IllegalUpdate', 400, 'an alias for a staging distribution', async (site) => {
    const { id } = await copy(site)
    return () => site.client.associateAlias({ TargetDistributionId: id, Alias: 'www.example.com' })
  }),
  row('IllegalUpdate', 400, 'an alias for a primary distribution under its policy', async (site) => {
    const { primary } = await bound(site)
    return () => site.client.associateAlias({ TargetDistributionId: primary.id, Alias: 'www.example.com' })
  }),
  row(
    'TooManyDistributionCNAMEs',
    400,
    'an alias more than the distribution may have',
    async (site) => {
      await site.create(await withImported(site.acm, ['one.example.com']))
      await site.update(await withImported(site.acm, ['two.example.com'], ['*.example.com']))
      return () => site.client.associateAlias({ TargetDistributionId: site.one.id, Alias: 'one.example.com' })
    },
    { aliasesPerDistribution: 1 },
  ),
  row(
    'InvalidViewerCertificate',
    400,
    'an alias for a distribution whose certificate does not cover it',
    async (site) => {
      await site.create(await withImported(site.acm, ['one.example.com']))
      return () => site.client.associateAlias({ TargetDistributionId: site.one.id, Alias: 'one.example.com' })
    },
  ),
  row(
    'InvalidArgument',
    400,
    'conflicting aliases of a name that no certificate covers',
    (site) => () => site.client.listConflictingAliases({ DistributionId: site.one.id, Alias: 'www.example.com' }),
  ),
  row(
    'NoSuchDistribution',
    404,
    'conflicting aliases of nobody',
    (site) => () => site.client.listConflictingAliases({ DistributionId: 'E0', Alias: 'www.example.com' }),
  ),
]
