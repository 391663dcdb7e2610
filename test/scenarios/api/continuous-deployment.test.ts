//! Continuous deployment over the wire: what a copy and a promotion take along, when sessions end, and what a list shows of
//! a distribution (spec/cloudfront.md 1.8, 15).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContinuousDeploymentPolicyConfig, TrafficConfig } from '@aws-sdk/client-cloudfront'
import { FaultSite, listed } from '../../support/fault-site.ts'
import { withImported } from '../../support/viewer-certificate.ts'

const weight = (Weight: number, isSticky: boolean): TrafficConfig => ({
  Type: 'SingleWeight',
  SingleWeightConfig: { Weight, ...(isSticky ? { SessionStickinessConfig: { IdleTTL: 300, MaximumTTL: 600 } } : {}) },
})

const arnOf = (id: string): string => `arn:aws:cloudfront::123456789012:distribution/${id}`

async function tagsOf({ client }: FaultSite, id: string): Promise<Record<string, string | undefined>> {
  const { Tags } = await client.listTagsForResource({ Resource: arnOf(id) })
  return Object.fromEntries((Tags?.Items ?? []).map(({ Key = '', Value }) => [Key, Value]))
}

async function copied(site: FaultSite, Enabled?: boolean) {
  const answer = await site.client.copyDistribution({
    ...{ PrimaryDistributionId: site.one.id, IfMatch: site.one.etag, Staging: true },
    ...{ CallerReference: site.reference(), Enabled },
  })
  const { Id: id = '', DomainName: domainName = '', DistributionConfig: config } = answer.Distribution ?? {}
  assert.ok(config)
  return { id, domainName, config, etag: answer.ETag ?? '' }
}

test('a copy and a promotion take along the tags that act, and no others; Enabled stays that of each', () =>
  FaultSite.use({}, async (site) => {
    const { client, one } = site
    const tag = (id: string, tags: Record<string, string>) =>
      client.tagResource({
        Resource: arnOf(id),
        Tags: { Items: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
      })
    await tag(one.id, { team: 'shop', 'cachefront:rfc-strict': 'true' })
    const staging = await copied(site, false)
    assert.equal(staging.config.Enabled, false)
    assert.deepEqual(await tagsOf(site, staging.id), { 'cachefront:rfc-strict': 'true' })
    await tag(staging.id, { 'cachefront:rfc-strict': 'false', team: 'preview' })
    const policy = await client.createContinuousDeploymentPolicy({
      ContinuousDeploymentPolicyConfig: {
        ...{ StagingDistributionDnsNames: listed(staging.domainName), Enabled: true },
        TrafficConfig: weight(0.1, false),
      },
    })
    const primary = await site.update({ ContinuousDeploymentPolicyId: policy.ContinuousDeploymentPolicy?.Id })
    const promoted = await client.updateDistributionWithStagingConfig({
      Id: primary.id,
      IfMatch: `${primary.etag}, ${staging.etag}`,
    })
    assert.equal(promoted.Distribution?.DistributionConfig?.Enabled, true)
    assert.deepEqual(await tagsOf(site, primary.id), { team: 'shop', 'cachefront:rfc-strict': 'false' })
    // A replacement without the policy takes it away.
    const { ContinuousDeploymentPolicyId: _, ...rest } = promoted.Distribution?.DistributionConfig ?? {}
    const detached = await client.updateDistribution({
      ...{ Id: primary.id, IfMatch: promoted.ETag },
      DistributionConfig: rest as typeof primary.config,
    })
    assert.equal(detached.Distribution?.DistributionConfig?.ContinuousDeploymentPolicyId, '')
  }))

test('sessions end when a policy or its stickiness is switched, not when its numbers change', () =>
  FaultSite.use({}, async (site) => {
    const staging = await copied(site)
    const config = (TrafficConfig: TrafficConfig, Enabled = true): ContinuousDeploymentPolicyConfig => ({
      ...{ StagingDistributionDnsNames: listed(staging.domainName), Enabled, TrafficConfig },
    })
    const made = await site.client.createContinuousDeploymentPolicy({
      ContinuousDeploymentPolicyConfig: config(weight(0.1, true)),
    })
    const Id = made.ContinuousDeploymentPolicy?.Id ?? ''
    let IfMatch = made.ETag
    const secret = async () => (await site.state.get('continuous-deployment-policy', Id))?.doc.sessionSecret
    const rows: [about: string, config: ContinuousDeploymentPolicyConfig, ends: boolean][] = [
      ['another weight', config(weight(0.05, true)), false],
      ['not sticky', config(weight(0.05, false)), true],
      ['sticky again', config(weight(0.05, true)), true],
      ['disabled', config(weight(0.05, true), false), true],
      ['enabled again', config(weight(0.05, true)), true],
      ['the same again', config(weight(0.05, true)), false],
    ]
    for (const [about, ContinuousDeploymentPolicyConfig, ends] of rows) {
      const before = await secret()
      const etag = IfMatch
      IfMatch = (await site.client.updateContinuousDeploymentPolicy({ Id, IfMatch, ContinuousDeploymentPolicyConfig }))
        .ETag
      assert.notEqual(IfMatch, etag, about)
      assert.equal((await secret()) !== before, ends, about)
    }
    const shown = JSON.stringify(await site.client.getContinuousDeploymentPolicy({ Id }))
    assert.ok(!shown.includes((await secret()) ?? 'a secret'), 'nobody is told the secret')
  }))

test('a list shows a distribution flat, with its ETag, and not what AWS leaves out', () =>
  FaultSite.use({}, async (site) => {
    const { etag } = await site.update({
      DefaultRootObject: 'index.html',
      ...(await withImported(site.acm, ['www.example.com'])),
    })
    const [item] = (await site.client.listDistributions({})).DistributionList?.Items ?? []
    assert.deepEqual([item?.Id, item?.ETag, item?.Aliases?.Items], [site.one.id, etag, ['www.example.com']])
    assert.deepEqual([item?.Staging, item?.Enabled, item?.Status], [false, true, 'InProgress'])
    assert.equal(item?.DefaultCacheBehavior?.TargetOriginId, 'origin')
    const names = Object.keys(item ?? {})
    assert.deepEqual(
      ['Logging', 'DefaultRootObject', 'CallerReference'].filter((name) => names.includes(name)),
      [],
    )
  }))
